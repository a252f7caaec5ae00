"""Blocks as HTML: what is inside, and what is cut."""

import pytest

from the_alchemiser.shared.mail_format.blocks import Figures, Heading, Lines, Paragraph, Steps, Table, Tone
from the_alchemiser.shared.mail_format.html_blocks import Part, inline, render_block
from the_alchemiser.shared.mail_format.markup import Html, fill

ROOM = 10_000
LINES = Lines(("one", "two `inv x` &"), "line", "`inv y`")
ROWS = Table(("A", "B", "C"), (("1", "2", "3"), ("4", "5", "6")), "row", "`inv y`", left=2)


def whole(part: Part) -> Html:
    return part.with_items(len(part.items))


def test_table_aligns_the_first_columns_to_the_left() -> None:
    html = whole(render_block(ROWS, ROOM))

    assert '<th scope="col" align="left">A</th><th scope="col" align="left">B</th><th scope="col">C</th></tr>' in html
    assert '<th scope="row" align="left">1</th><td align="left">2</td><td>3</td></tr>' in html


def test_table_ends_with_its_total_whatever_is_left_out() -> None:
    part = render_block(ROWS.changed(total=("T", "7", "8")), ROOM)

    assert part.with_items(0).count(">T</th>") == part.with_items(2).count(">T</th>") == 1
    assert "and 2 more rows: <code>inv y</code>" in part.with_items(0)
    assert "and 1 more row: <code>inv y</code>" in part.with_items(1)
    assert " more row" not in part.with_items(2)


@pytest.mark.parametrize(("length", "is_cut"), [(80, False), (81, True)])
def test_table_cuts_long_cells_and_says_so(length: int, *, is_cut: bool) -> None:
    html = whole(render_block(ROWS.changed(rows=(("1", "2", "x" * length),)), ROOM))

    assert ("x" * 79 + "\N{HORIZONTAL ELLIPSIS}<" in html) is is_cut
    assert ("Long cells are cut: see the plain text of this mail." in html) is is_cut


@pytest.mark.parametrize(("length", "breaks"), [(24, False), (25, True)])
def test_table_lets_a_long_name_break(length: int, *, breaks: bool) -> None:
    html = whole(render_block(ROWS.changed(rows=(("x" * length, "2", "3"),)), ROOM))

    assert ("word-break" in html) is breaks


def test_lines_without_a_title_are_a_list() -> None:
    part = render_block(LINES.changed(closing="Closing."), ROOM)

    html = whole(part)
    assert html.startswith("<ul ")
    assert '<li style="margin-bottom:4px;">two <code>inv x</code> &amp;</li>' in html
    assert html.endswith("</ul>\n<p>Closing.</p>\n")
    assert "and 1 more line: <code>inv y</code>" in part.with_items(1)


@pytest.mark.parametrize(("tone", "kind"), [(Tone.GOOD, "ng"), (Tone.WARNING, "nw"), (Tone.BAD, "nb")])
def test_lines_with_a_title_are_a_note_in_their_tone(tone: Tone, kind: str) -> None:
    html = whole(render_block(LINES.changed(title="T <", tone=tone, closing="Closing."), ROOM))

    assert f'<td class="{kind}" ' in html
    assert "<strong>T &lt;</strong>" in html
    assert '<div style="margin-top:6px;">Closing.</div>' in html


def test_lines_without_closing_have_none() -> None:
    assert "margin-top:6px" not in whole(render_block(LINES.changed(title="T"), ROOM))
    assert "<p>" not in whole(render_block(LINES, ROOM))


def test_only_items_that_fit_the_room_are_rendered() -> None:
    one = render_block(LINES.changed(lines=("a",)), ROOM).size_bytes

    lines = LINES.changed(lines=("a",) * 9)
    assert [len(render_block(lines, room).items) for room in (one - 1, one, 3 * one, 3 * one + 1)] == [0, 1, 3, 3]


def test_part_fits_whole_items_only() -> None:
    part = Part(Html(), (fill("1234"), fill("\N{EURO SIGN}"), fill("1")))

    assert part.size_bytes == 8
    assert [part.fitting(limit) for limit in (3, 4, 6, 7, 8)] == [0, 1, 1, 2, 3]


def test_inline_marks_commands_and_cuts_what_is_too_long() -> None:
    assert inline("a `b <` c") == "a <code>b &lt;</code> c"
    assert inline("x" * 10, 10) == "x" * 10
    assert inline("x" * 1011, 10, where="`inv y`") == (
        "x" * 10 + "\N{HORIZONTAL ELLIPSIS} (1,001 more characters: <code>inv y</code>)"
    )


def test_heading_paragraph_and_steps() -> None:
    assert ">A &amp; B</h2>" in whole(render_block(Heading("A & B"), ROOM))
    assert "font-size:16px" in whole(render_block(Paragraph("p"), ROOM))
    assert '<p class="m" ' in whole(render_block(Paragraph("p", is_remark=True), ROOM))
    assert whole(render_block(Steps(("`a`", "b")), ROOM)).count("<li ") == 2


def test_figures_share_the_width_and_have_lines_between_them() -> None:
    html = whole(render_block(Figures((("A", "1"), ("B", "2"), ("C", "3"))), ROOM))

    assert html.count('width="33%"') == 3
    assert html.count("border-left:1px") == 2


def test_inline_keeps_a_negative_amount_on_one_line() -> None:
    """Of the amount only: the sentence around it may break."""
    kept = '<span style="white-space:nowrap;">\N{MINUS SIGN}$1,234.50</span>'

    assert inline("It lost \N{MINUS SIGN}$1,234.50.") == f"It lost {kept}."
    assert inline("`a` \N{MINUS SIGN}$1,234.50 (\N{MINUS SIGN}2.00%) & $3.00") == (
        f"<code>a</code> {kept} (\N{MINUS SIGN}2.00%) &amp; $3.00"
    )
    assert inline("\N{MINUS SIGN}$ and +$1.00") == "\N{MINUS SIGN}$ and +$1.00"


def test_figures_and_cells_keep_a_negative_amount_on_one_line() -> None:
    html = whole(render_block(Figures((("P&L", "\N{MINUS SIGN}$2.00 (\N{MINUS SIGN}0.01%)"),)), ROOM))
    rows = ROWS.changed(rows=(("\N{MINUS SIGN}$1.00", "\N{MINUS SIGN}$2.00", "\N{MINUS SIGN}$3.00"),), left=2)

    assert '<span style="white-space:nowrap;">\N{MINUS SIGN}$2.00</span> (\N{MINUS SIGN}0.01%)</div>' in html
    assert whole(render_block(rows, ROOM)).count("<td nowrap>") == 1
    assert "<td nowrap>\N{MINUS SIGN}$3.00</td>" in whole(render_block(rows, ROOM))
