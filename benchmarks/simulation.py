"""Measure how many histories the simulator of the trading system tries per minute, on one core."""

import sys
from collections.abc import Iterator

from benchmarks.checkout import ROOT
from benchmarks.timing import Result, Side, run_command, time_once

_HISTORIES, _QUICK_HISTORIES = 2_000, 200
_PER_MINUTE = 1_000


def run(*, quick: bool) -> Iterator[Result]:
    """Check the rate of one process, from its start to its report."""
    histories = _QUICK_HISTORIES if quick else _HISTORIES
    # From seed 5,000 on, so that the figure does not depend on the seeds that CI tries.
    argv = [sys.executable, "-m", "tests.simulation", "--from", "5000", "--seeds", str(histories), "--jobs", "1"]

    def simulate() -> None:
        run_command(argv, cwd=ROOT)

    minutes = time_once(Side(lambda: None, simulate)) / 60
    rate = histories / minutes
    yield Result("simulated histories, one core", f"{rate:,.0f} per minute", "at least 1,000", rate >= _PER_MINUTE)
