"""A shell in a pseudo-terminal, as a person has it: it runs a guide's lines and answers what the commands ask."""

import codecs
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PROMPT = "exit-code="
_END = re.compile(_PROMPT + r"(\d+)>$")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_CHUNK_BYTES = 65536
# A hidden prompt reads the controlling terminal, so the shell's standard input has to become that first.
_START = (
    "import fcntl, os, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp('bash', ['bash', '--norc', '--noprofile', '--noediting'])"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """The exit code of a line, and what it printed without control characters."""

    code: int
    text: str


@dataclass(slots=True)
class Shell:
    """A running bash. Variables and the folder stay from line to line.

    Attributes:
        answers: what a person types, by the text that a question contains.
        timeout_s: how long a line may print nothing.
        asked: the answered questions so far.
    """

    _terminal: int
    answers: Mapping[str, str]
    timeout_s: float = 200
    asked: list[str] = field(default_factory=list)
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def run(self, line: str) -> Ran:
        """Run a line, answering its questions, and wait until it ends.

        Raises:
            TimeoutError: nothing is printed for too long, such as by a question without an answer.
        """
        self._type(line)
        text = self._read()
        while not (end := _END.search(text)):
            text += self._answer(text) or self._read()
        return Ran(int(end[1]), text[: end.start()])

    def _answer(self, text: str) -> str:
        """Answer the question at the end of the output, and return the end of its line; empty without a question."""
        question = text.rpartition("\n")[2]
        for part, answer in self.answers.items():
            if part in question:
                self.asked.append(part)
                self._type(answer)
                return "\n"
        return ""

    def _type(self, text: str) -> None:
        os.write(self._terminal, f"{text}\n".encode())

    def _read(self) -> str:
        if not select.select([self._terminal], [], [], self.timeout_s)[0]:
            raise TimeoutError(f"nothing was printed for {self.timeout_s} s")
        return _CONTROL.sub("", self._decoder.decode(os.read(self._terminal, _CHUNK_BYTES)))


@contextmanager
def open_shell(folder: Path, variables: Mapping[str, str], answers: Mapping[str, str]) -> Iterator[Shell]:
    """Start a bash in a folder with exactly these environment variables; end it with the context."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _START],
        cwd=folder,
        env=dict(variables),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    shell = Shell(terminal, answers)
    try:
        shell.run(f"stty -echo cols 250 rows 50; PS2=; PS1='{_PROMPT}$?>'")
        yield shell
    finally:
        process.send_signal(signal.SIGHUP)
        process.wait(timeout=10)
        os.close(terminal)
