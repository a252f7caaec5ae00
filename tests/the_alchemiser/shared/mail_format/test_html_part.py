from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.mail_format.blocks import Heading, Lines, Page, Tone
from the_alchemiser.shared.mail_format.html_part import BYTES_AT_MOST, fair_shares, html_part

PAGE = Page("Title <", "Sender <", Tone.GOOD, "Preview <", (Heading("H"),), ("One <.", "Run `inv x`."))


def test_fair_shares_give_the_small_ones_all_and_the_large_ones_the_rest() -> None:
    assert fair_shares([5, 100, 0, 60], 105) == [5, 50, 0, 50]
    assert fair_shares([5, 100, 0, 40], 105) == [5, 60, 0, 40]
    assert fair_shares([1, 2], 100) == [1, 2]
    assert fair_shares([1, 2], -5) == [0, 0]
    assert fair_shares([], 10) == []


@given(st.lists(st.integers(0, 1000), max_size=8), st.integers(0, 3000))
def test_fair_shares_stay_within_the_room_and_what_is_wanted(wanted: list[int], room: int) -> None:
    shares = fair_shares(wanted, room)

    assert sum(shares) <= room
    assert all(0 <= share <= most for share, most in zip(shares, wanted, strict=True))
    if sum(wanted) <= room:
        assert shares == wanted


def test_frame_shows_every_part_of_the_page_escaped() -> None:
    html = html_part(PAGE, subject="Subject <")

    assert "<title>Subject &lt;</title>" in html
    assert ">Title &lt;</h1>" in html
    assert ">Sender &lt;</div>" in html
    assert ">Preview &lt;</div>" in html
    assert "One &lt;.<br>\nRun <code>inv x</code>.<br>" in html
    assert "background:#1f6f54;" in html
    assert "background:#9b2226;" in html_part(PAGE.changed(tone=Tone.BAD), subject="")


def test_frame_cuts_what_only_malice_makes_long() -> None:
    long = "x" * 5000
    html = html_part(PAGE.changed(title=long, sender=long, preview=long, footer=(long,)), subject="")

    assert [html.count("x" * length) for length in (199, 119, 900)] == [6, 10, 1]
    assert len(html) < 5000


def test_large_blocks_fill_the_room() -> None:
    large = Lines(("\N{EURO SIGN}" * 50,) * 1000, "line", "here")

    sizes = [len(html_part(PAGE.changed(blocks=(large,) * count), subject="").encode()) for count in (1, 2, 3)]

    assert all(BYTES_AT_MOST - 1000 < size <= BYTES_AT_MOST for size in sizes)
