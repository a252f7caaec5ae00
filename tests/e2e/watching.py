"""`inv watch` as a process, and the questions that show which code runs."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Sandbox

_DEADLINE_S = 120.0  # of a machine that does much else
_STARTED = "Ctrl-C ends it"


@dataclass
class Watching:
    """A running `inv watch`; `lines` are what it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def wait_for(self, text: str, *, since: int = 0) -> str:
        """Return the first line that contains a text.

        Args:
            since: the number of lines to pass over.
        """

        def printed() -> list[str]:
            return [line for line in self.lines[since:] if text in line]

        wait_until(lambda: bool(printed()), or_ended=self.process)
        assert printed(), f"never printed {text!r}:\n{''.join(self.lines)}"
        return printed()[0]

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def watching(root: Path, *words: str, variables: Mapping[str, str] | None = None) -> Iterator[Watching]:
    """Run `inv watch --env local` in a folder and wait until it watches; Ctrl-C ends it after the block."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "invoke", "watch", "--env", "local", *words],
        cwd=root,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = Watching(process)
    reader = threading.Thread(target=_read, args=(watch,), daemon=True)
    reader.start()
    try:
        watch.wait_for(_STARTED)
        yield watch
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=_DEADLINE_S)
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


def _read(watch: Watching) -> None:
    for line in watch.process.stdout or ():
        watch.lines.append(line)


def wait_until(is_so: Callable[[], bool], *, or_ended: "subprocess.Popen[str] | None" = None) -> None:
    """Look again and again until something is so, a process has ended, or the deadline has passed."""
    deadline = time.monotonic() + _DEADLINE_S
    while not is_so() and time.monotonic() < deadline:
        if or_ended is not None and or_ended.poll() is not None:
            return
        time.sleep(0.01)


def module_of(sandbox: "Sandbox", function: str) -> str:
    """Return what a function answers as its module's name, or its error.

    Unlike Lambda, the emulator ends an invocation that runs while the code of its function is replaced.
    """
    answer = sandbox.client("lambda").invoke(FunctionName=function, Payload=b'{"health": true}')
    body = json.load(answer["Payload"])
    return str(body.get("module", body))
