"""The plain-text part of a mail: complete however long it gets, in lines of 78 columns. Pure."""

import re
from collections.abc import Iterator, Sequence

from the_alchemiser.shared.mail_format.blocks import Block, Figures, Heading, Lines, Page, Paragraph, Steps, Table
from the_alchemiser.shared.mail_format.safe_text import printable

COLUMNS = 78
_GAP = "  "
_WORDS = re.compile(r"\S*`[^`]*`\S*|\S+")
"""A command is one word, so that it can be copied from one line."""


def text_part(page: Page) -> str:
    """Return the plain-text part of a mail."""
    lines = [*wrapped(page.title), *wrapped(page.sender), ""]
    for block in page.blocks:
        lines += _block(block)
        if not isinstance(block, Heading):
            lines.append("")
    for sentence in page.footer:
        lines += wrapped(sentence)
    return "\n".join((*lines, ""))


def wrapped(text: str, *, first: str = "", indent: str = "") -> list[str]:
    """Return a text in lines of 78 columns; only a word or a command that is longer makes a longer line.

    Args:
        first: what the first line begins with; `indent` is what the others begin with.
    """
    lines, line = [], first
    is_empty = True
    for word in _WORDS.findall(printable(text)):
        if not is_empty and len(line) + 1 + len(word) > COLUMNS:
            lines.append(line)
            line, is_empty = indent, True
        line += word if is_empty else f" {word}"
        is_empty = False
    return [*lines, line]


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield from wrapped(block.text.upper())
        case Paragraph():
            yield from wrapped(block.text)
        case Figures():
            yield from _figures(block)
        case Steps():
            for number, item in enumerate(block.items, 1):
                yield from wrapped(item, first=f"  {number}. ", indent="     ")
        case Lines():
            yield from _lines(block)
        case Table():
            yield from _table(block)


def _figures(block: Figures) -> Iterator[str]:
    names, values = ([len(part) for part in column] for column in zip(*block.figures, strict=True))
    for name, value in block.figures:
        yield f"  {name:<{max(names)}}  {value:>{max(values)}}"


def _lines(block: Lines) -> Iterator[str]:
    if block.title:
        yield from wrapped(block.title.upper())
    for line in block.lines:
        yield from wrapped(line, first="  - ", indent="    ")
    if block.closing:
        yield from wrapped(block.closing)


def _table(block: Table) -> Iterator[str]:
    """Yield aligned columns if they fit, otherwise each row as a sentence."""
    rows = [[printable(cell) for cell in row] for row in (*block.rows, *((block.total,) if block.total else ()))]
    widths = [max(len(cell) for cell in column) for column in zip(block.columns, *rows, strict=True)]
    if sum(widths) + len(_GAP) * len(widths) <= COLUMNS:
        yield from (_aligned(row, widths, block.left) for row in (block.columns, *rows))
        return
    for row in rows:
        pairs = zip(block.columns[1:], row[1:], strict=True)
        facts = ", ".join(f"{name[:1].lower()}{name[1:]} {cell}" for name, cell in pairs if cell)
        yield from wrapped(f"{row[0]}: {facts}", first=_GAP, indent="    ")


def _aligned(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = (
        f"{cell:<{width}}" if number < left else f"{cell:>{width}}"
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "".join(f"{_GAP}{cell}" for cell in cells).rstrip()
