"""What the managed runtime does before it imports a handler. A script of the clean interpreter, without `automation`.

Arguments: the spec of `runtime.py` as JSON, the script to run, and that script's arguments. The script finds in its
globals `ATTEMPTS`: what was refused to the code that it runs, because Lambda refuses it or because it leaves this
machine.
"""

import decimal
import errno
import json
import logging
import os
import site
import sys
import time
import traceback
from collections.abc import Sequence

TYPE_CHECKING = False  # typing is not among what the runtime has imported
if TYPE_CHECKING:
    from typing import Any

# The runtime's own client has imported these before a handler's module can take the name of one; beyond them this
# script imports as little as it can, so that such a module shows.
PRELOADED = (decimal, logging, time, traceback)

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset({"os.mkdir", "os.remove", "os.rename", "os.rmdir"})
_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"})


class Guard:
    """An audit hook: no network, and a file system that is read-only but for the temporary folders."""

    def __init__(self, read_only: Sequence[str], writable: Sequence[str], attempts: list[str]) -> None:
        self.read_only = tuple(os.path.realpath(folder) + os.sep for folder in read_only)
        self.writable = tuple(os.path.realpath(folder) + os.sep for folder in writable)
        self.attempts = attempts

    def __call__(self, event: str, arguments: "tuple[Any, ...]") -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING and isinstance(path, str | bytes | os.PathLike):
                self.refuse_writing(path)
        elif event in _CHANGES:
            self.refuse_writing(arguments[1] if event == "os.rename" else arguments[0])
        elif event in _NETWORK:
            self.attempts.append("network")
            raise OSError(errno.ENETUNREACH, "the proof has no network")

    def refuse_writing(self, path: "Any") -> None:
        real = os.path.realpath(os.fsdecode(path)) + os.sep
        if real.startswith(self.read_only) or not real.startswith(self.writable):
            self.attempts.append("write")
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))


def prepare(folders: Sequence[str], sites: Sequence[str]) -> None:
    """Put `folders` before the stdlib on sys.path, and read the .pth files of `sites`."""
    site.setquit()
    sys.path[:] = [*folders, *sys.path]
    for folder in sites:
        if os.path.isdir(folder):  # noqa: PTH112 - neither is pathlib
            site.addsitedir(folder)


def main(spec: str, script: str, *arguments: str) -> None:
    """Become the runtime, then run the script."""
    told = json.loads(spec)
    attempts: list[str] = []
    prepare(told["path"], told["sites"])
    sys.argv = [script, *arguments]
    with open(script, "rb") as file:  # noqa: PTH123 - neither is pathlib
        code = compile(file.read(), script, "exec")
    sys.addaudithook(Guard(told["read_only"], told["writable"], attempts))
    exec(code, {"__name__": "__main__", "__file__": script, "ATTEMPTS": attempts})  # noqa: S102 - a script of ours


if __name__ == "__main__":
    main(*sys.argv[1:])
