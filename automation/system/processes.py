"""Start a program. The only place that starts one."""

import os
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.system.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended. With `on_line`, stderr is part of stdout."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def command(self) -> str:
        return shlex.join(self.argv)

    def tail(self, lines: int = 15) -> str:
        """The last lines of what it printed, of stderr first."""
        said = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return "\n".join(said[-lines:])


def run(
    argv: "Sequence[str | Path]",
    *,
    cwd: Path,
    env: "Mapping[str, str] | None" = None,
    on_line: "Callable[[str], None] | None" = None,
    check: bool = True,
    timeout_s: float | None = None,
) -> Finished:
    """Run a program to its end, its output captured and its input closed.

    Args:
        env: the whole environment of the program; None hands on our own.
        on_line: is called with each line as it comes, stderr's among them.
        check: a non-zero exit is an error.
        timeout_s: the program is killed after so many seconds.

    Raises:
        ToolError: the program is absent, took too long or, when checked, failed.
    """
    words = tuple(str(word) for word in argv)
    started = time.monotonic()
    try:
        exit_code, out, err = _follow(words, cwd, env, on_line) if on_line else _capture(words, cwd, env, timeout_s)
    except FileNotFoundError as cause:
        raise ToolError(_absent(words[0], cwd), where=shlex.join(words[:2])) from cause
    except PermissionError as cause:
        raise ToolError(f"{words[0]} may not be run: {cause.strerror}", where=shlex.join(words[:2])) from cause
    except subprocess.TimeoutExpired as cause:
        raise ToolError(f"took longer than {timeout_s:g} s and was stopped", where=shlex.join(words)) from cause
    finished = Finished(words, exit_code, out, err, time.monotonic() - started)
    if check and exit_code:
        raise ToolError(f"failed with exit code {exit_code}\n{finished.tail()}", where=finished.command)
    return finished


def environment(
    changes: "Mapping[str, str] | None" = None, *, path_first: "Sequence[Path]" = (), without: "Sequence[str]" = ()
) -> dict[str, str]:
    """Our environment for `run`, with variables set and taken away, and folders put first on PATH."""
    made = {name: value for name, value in os.environ.items() if name not in without} | dict(changes or {})
    made["PATH"] = os.pathsep.join([*(str(folder) for folder in path_first), made.get("PATH", os.defpath)])
    return made


def _absent(program: str, cwd: Path) -> str:
    if not cwd.is_dir():
        return f"the folder {cwd} does not exist"
    return f"{program} was not found; install it, or make the development environment again (README.md)"


def _capture(
    words: tuple[str, ...], cwd: Path, env: "Mapping[str, str] | None", timeout_s: float | None
) -> tuple[int, str, str]:
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _follow(
    words: tuple[str, ...], cwd: Path, env: "Mapping[str, str] | None", on_line: "Callable[[str], None]"
) -> tuple[int, str, str]:
    lines = []
    with subprocess.Popen(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        try:
            for line in child.stdout or ():
                lines.append(line)
                on_line(line.rstrip("\n"))
        except BaseException:
            child.terminate()
            raise
    return child.returncode, "".join(lines), ""
