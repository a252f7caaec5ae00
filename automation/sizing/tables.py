"""Print sizes as tables: functions with their layers, layers, the distributions in them, changes, notes."""

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import budgets, overlaps, units
from automation.sizing.changes import SizeComparison
from automation.sizing.model import ArtifactKind, ArtifactSize, FunctionSize, Part, Sizes, group_by_content
from automation.system import console

SHOWN_PARTS = 6
_STYLES = {"over": "red", "near": "yellow", "": ""}


def show(sizes: Sizes, comparison: SizeComparison | None = None) -> None:
    """Print every table; red rows are over a limit, yellow rows near one."""
    if sizes.functions:
        _functions(sizes, comparison)
    if sizes.layers:
        _layers(sizes, comparison)
    _composition(sizes)
    if comparison:
        _changes(comparison)

    console.result(deployment_summary(sizes, comparison))
    for note in (*(comparison.notes if comparison else ()), *overlaps.notes(sizes)):
        console.result(f"note: {note}", style="dim")


def deployment_summary(sizes: Sizes, comparison: SizeComparison | None = None) -> str:
    """Return the size of the whole deployment in one line."""
    totals = sizes.totals
    distinct = "" if totals.unique == totals.artifacts else f", {totals.unique} of them distinct"
    summary = f"{units.format_count(totals.artifacts, 'artifact')}{distinct}: "
    summary += f"{units.format_bytes(totals.zipped_bytes)} zipped, {units.format_bytes(totals.bytes)} unzipped"
    if comparison is None:
        return summary
    zipped = units.format_change(comparison.after.zipped_bytes - comparison.before.zipped_bytes)
    unzipped = units.format_change(comparison.after.bytes - comparison.before.bytes)
    return f"{summary}; since {comparison.label}: {zipped} zipped, {unzipped} unzipped"


def folded_label(parts: tuple[Part, ...]) -> str:
    """Return the label of the parts that are too small to list: `and 9 smaller`."""
    return f"and {len(parts)} smaller"


def _functions(sizes: Sizes, comparison: SizeComparison | None) -> None:
    columns = ["function", "own", "budget", "used", "unzipped", "zipped", "of 262 MB", "left"]
    columns += ["change"] if comparison else []
    rows: list[list[str]] = []
    styles: dict[int, str] = {}

    for function in sizes.functions:
        styles[len(rows)] = _STYLES[budgets.severity(function.own, sizes)]
        rows.append([*_function_row(function, sizes), *_change_cells(comparison, function.own)])
        for layer in function.layers:
            styles[len(rows)] = "dim"
            counts = [units.format_bytes(layer.bytes), units.format_bytes(layer.zipped_bytes)]
            rows.append([f"  {layer.logical_id}", "", "", "", *counts, "", "", *([""] if comparison else [])])

    console.table(columns, rows, right=columns[1:], styles=styles)
    console.result()


def _function_row(function: FunctionSize, sizes: Sizes) -> list[str]:
    return [
        sizes.label(function.own),
        units.format_bytes(function.own.bytes),
        units.format_bytes(function.own.budget_bytes),
        units.format_percent(function.own.bytes, function.own.budget_bytes),
        units.format_bytes(function.effective_bytes),
        units.format_bytes(function.zipped_bytes),
        units.format_percent(function.effective_bytes, LAMBDA_LIMIT_BYTES),
        units.format_bytes(LAMBDA_LIMIT_BYTES - function.effective_bytes),
    ]


def _layers(sizes: Sizes, comparison: SizeComparison | None) -> None:
    columns = ["layer", "unzipped", "zipped", "budget", "used", "left", *(["change"] if comparison else [])]
    rows = [[*_layer_row(layer, sizes), *_change_cells(comparison, layer)] for layer in sizes.layers]
    styles = {number: _STYLES[budgets.severity(layer, sizes)] for number, layer in enumerate(sizes.layers)}
    console.table(columns, rows, right=columns[1:], styles=styles)
    console.result()


def _layer_row(layer: ArtifactSize, sizes: Sizes) -> list[str]:
    return [
        sizes.label(layer),
        units.format_bytes(layer.bytes),
        units.format_bytes(layer.zipped_bytes),
        units.format_bytes(layer.budget_bytes),
        units.format_percent(layer.bytes, layer.budget_bytes),
        units.format_bytes(None if layer.budget_bytes is None else layer.budget_bytes - layer.bytes),
    ]


def _change_cells(comparison: SizeComparison | None, artifact: ArtifactSize) -> list[str]:
    return [comparison.change_text(artifact)] if comparison else []


def _composition(sizes: Sizes) -> None:
    """Print the parts of each distinct artifact; a function's own code only when it contains distributions."""
    rows: list[list[str]] = []
    for group in group_by_content(sizes.artifacts):
        if group[0].kind is ArtifactKind.LAYER or any(part.is_distribution for part in group[0].parts):
            if rows:
                rows.append([""] * 5)
            rows.append([sizes.labels(group), "", "", "", ""])
            rows += _part_rows(group[0])

    if rows:
        bold = {number: "bold" for number, row in enumerate(rows) if row[0] and not row[0].startswith(" ")}
        columns = ("distribution", "version", "unzipped", "bytecode", "share")
        console.table(columns, rows, right=columns[2:], styles=bold)
        console.result()


def _part_rows(artifact: ArtifactSize) -> list[list[str]]:
    shown, folded = artifact.parts[:SHOWN_PARTS], artifact.parts[SHOWN_PARTS:]
    rows = [_part_row(f"  {part.name}", part.version, (part,), artifact.bytes) for part in shown]
    if folded:
        rows.append(_part_row(f"  {folded_label(folded)}", "", folded, artifact.bytes))
    if artifact.pruned_bytes:
        rows.append(["  left out: tests, stubs, programs", "", units.format_change(-artifact.pruned_bytes), "", ""])
    return rows


def _part_row(name: str, version: str, parts: tuple[Part, ...], artifact_bytes: int) -> list[str]:
    count = sum(part.bytes for part in parts)
    bytecode = units.format_bytes(sum(part.bytecode_bytes for part in parts))
    return [name, version, units.format_bytes(count), bytecode, units.format_percent(count, artifact_bytes or 1)]


def _changes(comparison: SizeComparison) -> None:
    """Print what changed since the baseline, down to each distribution."""
    rows: list[list[str]] = []
    for change in comparison.changed:
        counts = (change.bytes, change.effective_bytes, change.zipped_bytes)
        name = f"{change.logical_id} ({change.stack})"
        rows.append([name, change.new_or_removed, *(units.format_change(count) for count in counts)])
        rows += [[f"  {part.name}", part.versions, units.format_change(part.bytes), "", ""] for part in change.parts]

    if not rows:
        console.result(f"no changes since {comparison.label}")
        return
    columns = (f"changed since {comparison.label}", "version", "own", "with layers", "zipped")
    bold = {number: "bold" for number, row in enumerate(rows) if not row[0].startswith(" ")}
    console.table(columns, rows, right=columns[2:], styles=bold)
    console.result()
