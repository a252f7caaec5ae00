"""Do what the managed runtime does before it imports a handler, then run a script. Imports nothing of `automation`.

Arguments: the JSON that `runtime.run` writes, the script to run, and that script's arguments. The global `ATTEMPTS` of
the script lists what was refused: `write` because Lambda's file system is read-only, `network` because nothing may
leave this machine.
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

TYPE_CHECKING = False  # the runtime does not import typing either
if TYPE_CHECKING:
    from typing import Any

# Lambda's runtime client has imported these already, so a handler's module of the same name is never used. This script
# imports as little as possible beyond them, because each import would hide a module of that name.
PRELOADED = (decimal, logging, time, traceback)

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset({"os.mkdir", "os.remove", "os.rename", "os.rmdir"})
_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"})


class Guard:
    """An audit hook that refuses the network, and every write outside the temporary folders."""

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
    """Put `folders` before the standard library on sys.path, and read the .pth files of `sites`."""
    site.setquit()
    sys.path[:] = [*folders, *sys.path]
    for folder in sites:
        if os.path.isdir(folder):  # noqa: PTH112 - the runtime does not import pathlib
            site.addsitedir(folder)


def main(spec: str, script: str, *arguments: str) -> None:
    """Arrange sys.path as the runtime does, then run the script under the guard."""
    folders = json.loads(spec)
    attempts: list[str] = []
    prepare(folders["path"], folders["sites"])
    sys.argv = [script, *arguments]

    with open(script, "rb") as file:  # noqa: PTH123 - the runtime does not import pathlib
        code = compile(file.read(), script, "exec")
    # Last: a hook cannot be removed, and it would refuse what the lines above do.
    sys.addaudithook(Guard(folders["read_only"], folders["writable"], attempts))
    exec(code, {"__name__": "__main__", "__file__": script, "ATTEMPTS": attempts})  # noqa: S102 - a script of ours


if __name__ == "__main__":
    main(*sys.argv[1:])
