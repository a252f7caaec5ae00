"""Sizes as Markdown for a review comment: what is wrong and what changed first, the rest folded."""

from collections.abc import Iterable, Sequence

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import budgets, overlaps, tables, units
from automation.sizing.changes import Change, Comparison, Status
from automation.sizing.model import Artifact, Sizes, alike


def render(sizes: Sizes, comparison: Comparison | None = None) -> str:
    """The whole comment."""
    blocks = [f"### Size\n\n{escaped(tables.deployment(sizes, comparison))}"]
    blocks += _findings(sizes, comparison)
    blocks += _changes(comparison) if comparison else []
    blocks += [_folded("Functions", _functions(sizes, comparison))] if sizes.functions else []
    blocks += [_folded("Layers", _layers(sizes, comparison))] if sizes.layers else []
    blocks += [_folded("What they are made of", _composition(sizes))]
    notes = [*(comparison.notes if comparison else ()), *overlaps.notes(sizes)]
    blocks += [_folded("Notes", "\n".join(f"- {escaped(note)}" for note in notes))] if notes else []
    return "\n\n".join(blocks)


def escaped(text: str) -> str:
    """Text that Markdown neither ends a table cell with nor takes for HTML or emphasis."""
    for sign in ("\\", "|", "*", "_", "`", "<", "["):
        text = text.replace(sign, "&lt;" if sign == "<" else f"\\{sign}")
    return " ".join(text.split())


def _findings(sizes: Sizes, comparison: Comparison | None) -> list[str]:
    over = [
        f"- **{escaped(one.where)}**: {escaped(one.what)}. To mend it: {escaped(one.mend)}."
        for one in budgets.exceeded(sizes, comparison)
    ]
    near = [f"- {escaped(one.where)}: {escaped(one.what)}" for one in budgets.near(sizes)]
    blocks = ["\n".join([f"**Exceeded: {len(over)}**", "", *over])] if over else []
    return [*blocks, *(["\n".join([f"Over {budgets.NEAR_TEXT} used: {len(near)}", "", *near])] if near else [])]


def _changes(comparison: Comparison) -> list[str]:
    """Functions, then layers, then distributions; a function of which only the layers changed is told with them."""
    changed = comparison.changed
    if not changed:
        return [f"Nothing has changed since {escaped(comparison.label)}."]
    rows = [_change(one) for one in changed]
    table = _table((f"changed since {comparison.label}", "own", "with layers", "zipped", "of 262 MB"), rows)
    parts = [
        (one.logical_id, part.name, part.versions, units.signed(part.bytes)) for one in changed for part in one.parts
    ]
    return [table, *([_table(("in", "distribution", "version", "change"), parts, right=(3,))] if parts else [])]


def _change(one: Change) -> Sequence[str]:
    status = f" ({one.status})" if one.status in (Status.NEW, Status.REMOVED) else ""
    used = units.percent(one.after.effective_bytes, LAMBDA_LIMIT_BYTES) if one.after else "-"
    counts = (units.signed(count) for count in (one.bytes, one.effective_bytes, one.zipped_bytes))
    return (f"{one.logical_id}{status}", *counts, used)


def _functions(sizes: Sizes, comparison: Comparison | None) -> str:
    rows = [
        (
            f"{_mark(one.own, sizes)}{sizes.label(one.own)}",
            units.text(one.own.bytes),
            units.text(one.own.budget_bytes),
            " + ".join(f"{layer.logical_id} {units.text(layer.bytes)}" for layer in one.layers) or "-",
            units.text(one.effective_bytes),
            units.text(one.zipped_bytes),
            units.percent(one.effective_bytes, LAMBDA_LIMIT_BYTES),
            *_told(comparison, one.own, effective=True),
        )
        for one in sizes.functions
    ]
    change = ("change",) if comparison else ()
    return _table(("function", "own", "budget", "layers", "unzipped", "zipped", "of 262 MB", *change), rows)


def _layers(sizes: Sizes, comparison: Comparison | None) -> str:
    rows = [
        (
            f"{_mark(one, sizes)}{sizes.label(one)}",
            units.text(one.bytes),
            units.text(one.zipped_bytes),
            units.text(one.budget_bytes),
            units.percent(one.bytes, one.budget_bytes),
            *_told(comparison, one),
        )
        for one in sizes.layers
    ]
    return _table(("layer", "unzipped", "zipped", "budget", "used", *(("change",) if comparison else ())), rows)


def _composition(sizes: Sizes) -> str:
    rows = []
    for group in alike(sizes.artifacts):
        shown, folded = group[0].parts[: tables.SHOWN], group[0].parts[tables.SHOWN :]
        told = [f"{part.label} {units.text(part.bytes)}" for part in shown]
        told += [f"{tables.tail(folded)}, {units.text(sum(part.bytes for part in folded))}"] if folded else []
        rows.append((", ".join(sizes.label(one) for one in group), units.text(group[0].bytes), ", ".join(told)))
    return _table(("artifact", "unzipped", "made of"), rows, right=(1,))


def _mark(artifact: Artifact, sizes: Sizes) -> str:
    severity = budgets.severity(artifact, sizes)
    return f"({severity}) " if severity else ""


def _told(comparison: Comparison | None, one: Artifact, *, effective: bool = False) -> tuple[str, ...]:
    change = comparison.of(one) if comparison else None
    if change is None:
        return ("",) if comparison else ()
    return (change.told(change.effective_bytes if effective else change.bytes),)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] | None = None) -> str:
    """Numbers stand right: every column but the first, unless told otherwise."""
    flush = range(1, len(columns)) if right is None else right
    rules = ("---:" if number in flush else "---" for number in range(len(columns)))
    lines = [_row(columns), f"|{'|'.join(rules)}|", *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
