"""Sizes as text: functions over their layers, layers, what layers are made of, notes."""

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import budgets, overlaps, units
from automation.sizing.changes import Change, Comparison, Status
from automation.sizing.model import Artifact, FunctionSize, Kind, Part, Sizes, alike
from automation.system import console

SHOWN = 6
_STYLES = {"over": "red", "near": "yellow", "": ""}


def show(sizes: Sizes, comparison: Comparison | None = None) -> None:
    """Print all of it; red is over a limit, yellow near one."""
    if sizes.functions:
        _functions(sizes, comparison)
    if sizes.layers:
        _layers(sizes, comparison)
    _composition(sizes)
    if comparison:
        _changes(comparison)
    console.result(deployment(sizes, comparison))
    for note in (*(comparison.notes if comparison else ()), *overlaps.notes(sizes)):
        console.result(f"note: {note}", style="dim")


def deployment(sizes: Sizes, comparison: Comparison | None = None) -> str:
    """The whole deployment in one line."""
    totals = sizes.totals
    distinct = "" if totals.unique == totals.artifacts else f", {totals.unique} of them distinct"
    told = f"{units.plural(totals.artifacts, 'artifact')}{distinct}: {units.text(totals.zipped_bytes)} zipped, "
    told += f"{units.text(totals.bytes)} unzipped"
    if comparison is None:
        return told
    zipped = units.signed(comparison.after.zipped_bytes - comparison.before.zipped_bytes)
    unzipped = units.signed(comparison.after.bytes - comparison.before.bytes)
    return f"{told}; against {comparison.label}: {zipped} zipped, {unzipped} unzipped"


def tail(parts: tuple[Part, ...]) -> str:
    """What is folded: `and 9 smaller`."""
    return f"and {len(parts)} smaller"


def _functions(sizes: Sizes, comparison: Comparison | None) -> None:
    columns = ["function", "own", "budget", "used", "unzipped", "zipped", "of 262 MB", "left"]
    columns += ["change"] if comparison else []
    rows: list[list[str]] = []
    styles: dict[int, str] = {}
    for one in sizes.functions:
        styles[len(rows)] = _STYLES[budgets.severity(one.own, sizes)]
        rows.append([*_function_row(one, sizes), *_told(comparison, one.own, effective=True)])
        for layer in one.layers:
            styles[len(rows)] = "dim"
            blank = [""] * 3
            row = [f"  {layer.logical_id}", *blank, units.text(layer.bytes), units.text(layer.zipped_bytes), "", ""]
            rows.append([*row, *([""] if comparison else [])])
    console.table(columns, rows, right=columns[1:], styles=styles)
    console.result()


def _function_row(one: FunctionSize, sizes: Sizes) -> list[str]:
    return [
        sizes.label(one.own),
        units.text(one.own.bytes),
        units.text(one.own.budget_bytes),
        units.percent(one.own.bytes, one.own.budget_bytes),
        units.text(one.effective_bytes),
        units.text(one.zipped_bytes),
        units.percent(one.effective_bytes, LAMBDA_LIMIT_BYTES),
        units.text(LAMBDA_LIMIT_BYTES - one.effective_bytes),
    ]


def _layers(sizes: Sizes, comparison: Comparison | None) -> None:
    columns = ["layer", "unzipped", "zipped", "budget", "used", "left", *(["change"] if comparison else [])]
    rows = [[*_layer_row(one, sizes), *_told(comparison, one)] for one in sizes.layers]
    styles = {number: _STYLES[budgets.severity(one, sizes)] for number, one in enumerate(sizes.layers)}
    console.table(columns, rows, right=columns[1:], styles=styles)
    console.result()


def _layer_row(one: Artifact, sizes: Sizes) -> list[str]:
    return [
        sizes.label(one),
        units.text(one.bytes),
        units.text(one.zipped_bytes),
        units.text(one.budget_bytes),
        units.percent(one.bytes, one.budget_bytes),
        units.text(None if one.budget_bytes is None else one.budget_bytes - one.bytes),
    ]


def _told(comparison: Comparison | None, one: Artifact, *, effective: bool = False) -> list[str]:
    if comparison is None:
        return []
    change = comparison.of(one)
    return [change.told(change.effective_bytes if effective else change.bytes) if change else ""]


def _composition(sizes: Sizes) -> None:
    """Of each content once; a function's own tree only where distributions lie in it."""
    rows: list[list[str]] = []
    for group in alike(sizes.artifacts):
        if group[0].kind is Kind.LAYER or any(part.is_distribution for part in group[0].parts):
            names = ", ".join(sizes.label(one) for one in group)
            rows += [[names, "", "", "", ""]] if rows == [] else [[""] * 5, [names, "", "", "", ""]]
            rows += _parts(group[0])
    if rows:
        bold = {number: "bold" for number, row in enumerate(rows) if row[0] and not row[0].startswith(" ")}
        columns = ("made of", "version", "unzipped", "bytecode", "share")
        console.table(columns, rows, right=columns[2:], styles=bold)
        console.result()


def _parts(artifact: Artifact) -> list[list[str]]:
    shown, folded = artifact.parts[:SHOWN], artifact.parts[SHOWN:]
    rows = [_part(f"  {one.name}", one.version, (one,), artifact.bytes) for one in shown]
    return [*rows, _part(f"  {tail(folded)}", "", folded, artifact.bytes)] if folded else rows


def _part(name: str, version: str, parts: tuple[Part, ...], whole: int) -> list[str]:
    count = sum(one.bytes for one in parts)
    bytecode = units.text(sum(one.bytecode_bytes for one in parts))
    return [name, version, units.text(count), bytecode, units.percent(count, whole or 1)]


def _changes(comparison: Comparison) -> None:
    """What changed since the baseline, distribution by distribution."""
    rows: list[list[str]] = []
    for one in comparison.changed:
        counts = (one.bytes, one.effective_bytes, one.zipped_bytes)
        rows.append([f"{one.logical_id} ({one.stack})", _status(one), *(units.signed(count) for count in counts)])
        rows += [[f"  {part.name}", part.versions, units.signed(part.bytes), "", ""] for part in one.parts]
    if not rows:
        console.result(f"nothing has changed since {comparison.label}")
        return
    columns = (f"changed since {comparison.label}", "version", "own", "with layers", "zipped")
    bold = {number: "bold" for number, row in enumerate(rows) if not row[0].startswith(" ")}
    console.table(columns, rows, right=columns[2:], styles=bold)
    console.result()


def _status(one: Change) -> str:
    return one.status.value if one.status in (Status.NEW, Status.REMOVED) else ""
