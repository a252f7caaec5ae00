"""Start programs. The only module that does."""

import math
import os
import shlex
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.system.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended. If `on_line` was given, stderr is part of stdout."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def command(self) -> str:
        return shlex.join(self.argv)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of stderr; of stdout when stderr is empty."""
        output = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return "\n".join(output[-lines:])


def run(
    argv: "Sequence[str | Path]",
    *,
    cwd: Path,
    env: "Mapping[str, str] | None" = None,
    on_line: "Callable[[str], None] | None" = None,
    on_wait: "Callable[[int], None] | None" = None,
    check: bool = True,
    timeout_s: float | None = None,
) -> Finished:
    """Run a program to its end, its output captured and its input closed.

    Args:
        env: the complete environment of the program; None passes on our own.
        on_line: called with each line of stdout and stderr as it arrives.
        on_wait: called a few times a second with the process id, while the program runs; not with `on_line`.
        check: raise for a non-zero exit code.
        timeout_s: kill the program after this many seconds; not with `on_line`.

    Raises:
        ToolError: the program is missing, may not be run, took too long or, when checked, failed.
    """
    words = tuple(str(word) for word in argv)
    started = time.monotonic()
    try:
        if on_line:
            exit_code, out, err = _follow(words, cwd, env, on_line)
        elif on_wait:
            exit_code, out, err = _watch(words, cwd, env, timeout_s, on_wait)
        else:
            exit_code, out, err = _capture(words, cwd, env, timeout_s)
    except FileNotFoundError as cause:
        raise ToolError(_missing(words[0], cwd), where=shlex.join(words[:2])) from cause
    except PermissionError as cause:
        raise ToolError(f"{words[0]} cannot be run: {cause.strerror}", where=shlex.join(words[:2])) from cause
    except subprocess.TimeoutExpired as cause:
        raise ToolError(f"took longer than {timeout_s:g} s and was stopped", where=shlex.join(words)) from cause
    finished = Finished(words, exit_code, out, err, time.monotonic() - started)
    if check and exit_code:
        raise ToolError(f"failed with exit code {exit_code}\n{finished.tail()}", where=finished.command)
    return finished


@contextmanager
def started(
    argv: "Sequence[str | Path]", *, cwd: Path, env: "Mapping[str, str]"
) -> "Iterator[Callable[[str, float], Finished]]":
    """Start a program that waits for its input while the block goes on; it is killed if it still runs at the end.

    What is yielded sends the input, closes it, waits for the end, and returns a Finished of any exit code; it raises
    ToolError when that takes longer than the given seconds.
    """
    words, began = tuple(str(word) for word in argv), time.monotonic()
    with _started(words, cwd, env, stdin=subprocess.PIPE) as child:

        def finish(text: str, timeout_s: float) -> Finished:
            try:
                out, err = child.communicate(text, timeout=timeout_s)
            except subprocess.TimeoutExpired as cause:
                raise ToolError(f"took longer than {timeout_s:g} s and was stopped", where=shlex.join(words)) from cause
            return Finished(words, child.returncode, out, err, time.monotonic() - began)

        try:
            yield finish
        finally:
            child.kill()


def environment(
    changes: "Mapping[str, str] | None" = None, *, path_first: "Sequence[Path]" = (), without: "Sequence[str]" = ()
) -> dict[str, str]:
    """Return our environment for `run`, with variables set and removed, and folders put first on PATH."""
    variables = {name: value for name, value in os.environ.items() if name not in without} | dict(changes or {})
    variables["PATH"] = os.pathsep.join([*(str(folder) for folder in path_first), variables.get("PATH", os.defpath)])
    return variables


def _missing(program: str, cwd: Path) -> str:
    if not cwd.is_dir():
        return f"the folder {cwd} does not exist"
    return f"{program} was not found; install it, and put its folder on PATH"


def _capture(
    words: tuple[str, ...], cwd: Path, env: "Mapping[str, str] | None", timeout_s: float | None
) -> tuple[int, str, str]:
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _started(
    words: tuple[str, ...],
    cwd: Path,
    env: "Mapping[str, str] | None",
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words,
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
    )


def _watch(
    words: tuple[str, ...],
    cwd: Path,
    env: "Mapping[str, str] | None",
    timeout_s: float | None,
    on_wait: "Callable[[int], None]",
) -> tuple[int, str, str]:
    deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
    with _started(words, cwd, env) as child:
        try:
            while True:
                try:
                    out, err = child.communicate(timeout=_TICK_S)
                except subprocess.TimeoutExpired:
                    if time.monotonic() > deadline:
                        raise
                    on_wait(child.pid)
                else:
                    return child.returncode, out, err
        except BaseException:
            child.kill()
            raise


def _follow(
    words: tuple[str, ...], cwd: Path, env: "Mapping[str, str] | None", on_line: "Callable[[str], None]"
) -> tuple[int, str, str]:
    lines = []
    with _started(words, cwd, env, stderr=subprocess.STDOUT) as child:
        try:
            for line in child.stdout or ():
                lines.append(line)
                on_line(line.rstrip("\n"))
        except BaseException:
            child.terminate()
            raise
    return child.returncode, "".join(lines), ""
