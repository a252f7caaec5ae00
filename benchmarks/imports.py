"""Compare cold imports of each handler: from our artifacts and from those of `sam build`, with the same locks."""

import json
from collections.abc import Iterator
from statistics import median

from benchmarks.checkout import Checkout, checked_out
from benchmarks.timing import Result

_AT_LEAST = 2.5


def run(*, quick: bool) -> Iterator[Result]:
    """Import the handlers of both builds in turns, and compare the medians of each function."""
    ours: dict[str, list[float]] = {}
    sams: dict[str, list[float]] = {}
    with checked_out() as our_project, checked_out() as sam_project:
        our_project.inv("build")
        sam_project.inv("build", "--engine", "sam")
        for _ in range(1 if quick else 3):
            _time_imports(our_project, ours)
            _time_imports(sam_project, sams)

    for name, milliseconds in ours.items():
        fast, slow = median(milliseconds), median(sams[name])
        measured = f"{fast:.0f} ms against {slow:.0f} ms: {slow / fast:.1f} times faster"
        yield Result(f"cold import of {name}", measured, f"at least {_AT_LEAST} times faster", slow / fast >= _AT_LEAST)


def _time_imports(project: Checkout, milliseconds: dict[str, list[float]]) -> None:
    """Append the median of each function to `milliseconds`."""
    for function in json.loads(project.inv("coldstart", "--json", "--runs", "5"))["functions"]:
        milliseconds.setdefault(function["name"], []).append(function["with_bytecode"]["median_ms"])
