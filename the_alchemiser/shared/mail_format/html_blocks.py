"""The blocks of a mail as HTML. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain

from the_alchemiser.shared.formats import MINUS, plural
from the_alchemiser.shared.mail_format.blocks import (
    IN_TEXT,
    Block,
    Figures,
    Heading,
    Lines,
    Paragraph,
    Steps,
    Table,
    Tone,
)
from the_alchemiser.shared.mail_format.markup import Html, fill, joined
from the_alchemiser.shared.mail_format.safe_text import cut
from the_alchemiser.shared.records import Frozen

# Of a cell, of a line, and of a paragraph or step. Only damage or malice makes one of them longer.
CELL_CHARS, LINE_CHARS, TEXT_CHARS = 80, 2_000, 900
NAME_CHARS = 24
"""A longer name of a row may break anywhere, so that the table fits on a phone."""
_BARS = {Tone.GOOD: "#1f6f54", Tone.WARNING: "#b7791f", Tone.BAD: "#9b2226"}
_GROUNDS = {Tone.GOOD: "#eaf5f0", Tone.WARNING: "#fdf6e7", Tone.BAD: "#fbeeee"}
_CLASSES = {Tone.GOOD: "ng", Tone.WARNING: "nw", Tone.BAD: "nb"}
_TOTAL = fill(' style="font-weight:600;border-top:2px solid #c3ccd8;"')
_BREAKING = fill(' style="word-break:break-all;"')
_LEFT = fill(' align="left"')
# A mail client may break a line between a minus sign and a dollar sign. Source: UAX 14, LB25.
_UNBROKEN = fill(" nowrap")
_NEGATIVE = re.compile(rf"({MINUS}\$[0-9,.]*[0-9])")
_WIDE = fill('role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"')


class Part(Frozen):
    """A block as HTML.

    Attributes:
        before: what comes before the items; all of a block without items.
        items: those that there is room for in an empty mail.
        after: given how many items are shown, returns what follows them.
    """

    before: Html
    items: tuple[Html, ...] = ()
    after: Callable[[int], Html] = lambda _: Html()

    @property
    def size_bytes(self) -> int:
        """Return the size of all items."""
        return sum(len(item.encode()) for item in self.items)

    def fitting(self, limit: int) -> int:
        """Return how many of the first items have so many bytes at most."""
        return sum(total <= limit for total in accumulate(len(item.encode()) for item in self.items))

    def with_items(self, count: int) -> Html:
        """Return the block with only the first items."""
        return joined((self.before, *self.items[:count], self.after(count)))


def render_block(block: Block, room: int) -> Part:
    """Return a block as HTML.

    Args:
        room: bytes; once the items have more, the others need not be rendered.
    """
    match block:
        case Heading():
            return Part(_heading(block.text))
        case Paragraph():
            return Part(_paragraph(block))
        case Figures():
            return Part(_figures(block))
        case Steps():
            return Part(_steps(block))
        case Lines():
            return _lines(block, room)
        case Table():
            return _table(block, room)


def inline(text: str, most: int = TEXT_CHARS, *, where: str = IN_TEXT) -> Html:
    """Return a text with its commands marked; one that is too long is cut, and says where the rest is."""
    rest = len(text) - most
    pieces = text[:most].split("`")
    html = joined(
        fill("<code>{}</code>", piece) if number % 2 else unbroken(piece) for number, piece in enumerate(pieces)
    )
    return fill("{}… ({:,} more characters: {})", html, rest, inline(where, where="")) if rest > 0 else html


def unbroken(text: str) -> Html:
    """Return a text whose negative amounts are never parted by a line break."""
    pieces = _NEGATIVE.split(text)
    return joined(
        fill('<span style="white-space:nowrap;">{}</span>', piece) if number % 2 else fill("{}", piece)
        for number, piece in enumerate(pieces)
    )


def _heading(text: str) -> Html:
    return fill(
        '<h2 style="margin:28px 0 8px;font-size:13px;line-height:18px;font-weight:600;letter-spacing:.06em;'
        'text-transform:uppercase;color:#5d6b7e;">{}</h2>\n',
        text,
    )


def _paragraph(block: Paragraph) -> Html:
    if block.is_remark:
        return fill(
            '<p class="m" style="margin:8px 0 12px;font-size:13px;line-height:20px;color:#5d6b7e;">{}</p>\n',
            inline(block.text),
        )
    return fill(
        '<p style="margin:0 0 12px;font-size:16px;line-height:25px;color:#1b2330;">{}</p>\n', inline(block.text)
    )


def _figures(block: Figures) -> Html:
    cells = (
        fill(
            '<td class="l" width="{}%" style="padding:14px 16px;{}">'
            '<div class="m" style="font-size:12px;line-height:18px;color:#5d6b7e;">{}</div> '
            '<div class="v" style="font-size:18px;line-height:28px;font-weight:600;font-variant-numeric:tabular-nums;">'
            "{}</div></td>\n",
            100 // len(block.figures),
            "" if number == 0 else "border-left:1px solid #e3e8ef;",
            name,
            unbroken(value),
        )
        for number, (name, value) in enumerate(block.figures)
    )
    return fill(
        '<table class="f" {wide} style="margin:20px 0 12px;border:1px solid #e3e8ef;">\n<tr>\n{cells}</tr>\n</table>\n',
        wide=_WIDE,
        cells=joined(cells),
    )


def _steps(block: Steps) -> Html:
    return fill(
        '<ol style="margin:0 0 12px;padding-left:20px;font-size:15px;line-height:24px;">\n{}</ol>\n',
        joined(fill('<li style="margin-bottom:6px;">{}</li>\n', inline(item)) for item in block.items),
    )


def _lines(block: Lines, room: int) -> Part:
    rendered = (inline(line, LINE_CHARS, where=block.where) for line in block.lines)
    if block.title:
        return _note(block, rendered, room)

    def after(shown: int) -> Html:
        closing = fill("<p>{}</p>\n", inline(block.closing)) if block.closing else Html()
        return fill("</ul>\n{}{}", _more(block, len(block.lines), shown), closing)

    return Part(
        fill('<ul style="margin:0 0 12px;padding-left:20px;font-size:15px;line-height:23px;">\n'),
        _fitting((fill('<li style="margin-bottom:4px;">{}</li>\n', line) for line in rendered), room),
        after,
    )


def _note(block: Lines, rendered: Iterable[Html], room: int) -> Part:
    """Return a box with a bar at its left side."""

    def after(shown: int) -> Html:
        closing = fill('<div style="margin-top:6px;">{}</div>\n', inline(block.closing)) if block.closing else Html()
        return fill("{}{}</td></tr></table>\n", _more(block, len(block.lines), shown), closing)

    before = fill(
        '<table {wide} style="margin:16px 0;"><tr><td class="{kind}" style="background:{ground};border-left:4px solid '
        '{bar};padding:14px 18px;font-size:15px;line-height:23px;color:#1b2330;"><strong>{title}</strong>\n',
        wide=_WIDE,
        kind=_CLASSES[block.tone],
        ground=_GROUNDS[block.tone],
        bar=_BARS[block.tone],
        title=cut(block.title, TEXT_CHARS),
    )
    return Part(before, _fitting((fill("<div>{}</div>\n", line) for line in rendered), room), after)


def _table(block: Table, room: int) -> Part:
    """Return a table. A cell has as few bytes as possible, so that many fit: the table has the style."""
    before = fill(
        '<div class="d" style="overflow-x:auto;"><table width="100%" cellpadding="6" cellspacing="0" border="0" '
        'style="width:100%;border-collapse:collapse;font-size:14px;line-height:20px;color:#1b2330;'
        'font-variant-numeric:tabular-nums;">{}',
        _head(block),
    )
    is_cut = any(len(cell) > CELL_CHARS for cell in chain(block.total, *block.rows))
    hint = fill('<p class="m" style="margin:4px 0;font-size:13px;">Long cells are cut: {}.</p>\n', inline(IN_TEXT))

    def after(shown: int) -> Html:
        total = fill("<tbody{}>{}</tbody>", _TOTAL, _row(block.total, block.left)) if block.total else Html()
        return fill("{}</table></div>\n{}{}", total, _more(block, len(block.rows), shown), hint if is_cut else Html())

    return Part(before, _fitting((_row(row, block.left) for row in block.rows), room), after)


def _head(block: Table) -> Html:
    cells = (
        fill('<th scope="col" align="left">{}</th>', name)
        if number < block.left
        else fill('<th scope="col">{}</th>', name)
        for number, name in enumerate(block.columns)
    )
    return fill(
        '<tr align="right" style="border-bottom:1px solid #c3ccd8;font-size:12px;color:#5d6b7e;">{}</tr>\n',
        joined(cells),
    )


def _row(cells: Sequence[str], left: int) -> Html:
    shown = [cut(cell, CELL_CHARS) for cell in cells]
    return fill(
        '<tr align="right" style="border-bottom:1px solid #e3e8ef;"><th scope="row" align="left"{}>{}</th>{}{}</tr>\n',
        _BREAKING if len(shown[0]) > NAME_CHARS else Html(),
        shown[0],
        joined(fill('<td align="left">{}</td>', cell) for cell in shown[1:left]),
        joined(fill("<td{}>{}</td>", _UNBROKEN if _NEGATIVE.match(cell) else Html(), cell) for cell in shown[left:]),
    )


def _more(block: Lines | Table, count: int, shown: int) -> Html:
    """Return how many more items there are than the mail shows, and where they are."""
    rest = count - shown
    if rest <= 0:
        return Html()
    return fill(
        '<p class="m" style="margin:4px 0 12px;font-size:13px;line-height:20px;color:#5d6b7e;">and {}: {}</p>\n',
        plural(rest, f"more {block.noun}"),
        inline(block.where),
    )


def _fitting(items: Iterable[Html], room: int) -> tuple[Html, ...]:
    """Return the first items that have so many bytes at most."""
    fitting: list[Html] = []
    for item in items:
        room -= len(item.encode())
        if room < 0:
            break
        fitting.append(item)
    return tuple(fitting)
