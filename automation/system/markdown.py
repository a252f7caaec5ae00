"""Render tables and folded sections in Markdown, as in a review comment or a page of reference."""

from collections.abc import Callable, Container, Iterable, Sequence

_SIGNS = ("\\", "|", "*", "_", "`", "[", "~", "$")
# GitHub looks for these in the finished page, where an escaped one is like any other: a space of no width parts them.
_MENTIONS = ("@", "#")
_NO_WIDTH = "&ZeroWidthSpace;"


def escape(text: str) -> str:
    """Escape what Markdown would read as the end of a table cell, HTML, emphasis, a formula or a mention."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    for sign in _SIGNS:
        text = text.replace(sign, f"\\{sign}")
    for sign in _MENTIONS:
        text = text.replace(sign, f"{sign}{_NO_WIDTH}")
    return " ".join(text.split())


def with_code(text: str) -> str:
    """Escape a text, except what it quotes between backticks as code."""
    parts = text.split("`")
    parts[::2] = [_keep_edges(part) for part in parts[::2]]
    return "`".join(parts)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Container[int] = (),
    cell: Callable[[str], str] = escape,
) -> str:
    """Render a table.

    Args:
        right: the numbers of the right-aligned columns, from 0.
        cell: turns the text of a cell into Markdown.
    """
    rules = ("---:" if number in right else "---" for number in range(len(columns)))
    lines = (_row([cell(text) for text in row]) for row in rows)
    return "\n".join([_row([*map(escape, columns)]), f"|{'|'.join(rules)}|", *lines])


def folded(title: str, body: str) -> str:
    """Render a section that a reader opens; `title` is escaped, `body` is Markdown."""
    return f"<details><summary>{escape(title)}</summary>\n\n{body}\n\n</details>"


def _keep_edges(part: str) -> str:
    """Escape a part of a text; its spaces towards the parts beside it stay."""
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{before}{escape(part)}{after}" if part.strip() else part


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
