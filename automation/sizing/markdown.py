"""Render sizes as Markdown for a review comment: findings and changes first, everything else folded."""

from collections.abc import Iterable, Sequence

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import budgets, overlaps, tables, units
from automation.sizing.changes import SizeChange, SizeComparison
from automation.sizing.model import ArtifactSize, Sizes, group_by_content
from automation.system import markdown
from automation.system.markdown import escape


def render(sizes: Sizes, comparison: SizeComparison | None = None) -> str:
    """Render the whole comment."""
    blocks = [f"### Size\n\n{escape(tables.deployment_summary(sizes, comparison))}"]
    blocks += _findings(sizes, comparison)
    blocks += _changes(comparison) if comparison else []
    blocks += [markdown.folded("Functions", _functions(sizes, comparison))] if sizes.functions else []
    blocks += [markdown.folded("Layers", _layers(sizes, comparison))] if sizes.layers else []
    blocks += [markdown.folded("Composition", _composition(sizes))]

    notes = [*(comparison.notes if comparison else ()), *overlaps.notes(sizes)]
    blocks += [markdown.folded("Notes", "\n".join(f"- {escape(note)}" for note in notes))] if notes else []
    return "\n\n".join(blocks)


def _findings(sizes: Sizes, comparison: SizeComparison | None) -> list[str]:
    over = [
        f"- **{escape(finding.where)}**: {escape(finding.what)}. To fix it: {escape(finding.fix)}."
        for finding in budgets.exceeded(sizes, comparison)
    ]
    near = [f"- {escape(finding.where)}: {escape(finding.what)}" for finding in budgets.nearly_exceeded(sizes)]

    blocks = []
    if over:
        blocks.append("\n".join([f"**Exceeded: {len(over)}**", "", *over]))
    if near:
        blocks.append("\n".join([f"Over {budgets.NEAR_PERCENT} used: {len(near)}", "", *near]))
    return blocks


def _changes(comparison: SizeComparison) -> list[str]:
    """Render functions, layers, then distributions; a function whose layers changed is a change too."""
    changed = comparison.changed
    if not changed:
        return [f"No changes since {escape(comparison.label)}."]

    table = _table(
        (f"changed since {comparison.label}", "own", "with layers", "zipped", "of 262 MB"),
        [_change(change) for change in changed],
    )
    parts: list[tuple[str, ...]] = []
    for change in changed:
        parts += [
            (change.logical_id, part.name, part.versions, units.format_change(part.bytes)) for part in change.parts
        ]
    return [table, *([markdown.table(("in", "distribution", "version", "change"), parts, right=(3,))] if parts else [])]


def _change(change: SizeChange) -> Sequence[str]:
    status = f" ({change.new_or_removed})" if change.new_or_removed else ""
    used = units.format_percent(change.after.effective_bytes, LAMBDA_LIMIT_BYTES) if change.after else "-"
    counts = (change.bytes, change.effective_bytes, change.zipped_bytes)
    return (f"{change.logical_id}{status}", *map(units.format_change, counts), used)


def _functions(sizes: Sizes, comparison: SizeComparison | None) -> str:
    rows = []

    for function in sizes.functions:
        layers = [f"{layer.logical_id} {units.format_bytes(layer.bytes)}" for layer in function.layers]
        rows.append(
            (
                f"{_mark(function.own, sizes)}{sizes.label(function.own)}",
                units.format_bytes(function.own.bytes),
                units.format_bytes(function.own.budget_bytes),
                " + ".join(layers) or "-",
                units.format_bytes(function.effective_bytes),
                units.format_bytes(function.zipped_bytes),
                units.format_percent(function.effective_bytes, LAMBDA_LIMIT_BYTES),
                *([comparison.change_text(function.own)] if comparison else []),
            )
        )

    change = ("change",) if comparison else ()
    return _table(("function", "own", "budget", "layers", "unzipped", "zipped", "of 262 MB", *change), rows)


def _layers(sizes: Sizes, comparison: SizeComparison | None) -> str:
    rows = [
        (
            f"{_mark(layer, sizes)}{sizes.label(layer)}",
            units.format_bytes(layer.bytes),
            units.format_bytes(layer.zipped_bytes),
            units.format_bytes(layer.budget_bytes),
            units.format_percent(layer.bytes, layer.budget_bytes),
            *([comparison.change_text(layer)] if comparison else []),
        )
        for layer in sizes.layers
    ]
    return _table(("layer", "unzipped", "zipped", "budget", "used", *(("change",) if comparison else ())), rows)


def _composition(sizes: Sizes) -> str:
    rows = []
    for group in group_by_content(sizes.artifacts):
        shown, folded = group[0].parts[: tables.SHOWN_PARTS], group[0].parts[tables.SHOWN_PARTS :]
        parts = [f"{part.label} {units.format_bytes(part.bytes)}" for part in shown]
        if folded:
            parts.append(f"{tables.folded_label(folded)}, {units.format_bytes(sum(part.bytes for part in folded))}")
        rows.append((sizes.labels(group), units.format_bytes(group[0].bytes), ", ".join(parts)))
    return markdown.table(("artifact", "unzipped", "distributions"), rows, right=(1,))


def _mark(artifact: ArtifactSize, sizes: Sizes) -> str:
    severity = budgets.severity(artifact, sizes)
    return f"({severity}) " if severity else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a table whose columns are right-aligned, except the first."""
    return markdown.table(columns, rows, right=range(1, len(columns)))
