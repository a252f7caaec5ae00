"""Sizes as one HTML page that needs nothing but itself: figures, a treemap, and every number in tables."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import blocks, budgets, overlaps, units
from automation.sizing.changes import Comparison
from automation.sizing.model import Artifact, FunctionSize, Kind, Part, Sizes, alike
from automation.system import files

_HERE = Path(__file__).parent


def write(sizes: Sizes, path: Path, comparison: Comparison | None = None) -> None:
    """Write the page, whole or not at all."""
    files.write_atomically(path, render(sizes, comparison))


def render(sizes: Sizes, comparison: Comparison | None = None) -> str:
    """The page as text; the same sizes give the same page."""
    style, script, frame = ((_HERE / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js", "html"))
    return Template(frame).substitute(
        style=style,
        script=script,
        figures=_figures(sizes, comparison),
        findings=_findings(sizes, comparison),
        treemap=blocks.html(blocks.nodes(sizes)),
        changes=_changes(comparison) if comparison else "",
        functions=_functions(sizes, comparison),
        layers=_layers(sizes, comparison),
        parts=_composition(sizes),
        notes=_notes(sizes, comparison),
    )


def _figures(sizes: Sizes, comparison: Comparison | None) -> str:
    totals, before = sizes.totals, comparison.before if comparison else None
    fullest = max(sizes.functions, key=lambda one: one.effective_bytes, default=None)
    since = f" since {comparison.label}" if comparison else ""
    zipped = units.signed(totals.zipped_bytes - before.zipped_bytes) + since if before else "what a deployment uploads"
    unzipped = units.signed(totals.bytes - before.bytes) + since if before else "each content once"
    figures = [
        ("Zipped", units.text(totals.zipped_bytes), zipped),
        ("Unzipped", units.text(totals.bytes), unzipped),
        ("Artifacts", str(totals.artifacts), f"{totals.unique} of them distinct"),
    ]
    if fullest:
        used = units.percent(fullest.effective_bytes, LAMBDA_LIMIT_BYTES)
        figures.append(("Fullest function", used, f"{fullest.logical_id}, of 262,144,000 bytes"))
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
        for name, value, more in figures
    )


def _findings(sizes: Sizes, comparison: Comparison | None) -> str:
    over = [f"{one.where}: {one.what}. To mend it: {one.mend}." for one in budgets.exceeded(sizes, comparison)]
    near = [f"{one.where}: {one.what}" for one in budgets.near(sizes)]
    told = _box("over", f"{units.plural(len(over), 'budget')} exceeded", over) if over else ""
    told += _box("near", f"{units.plural(len(near), 'budget')} over {budgets.NEAR_TEXT} used", near) if near else ""
    return told or _box("good", "Everything is within its budget.", [])


def _box(style: str, title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="told {style}"><strong>{escape(title)}</strong>{f"<ul>{items}</ul>" if items else ""}</div>'


def _changes(comparison: Comparison) -> str:
    rows = []
    for one in comparison.changed:
        told = (one.told(one.bytes), units.signed(one.effective_bytes), units.signed(one.zipped_bytes))
        rows.append(_row((f"{one.logical_id} ({one.stack})", "", *map(_delta, told)), style="lead"))
        rows += [
            _row((f"— {part.name}", part.versions, _delta(units.signed(part.bytes)), "", "")) for part in one.parts
        ]
    if not rows:
        return _section("changes", "Changes", f"<p>Nothing has changed since {escape(comparison.label)}.</p>")
    columns = (f"Since {comparison.label}", "Version", "Own", "With layers", "Zipped")
    return _section("changes", "Changes", _table(columns, rows, text=2))


def _functions(sizes: Sizes, comparison: Comparison | None) -> str:
    columns = ["Function", "Layers", "Own", "Budget", "Unzipped", "Zipped", "Of 262 MB", *_change_head(comparison)]
    rows = [_function(one, sizes, comparison) for one in sizes.functions]
    return _section("functions", "Functions", _table(columns, rows, text=2)) if rows else ""


def _function(one: FunctionSize, sizes: Sizes, comparison: Comparison | None) -> str:
    layers = ", ".join(f"{layer.logical_id} {units.text(layer.bytes)}" for layer in one.layers)
    cells = (
        sizes.label(one.own),
        ", ".join(filter(None, [layers, *(f"{name} (not measured)" for name in one.unmeasured)])) or "none",
        _number(one.own.bytes),
        _number(one.own.budget_bytes),
        _number(one.effective_bytes),
        _number(one.zipped_bytes),
        _bar(one.effective_bytes, LAMBDA_LIMIT_BYTES),
        *_change(comparison, one.own),
    )
    return _row(cells, style=budgets.severity(one.own, sizes))


def _layers(sizes: Sizes, comparison: Comparison | None) -> str:
    columns = ["Layer", "Unzipped", "Zipped", "Budget", "Used", "Left", *_change_head(comparison)]
    rows = [_layer(one, sizes, comparison) for one in sizes.layers]
    return _section("layers", "Layers", _table(columns, rows)) if rows else ""


def _layer(one: Artifact, sizes: Sizes, comparison: Comparison | None) -> str:
    left = None if one.budget_bytes is None else one.budget_bytes - one.bytes
    used = _bar(one.bytes, one.budget_bytes)
    cells = (sizes.label(one), _number(one.bytes), _number(one.zipped_bytes), _number(one.budget_bytes), used)
    return _row((*cells, _number(left), *_change(comparison, one)), style=budgets.severity(one, sizes))


def _composition(sizes: Sizes) -> str:
    told = []
    for group in alike(sizes.artifacts):
        names = ", ".join(sizes.label(one) for one in group)
        rows = [_part(part, group[0].bytes) for part in group[0].parts]
        table = _table(("Distribution", "Version", "Unzipped", "Bytecode", "Share"), rows, text=2)
        summary = f"<summary>{escape(names)} <small>{units.text(group[0].bytes)}, {len(rows)} in it</small></summary>"
        told.append(f"<details>{summary}{table}</details>")
    return _section("parts", "What they are made of", "".join(told))


def _part(one: Part, whole: int) -> str:
    share = _bar(one.bytes, whole, marked=False)
    return _row((one.name, one.version, _number(one.bytes), _number(one.bytecode_bytes), share))


def _notes(sizes: Sizes, comparison: Comparison | None) -> str:
    notes = [*(comparison.notes if comparison else ()), *overlaps.notes(sizes)]
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return _section("notes", "Notes", f"<ul>{items}</ul>") if notes else ""


def _change_head(comparison: Comparison | None) -> list[str]:
    return ["Change"] if comparison else []


def _change(comparison: Comparison | None, one: Artifact) -> list[str]:
    change = comparison.of(one) if comparison else None
    if change is None:
        return [""] if comparison else []
    return [_delta(change.told(change.effective_bytes if one.kind is Kind.FUNCTION else change.bytes))]


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _number(count: int | None) -> str:
    """A count with its bytes for sorting and for whoever hovers over it."""
    if count is None:
        return "-"
    return _Markup(f'<data value="{count}" title="{count:,} bytes">{units.text(count)}</data>')


def _delta(text: str) -> str:
    style = "up" if text.startswith("+") else "down" if text.startswith("-") else ""
    return _Markup(f'<span class="{style}">{escape(text)}</span>')


def _bar(part: int, whole: int | None, *, marked: bool = True) -> str:
    if not whole:
        return "-"
    share = part / whole
    style = "" if not marked else "over" if share > 1 else "near" if share >= budgets.NEAR else ""
    return _Markup(
        f'<data value="{share:.4f}">{units.percent(part, whole)}</data>'
        f'<span class="bar {style}"><i style="width:{100 * min(share, 1):.1f}%"></i></span>'
    )


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>{body}</section>'


def _table(columns: Sequence[str], rows: Iterable[str], *, text: int = 1) -> str:
    """A table whose first `text` columns hold words, and the others numbers."""
    head = "".join(
        f'<th scope="col"{"" if number < text else " class=n"}>{escape(name)}</th>'
        for number, name in enumerate(columns)
    )
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide"><table data-text="{text}">{body}</table></div>'


def _row(cells: Sequence[str], *, style: str = "") -> str:
    first, *others = (one if isinstance(one, _Markup) else escape(one) for one in cells)
    return f'<tr class="{style}"><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in others)}</tr>'
