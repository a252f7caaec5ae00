"""Compare cold imports of each handler: from our artifacts and from those of `sam build`, with the same locks."""

import json
from collections.abc import Iterator
from itertools import product
from statistics import median

from automation.building import built
from automation.lambda_runtime.mounts import Mount
from automation.project import model
from benchmarks.checkout import Checkout, checked_out
from benchmarks.timing import Result

_AT_LEAST = 4.0
_AT_LEAST_WITH_COLUMNS = 3.0
# Most of the import of these is the loading of compiled code, which takes the same time on both sides.
_COLUMNS = ("python/numpy", "python/arro3")


def run(*, quick: bool) -> Iterator[Result]:
    """Import the handlers of both builds in turns, and compare the medians of each function."""
    ours: dict[str, list[float]] = {}
    sams: dict[str, list[float]] = {}
    with checked_out() as our_project, checked_out() as sam_project:
        our_project.inv("build")
        sam_project.inv("build", "--engine", "sam")
        for _ in range(3 if quick else 6):
            _time_imports(our_project, ours)
            _time_imports(sam_project, sams)
        with_columns = functions_with_columns(our_project)

    for name, milliseconds in ours.items():
        fast, slow = median(milliseconds), median(sams[name])
        at_least = _AT_LEAST_WITH_COLUMNS if name in with_columns else _AT_LEAST
        measured = f"{fast:.1f} ms against {slow:.1f} ms: {slow / fast:.1f} times faster (n = {len(milliseconds)})"
        yield Result(f"cold import of {name}", measured, f"at least {at_least:g} times faster", slow / fast >= at_least)


def functions_with_columns(project: Checkout) -> frozenset[str]:
    """Return the functions whose layers contain numpy or the reader of parquet."""
    mounts = built.mounts_of_project(model.load(project.path))
    return frozenset(mount.function.logical_id for mount in mounts if _has_columns(mount))


def _has_columns(mount: Mount) -> bool:
    places = product((layer.tree for layer in mount.layers), _COLUMNS)
    return any((tree / name).is_dir() for tree, name in places)


def _time_imports(project: Checkout, milliseconds: dict[str, list[float]]) -> None:
    """Append the samples of each function to `milliseconds`."""
    for function in json.loads(project.inv("coldstart", "--json", "--runs", "5"))["functions"]:
        milliseconds.setdefault(function["name"], []).extend(function["with_bytecode"]["samples_ms"])
