"""Run benchmarks: `python -m benchmarks [NAME...] [--quick]`; NAME is a key of `_ALL`.

The exit code is 3 when a target is missed.
"""

import argparse
import os
import platform
import sys
from typing import TYPE_CHECKING

from automation.system import console
from benchmarks import (
    backtests,
    builds,
    checks,
    data,
    deployments,
    desk,
    growth,
    imports,
    simulation,
    symphonies,
    trading_day,
    watch,
    weights,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.timing import Result

_ALL = {
    "builds": builds.run,
    "imports": imports.run,
    "weights": weights.run,
    "checks": checks.run,
    "growth": growth.run,
    "deployments": deployments.run,
    "symphonies": symphonies.run,
    "backtests": backtests.run,
    "data": data.run,
    "simulation": simulation.run,
    "trading-day": trading_day.run,
    "desk": desk.run,
    "watch": watch.run,
}

_BUSY = 1.0  # other programs than ours, on average over a minute


def main() -> int:
    """Run the named benchmarks, or all, and print their results as a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(_ALL)}; without names, all of them"
    )
    parser.add_argument("--quick", action="store_true", help="repeat each measurement less often")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(_ALL)):
        parser.error(f"unknown benchmark {unknown[0]}; choose from {', '.join(_ALL)}")

    load = _describe_machine()
    results: list[Result] = []
    try:
        with console.progress("measuring") as show_progress:
            for name in options.names or _ALL:
                show_progress(name)
                results += _ALL[name](quick=options.quick)
    finally:  # when one fails, those before it have taken minutes
        _show(results)
    console.result(load)
    return 0 if all(result.is_met for result in results) else 3


def _show(results: "Sequence[Result]") -> None:
    rows = [(result.name, result.measured, result.target, "met" if result.is_met else "missed") for result in results]
    console.table(("what", "measured", "target", ""), rows)


def _describe_machine() -> str:
    """Return what the figures depend on; warn when other programs use the machine, which makes them worthless."""
    load = os.getloadavg()[0]
    if load > _BUSY:
        console.warning(
            f"the machine is busy (load {load:.1f}), so the ratios may be wrong; measure again when it is idle"
        )
    bytecode = "forbidden" if os.environ.get("PYTHONDONTWRITEBYTECODE") else "allowed"
    versions = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    return f"{versions}; load {load:.1f} before the first measurement; bytecode {bytecode}"


if __name__ == "__main__":
    sys.exit(main())
