"""Run benchmarks: `python -m benchmarks [builds] [imports] [weights] [growth] [deployments] [symphonies] [simulation]
[trading-day] [--quick]`.

The exit code is 3 when a target is missed.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from automation.system import console
from benchmarks import builds, deployments, growth, imports, simulation, symphonies, trading_day, weights

if TYPE_CHECKING:
    from benchmarks.timing import Result

_ALL = {
    "builds": builds.run,
    "imports": imports.run,
    "weights": weights.run,
    "growth": growth.run,
    "deployments": deployments.run,
    "symphonies": symphonies.run,
    "simulation": simulation.run,
    "trading-day": trading_day.run,
}


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

    with console.progress("measuring") as show_progress:
        results: list[Result] = []
        for name in options.names or _ALL:
            show_progress(name)
            results += _ALL[name](quick=options.quick)

    rows = [(result.name, result.measured, result.target, "met" if result.is_met else "missed") for result in results]
    console.table(("what", "measured", "target", ""), rows)
    return 0 if all(result.is_met for result in results) else 3


if __name__ == "__main__":
    sys.exit(main())
