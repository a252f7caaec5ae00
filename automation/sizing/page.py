"""Render sizes as one self-contained HTML page: key figures, a treemap, and every number in tables."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import blocks, budgets, markup, overlaps, units
from automation.sizing.changes import SizeComparison
from automation.sizing.model import ArtifactSize, FunctionSize, Part, Sizes, group_by_content
from automation.system import files

_HERE = Path(__file__).parent


def write(sizes: Sizes, path: Path, comparison: SizeComparison | None = None) -> None:
    """Write the page atomically."""
    files.write_atomically(path, render(sizes, comparison))


def render(sizes: Sizes, comparison: SizeComparison | None = None) -> str:
    """Render the page; the same sizes give the same page."""
    style, script, frame = ((_HERE / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js", "html"))
    return Template(frame).substitute(
        style=style,
        script=script,
        figures=_figures(sizes, comparison),
        findings=_findings(sizes, comparison),
        treemap=blocks.render_boxes(blocks.treemap_nodes(sizes)),
        changes=_changes(comparison) if comparison else "",
        functions=_functions(sizes, comparison),
        layers=_layers(sizes, comparison),
        parts=_composition(sizes),
        notes=_notes(sizes, comparison),
    )


def _figures(sizes: Sizes, comparison: SizeComparison | None) -> str:
    totals, before = sizes.totals, comparison.before if comparison else None
    fullest = max(sizes.functions, key=lambda function: function.effective_bytes, default=None)
    since = f" since {comparison.label}" if comparison else ""
    zipped, unzipped = "uploaded by a deployment", "identical artifacts counted once"
    if before:
        zipped = units.format_change(totals.zipped_bytes - before.zipped_bytes) + since
        unzipped = units.format_change(totals.bytes - before.bytes) + since

    figures = [
        ("Zipped", units.format_bytes(totals.zipped_bytes), zipped),
        ("Unzipped", units.format_bytes(totals.bytes), unzipped),
        ("Artifacts", str(totals.artifacts), f"{totals.unique} of them distinct"),
    ]
    if fullest:
        used = units.format_percent(fullest.effective_bytes, LAMBDA_LIMIT_BYTES)
        figures.append(("Fullest function", used, f"{fullest.logical_id}, of 262,144,000 bytes"))

    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(detail)}</small></dd></div>"
        for name, value, detail in figures
    )


def _findings(sizes: Sizes, comparison: SizeComparison | None) -> str:
    over = [
        f"{finding.where}: {finding.what}. To fix it: {finding.fix}." for finding in budgets.exceeded(sizes, comparison)
    ]
    near = [f"{finding.where}: {finding.what}" for finding in budgets.nearly_exceeded(sizes)]

    boxes = ""
    if over:
        boxes += _box("over", f"{units.format_count(len(over), 'budget')} exceeded", over)
    if near:
        boxes += _box("near", f"{units.format_count(len(near), 'budget')} over {budgets.NEAR_PERCENT} used", near)
    return boxes or _box("good", "Everything is within its budget.", [])


def _box(style: str, title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="finding {style}"><strong>{escape(title)}</strong>{f"<ul>{items}</ul>" if items else ""}</div>'


def _changes(comparison: SizeComparison) -> str:
    rows = []
    for change in comparison.changed:
        own = change.new_or_removed or units.format_change(change.bytes)
        cells = (own, units.format_change(change.effective_bytes), units.format_change(change.zipped_bytes))
        rows.append(markup.row((f"{change.logical_id} ({change.stack})", "", *map(markup.delta, cells)), style="lead"))
        rows += [
            markup.row((f"— {part.name}", part.versions, markup.delta(units.format_change(part.bytes)), "", ""))
            for part in change.parts
        ]

    if not rows:
        return markup.section("changes", "Changes", f"<p>No changes since {escape(comparison.label)}.</p>")
    columns = (f"Since {comparison.label}", "Version", "Own", "With layers", "Zipped")
    return markup.section("changes", "Changes", markup.table(columns, rows, text_columns=2))


def _functions(sizes: Sizes, comparison: SizeComparison | None) -> str:
    columns = ["Function", "Layers", "Own", "Budget", "Unzipped", "Zipped", "Of 262 MB", *_change_head(comparison)]
    rows = [_function(function, sizes, comparison) for function in sizes.functions]
    return markup.section("functions", "Functions", markup.table(columns, rows, text_columns=2)) if rows else ""


def _function(function: FunctionSize, sizes: Sizes, comparison: SizeComparison | None) -> str:
    layers = [f"{layer.logical_id} {units.format_bytes(layer.bytes)}" for layer in function.layers]
    layers += [f"{name} (not measured)" for name in function.unmeasured_layers]
    cells = (
        sizes.label(function.own),
        ", ".join(layers) or "none",
        markup.number(function.own.bytes),
        markup.number(function.own.budget_bytes),
        markup.number(function.effective_bytes),
        markup.number(function.zipped_bytes),
        markup.bar(function.effective_bytes, LAMBDA_LIMIT_BYTES),
        *_change_cells(comparison, function.own),
    )
    return markup.row(cells, style=budgets.severity(function.own, sizes))


def _layers(sizes: Sizes, comparison: SizeComparison | None) -> str:
    columns = ["Layer", "Unzipped", "Zipped", "Budget", "Used", "Left", *_change_head(comparison)]
    rows = [_layer(layer, sizes, comparison) for layer in sizes.layers]
    return markup.section("layers", "Layers", markup.table(columns, rows)) if rows else ""


def _layer(layer: ArtifactSize, sizes: Sizes, comparison: SizeComparison | None) -> str:
    cells = (
        sizes.label(layer),
        markup.number(layer.bytes),
        markup.number(layer.zipped_bytes),
        markup.number(layer.budget_bytes),
        markup.bar(layer.bytes, layer.budget_bytes),
        markup.number(None if layer.budget_bytes is None else layer.budget_bytes - layer.bytes),
        *_change_cells(comparison, layer),
    )
    return markup.row(cells, style=budgets.severity(layer, sizes))


def _composition(sizes: Sizes) -> str:
    artifacts = []
    for group in group_by_content(sizes.artifacts):
        rows = [_part(part, group[0].bytes) for part in group[0].parts]
        table = markup.table(("Distribution", "Version", "Unzipped", "Bytecode", "Share"), rows, text_columns=2)
        size = f"{units.format_bytes(group[0].bytes)}, {units.format_count(len(rows), 'part')}"
        summary = f"<summary>{escape(sizes.labels(group))} <small>{size}</small></summary>"
        artifacts.append(f"<details>{summary}{table}</details>")
    return markup.section("parts", "Composition", "".join(artifacts))


def _part(part: Part, artifact_bytes: int) -> str:
    share = markup.bar(part.bytes, artifact_bytes, marked=False)
    return markup.row((part.name, part.version, markup.number(part.bytes), markup.number(part.bytecode_bytes), share))


def _notes(sizes: Sizes, comparison: SizeComparison | None) -> str:
    notes = [*(comparison.notes if comparison else ()), *overlaps.notes(sizes)]
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return markup.section("notes", "Notes", f"<ul>{items}</ul>") if notes else ""


def _change_head(comparison: SizeComparison | None) -> list[str]:
    return ["Change"] if comparison else []


def _change_cells(comparison: SizeComparison | None, artifact: ArtifactSize) -> list[str]:
    return [markup.delta(comparison.change_text(artifact))] if comparison else []
