"""Time whole processes, two of them in turns, because machines are noisy: what is told is the ratio of medians."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    Attributes:
        measured: the figure with its unit, as it is printed.
        target: what it should be.
    """

    name: str
    measured: str
    target: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One of two commands: what is done before each run and not timed, and what is timed."""

    prepare: Callable[[], None]
    run: Callable[[], None]


def in_turns(ours: Side, theirs: Side, *, times: int) -> tuple[list[float], list[float]]:
    """Seconds of each run of either side, which take turns."""
    measured: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for side, seconds in zip((ours, theirs), measured, strict=True):
            seconds.append(once(side))
    return measured


def once(side: Side) -> float:
    """Seconds of one run."""
    side.prepare()
    started = time.perf_counter()
    side.run()
    return time.perf_counter() - started


def command(argv: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a program to its end, and give what it printed.

    Raises:
        RuntimeError: it failed; a benchmark of a failure would be worth nothing.
    """
    env = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    words = [str(word) for word in argv]
    done = subprocess.run(words, cwd=cwd, env={**env, **(variables or {})}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def compare(name: str, ours: Sequence[float], theirs: Sequence[float], *, at_least: float) -> Result:
    """Hold the ratio of the medians against a target."""
    left, right = statistics.median(ours), statistics.median(theirs)
    told = f"{left:.2f} s against {right:.2f} s: {right / left:.1f} times faster (n = {len(ours)})"
    return Result(name, told, f"at least {at_least:g} times faster", right / left >= at_least)


def under(name: str, seconds: Sequence[float], *, limit_s: float) -> Result:
    """Hold a median against a number of seconds."""
    median = statistics.median(seconds)
    told = f"{median:.2f} s (fastest {min(seconds):.2f}, slowest {max(seconds):.2f}, n = {len(seconds)})"
    return Result(name, told, f"under {limit_s:g} s", median < limit_s)
