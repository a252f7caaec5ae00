"""Check the size of the whole deployment, as `inv size --json` reports it."""

import json
from collections.abc import Iterator

from benchmarks.checkout import checked_out
from benchmarks.timing import Result

_DEPLOYMENT_BYTES = 90_000_000
_FUNCTION_ZIP_BYTES = 100_000
_LIGHT_LAYER_BYTES = 3_500_000
_COLUMNS = frozenset({"numpy", "arro3-core"})


def run(*, quick: bool) -> Iterator[Result]:
    """Check all distinct zips together, the largest function's own zip, and the layer closest to its budget."""
    del quick
    with checked_out() as project:
        project.inv("build")
        sizes = json.loads(project.inv("size", "--json"))

    zipped = sizes["deployment"]["zipped_bytes"]
    measured = f"{zipped / 1e6:.1f} MB with bytecode"
    yield Result("whole deployment, zipped", measured, "at most 90 MB", zipped <= _DEPLOYMENT_BYTES)

    largest = max(sizes["functions"], key=lambda function: function["own_zipped_bytes"])
    measured = f"{largest['own_zipped_bytes'] / 1000:.1f} kB ({largest['name']})"
    is_small = largest["own_zipped_bytes"] < _FUNCTION_ZIP_BYTES
    yield Result("the largest function's own zip", measured, "under 100 kB", is_small)

    light = [layer for layer in sizes["layers"] if not _COLUMNS & {part["name"] for part in layer["parts"]}]
    heaviest = max(light, key=lambda layer: layer["zipped_bytes"])
    measured = f"{heaviest['zipped_bytes'] / 1e6:.1f} MB ({heaviest['name']})"
    is_light = heaviest["zipped_bytes"] <= _LIGHT_LAYER_BYTES
    yield Result("the heaviest layer without numpy or parquet", measured, "at most 3.5 MB", is_light)

    fullest = max(sizes["layers"], key=lambda layer: layer["bytes"] / layer["budget_bytes"])
    share = fullest["bytes"] / fullest["budget_bytes"]
    yield Result("the layer nearest its budget", f"{share:.0%} ({fullest['name']})", "at most 100%", share <= 1)
