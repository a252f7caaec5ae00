"""`python -m benchmarks [builds] [imports] [weights] [growth] [symphonies] [--quick]`: exit 3 when one is missed."""

import argparse
import sys
from typing import TYPE_CHECKING

from automation.system import console
from benchmarks import builds, growth, imports, symphonies, weights

if TYPE_CHECKING:
    from benchmarks.timing import Result

_ALL = {
    "builds": builds.run,
    "imports": imports.run,
    "weights": weights.run,
    "growth": growth.run,
    "symphonies": symphonies.run,
}


def main() -> int:
    """Run what is named, or all, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_ALL)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(_ALL)):
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(_ALL)}")
    with console.progress("measuring") as say:
        results: list[Result] = []
        for name in options.names or _ALL:
            say(name)
            results += _ALL[name](quick=options.quick)
    rows = [(one.name, one.measured, one.target, "met" if one.is_met else "missed") for one in results]
    console.table(("what", "measured", "target", ""), rows)
    return 0 if all(one.is_met for one in results) else 3


if __name__ == "__main__":
    sys.exit(main())
