"""Write HTML: numbers with their exact bytes, bars, tables and sections. Every text is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from automation.sizing import budgets, units


class Markup(str):
    """Text that is already HTML and must not be escaped."""

    __slots__ = ()


def number(count: int | None) -> str:
    """Render a byte count, with the exact bytes as its tooltip and for sorting."""
    if count is None:
        return "-"
    return Markup(f'<data value="{count}" title="{count:,} bytes">{units.format_bytes(count)}</data>')


def delta(text: str) -> str:
    """Render a change: what grew and what shrank have their own colours."""
    style = "up" if text.startswith("+") else "down" if text.startswith("-") else ""
    return Markup(f'<span class="{style}">{escape(text)}</span>')


def bar(part: int, whole: int | None, *, marked: bool = True) -> str:
    """Render a share as a percentage with a bar below it; `marked` colours one that is nearly or wholly used."""
    if not whole:
        return "-"
    share = part / whole
    style = ""
    if marked and share >= budgets.NEAR_SHARE:
        style = "over" if share > 1 else "near"
    return Markup(
        f'<data value="{share:.4f}">{units.format_percent(part, whole)}</data>'
        f'<span class="bar {style}"><i style="width:{100 * min(share, 1):.1f}%"></i></span>'
    )


def section(name: str, title: str, body: str) -> str:
    """Render a section; its name is its anchor."""
    return f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>{body}</section>'


def table(columns: Sequence[str], rows: Iterable[str], *, text_columns: int = 1) -> str:
    """Render a table whose first `text_columns` columns contain text, and the others numbers."""
    head = "".join(
        f'<th scope="col"{"" if position < text_columns else " class=n"}>{escape(name)}</th>'
        for position, name in enumerate(columns)
    )
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide" tabindex="0"><table data-text="{text_columns}">{body}</table></div>'


def row(cells: Sequence[str], *, style: str = "") -> str:
    """Render a row of a table, whose first cell is its head."""
    first, *following = (cell if isinstance(cell, Markup) else escape(cell) for cell in cells)
    return f'<tr class="{style}"><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in following)}</tr>'
