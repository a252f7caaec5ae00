"""Measure the built artifacts against the house budgets and against what Lambda takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation import build, console, files, project
from automation.errors import CheckFailedError, Finding
from automation.project import LAMBDA_LIMIT_BYTES, Budgets, Function, Layer, Project, Stack

_CODE_KEYS = ("CodeUri", "ContentUri", "Code", "Content")


@dataclass(frozen=True, slots=True)
class LayerSize:
    """One layer's unzipped bytes; no budget is None."""

    stack: str
    logical_id: str
    bytes: int
    budget_bytes: int | None


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """One function's unzipped bytes.

    Attributes:
        own_bytes: its own tree.
        layers: bytes of each layer of the same template that it mounts.
        unmeasured: layers from elsewhere; they count on AWS, and are not in `effective_bytes`.
    """

    stack: str
    logical_id: str
    own_bytes: int
    budget_bytes: int | None
    layers: Mapping[str, int]
    unmeasured: tuple[str, ...] = ()

    @property
    def effective_bytes(self) -> int:
        return self.own_bytes + sum(self.layers.values())


@dataclass(frozen=True, slots=True)
class Sizes:
    """What every function and layer of the project weighs."""

    functions: tuple[FunctionSize, ...]
    layers: tuple[LayerSize, ...]


def measure(project: Project) -> Sizes:
    """Weigh the artifacts as they were built.

    Raises:
        ConfigurationError: a stack was not built.
    """
    build.require_built(project)
    functions: list[FunctionSize] = []
    layers: list[LayerSize] = []
    for stack in project.stacks:
        weights = _artifact_bytes(stack, project.root)
        layers += [_layer_size(layer, weights, project.budgets) for layer in stack.layers]
        functions += [_function_size(function, stack, weights, project.budgets) for function in stack.functions]
    return Sizes(tuple(functions), tuple(layers))


def excesses(sizes: Sizes) -> tuple[Finding, ...]:
    """What is over its budget, and by how much."""
    found = [
        _excess(one.stack, one.logical_id, "the layer", one.bytes, one.budget_bytes, "drop a requirement")
        for one in sizes.layers
    ]
    for one in sizes.functions:
        found.append(_excess(one.stack, one.logical_id, "its own tree", one.own_bytes, one.budget_bytes, "move code"))
        found.append(
            _excess(
                one.stack,
                one.logical_id,
                f"function and layers ({', '.join(one.layers) or 'none'})",
                one.effective_bytes,
                LAMBDA_LIMIT_BYTES,
                "this is AWS's limit: drop a requirement, or split the function",
            )
        )
    return tuple(sorted(finding for finding in found if finding))


def as_json(sizes: Sizes) -> dict[str, Any]:
    """The sizes in bytes, for programs."""
    return {
        "limit_bytes": LAMBDA_LIMIT_BYTES,
        "functions": [
            {
                "stack": one.stack,
                "name": one.logical_id,
                "own_bytes": one.own_bytes,
                "budget_bytes": one.budget_bytes,
                "layers": dict(one.layers),
                "unmeasured_layers": list(one.unmeasured),
                "effective_bytes": one.effective_bytes,
            }
            for one in sizes.functions
        ],
        "layers": [
            {"stack": one.stack, "name": one.logical_id, "bytes": one.bytes, "budget_bytes": one.budget_bytes}
            for one in sizes.layers
        ],
        "exceeded": [f"{one.where}: {one.what}" for one in excesses(sizes)],
    }


def show_json(sizes: Sizes) -> None:
    """Print what `as_json` makes."""
    console.result_json(as_json(sizes))


def show(sizes: Sizes) -> None:
    """Print the layers' table and the functions' table."""
    over = {finding.where for finding in excesses(sizes)}
    rows = [
        (one.stack, one.logical_id, _mb(one.bytes), _mb(one.budget_bytes), _percent(one.bytes, one.budget_bytes))
        for one in sizes.layers
    ]
    marks = {n: "red" for n, one in enumerate(sizes.layers) if f"{one.stack}: {one.logical_id}" in over}
    numbers = ("MB", "budget", "used", "own MB", "layers MB", "effective MB", "of 262")
    console.table(("stack", "layer", "MB", "budget", "used"), rows, right=numbers, styles=marks)
    console.result()
    rows_of_functions = [_row(one) for one in sizes.functions]
    marks = {n: "red" for n, one in enumerate(sizes.functions) if f"{one.stack}: {one.logical_id}" in over}
    columns = ("stack", "function", "own MB", "budget", "layers MB", "effective MB", "of 262", "not measured")
    console.table(columns, rows_of_functions, right=numbers, styles=marks)


def require_within(sizes: Sizes) -> None:
    """Raises CheckFailedError when anything is over its budget."""
    found = excesses(sizes)
    if found:
        raise CheckFailedError(f"{len(found)} size budget(s) exceeded", findings=found)


def _artifact_bytes(stack: Stack, root: Path) -> dict[str, int]:
    built = build.read_built(stack, root)
    folders = {
        name: uri
        for name, resource in built.resources.items()
        for key in _CODE_KEYS
        if isinstance(uri := (resource.get("Properties") or {}).get(key), str) and "://" not in uri
    }
    return {name: files.size_bytes(root / stack.build_dir / uri) for name, uri in folders.items()}


def _layer_size(layer: Layer, weights: Mapping[str, int], budgets: Budgets) -> LayerSize:
    budget = project.budget_bytes(layer, budgets)
    return LayerSize(layer.stack, layer.logical_id, weights.get(layer.logical_id, 0), budget)


def _function_size(function: Function, stack: Stack, weights: Mapping[str, int], budgets: Budgets) -> FunctionSize:
    ours = {layer.logical_id for layer in stack.layers}
    return FunctionSize(
        stack=stack.name,
        logical_id=function.logical_id,
        own_bytes=weights.get(function.logical_id, 0),
        budget_bytes=project.budget_bytes(function, budgets),
        layers={layer: weights.get(layer, 0) for layer in function.layers if isinstance(layer, str) and layer in ours},
        unmeasured=tuple(str(layer) for layer in function.layers if layer not in ours),
    )


def _excess(stack: str, name: str, what: str, used: int, budget: int | None, mend: str) -> Finding | None:
    if budget is None or used <= budget:
        return None
    text = f"{what} is {_mb(used)} MB, over the {_mb(budget)} MB allowed by {used - budget:,} bytes"
    return Finding(f"{stack}: {name}", text, f"{mend}, or raise its BudgetMB" if budget < LAMBDA_LIMIT_BYTES else mend)


def _row(one: FunctionSize) -> tuple[str, ...]:
    return (
        one.stack,
        one.logical_id,
        _mb(one.own_bytes),
        _mb(one.budget_bytes),
        _mb(sum(one.layers.values())),
        _mb(one.effective_bytes),
        _percent(one.effective_bytes, LAMBDA_LIMIT_BYTES),
        ", ".join(one.unmeasured),
    )


def _mb(count: int | None) -> str:
    return "-" if count is None else f"{count / 1_000_000:,.2f}"


def _percent(part: int, whole: int | None) -> str:
    return "-" if whole is None else f"{100 * part / whole:.0f} %"
