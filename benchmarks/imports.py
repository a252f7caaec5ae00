"""Cold import of each handler from our artifacts, and from `sam build`'s of the same locks."""

import json
from collections.abc import Iterator
from statistics import median

from benchmarks.checkout import checked_out
from benchmarks.timing import Result

_AT_LEAST = 2.5


def run(*, quick: bool) -> Iterator[Result]:
    """Median seconds by function, the two builds in turns."""
    ours: dict[str, list[float]] = {}
    sams: dict[str, list[float]] = {}
    with checked_out() as left, checked_out() as right:
        left.inv("build")
        right.inv("build", "--engine", "sam")
        for _ in range(1 if quick else 3):
            for project, found in ((left, ours), (right, sams)):
                for one in json.loads(project.inv("coldstart", "--json", "--runs", "5"))["functions"]:
                    found.setdefault(one["name"], []).append(one["with_bytecode"]["median_ms"])
    for name, milliseconds in ours.items():
        fast, slow = median(milliseconds), median(sams[name])
        told = f"{fast:.0f} ms against {slow:.0f} ms: {slow / fast:.1f} times faster"
        yield Result(f"cold import of {name}", told, f"at least {_AT_LEAST} times faster", slow / fast >= _AT_LEAST)
