"""Time whole processes. Two commands are timed in turns and compared by their medians, because machines are noisy."""

import os
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the results.

    Attributes:
        measured: the printed figure, with its unit.
        target: the printed target.
    """

    name: str
    measured: str
    target: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One of two commands to compare: `prepare` runs before each timed `run`, and is not timed."""

    prepare: Callable[[], None]
    run: Callable[[], object]


def time_in_turns(ours: Side, theirs: Side, *, times: int) -> tuple[list[float], list[float]]:
    """Run both sides in turns, and return the seconds of each run of both."""
    measured: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for side, seconds in zip((ours, theirs), measured, strict=True):
            seconds.append(time_once(side))
    return measured


def time_once(side: Side) -> float:
    """Return the seconds of one run."""
    side.prepare()
    started = time.perf_counter()
    side.run()
    return time.perf_counter() - started


def run_command(argv: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a program and return its stdout.

    Raises:
        RuntimeError: the program failed, so its time means nothing.
    """
    env = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    words = [str(word) for word in argv]
    finished = subprocess.run(
        words, cwd=cwd, env={**env, **(variables or {})}, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        raise RuntimeError(
            f"{' '.join(words)}: exit {finished.returncode}\n{finished.stdout[-2000:]}\n{finished.stderr[-2000:]}"
        )
    return finished.stdout


def set_aside(*folders: Path, into: Path) -> None:
    """Move folders away, so that a command no longer finds them; nothing is deleted between two measurements.

    For some minutes ext4 steps over each inode that was deleted, so that every program would create files more slowly.
    """
    for folder in filter(Path.exists, folders):
        into.mkdir(exist_ok=True)
        folder.rename(into / uuid.uuid4().hex)


def compare_medians(name: str, ours: Sequence[float], theirs: Sequence[float], *, at_least: float) -> Result:
    """Check that our median is `at_least` times smaller than theirs."""
    our_median, their_median = statistics.median(ours), statistics.median(theirs)
    ratio = their_median / our_median
    measured = f"{our_median:.2f} s against {their_median:.2f} s: {ratio:.1f} times faster (n = {len(ours)})"
    return Result(name, measured, f"at least {at_least:g} times faster", ratio >= at_least)


def check_ratio(name: str, ours: Sequence[float], yardstick: Sequence[float], *, of: str, at_most: float) -> Result:
    """Check that our median is at most so many times that of a yardstick, measured in the same run.

    Args:
        of: names the yardstick.
    """
    our_median, its_median = statistics.median(ours), statistics.median(yardstick)
    ratio = our_median / its_median
    measured = f"{our_median:.2f} s; {of}: {its_median:.2f} s; {ratio:.1f} times (n = {len(ours)})"
    return Result(name, measured, f"at most {at_most:g} times {of}", ratio <= at_most)


def check_limit(name: str, seconds: Sequence[float], *, limit_s: float) -> Result:
    """Check that the median is under a limit."""
    median = statistics.median(seconds)
    measured = f"{median:.2f} s (fastest {min(seconds):.2f}, slowest {max(seconds):.2f}, n = {len(seconds)})"
    return Result(name, measured, f"under {limit_s:g} s", median < limit_s)
