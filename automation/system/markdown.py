"""Render tables and folded sections in Markdown, as in a review comment."""

from collections.abc import Container, Iterable, Sequence

_SIGNS = ("\\", "|", "*", "_", "`", "[")


def escape(text: str) -> str:
    """Escape what Markdown would read as the end of a table cell, as HTML, or as emphasis."""
    for sign in _SIGNS:
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.replace("<", "&lt;").split())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Container[int] = ()) -> str:
    """Render a table; the cells are escaped.

    Args:
        right: the numbers of the right-aligned columns, from 0.
    """
    rules = ("---:" if number in right else "---" for number in range(len(columns)))
    return "\n".join([_row(columns), f"|{'|'.join(rules)}|", *map(_row, rows)])


def folded(title: str, body: str) -> str:
    """Render a section that a reader opens; `title` is escaped, `body` is Markdown."""
    return f"<details><summary>{escape(title)}</summary>\n\n{body}\n\n</details>"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escape, cells))} |"
