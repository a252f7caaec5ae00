import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.authoring import text_edits
from automation.authoring.text_edits import Edit


def test_apply_replaces_inserts_and_deletes() -> None:
    assert text_edits.apply("abcdef", [Edit(4, 5), Edit(0, 1, "X"), Edit(2, 2, "--")]) == "Xb--cdf"


def test_apply_keeps_the_order_of_insertions_at_one_place() -> None:
    assert text_edits.apply("ab", [Edit(1, 1, "1"), Edit(1, 1, "2")]) == "a12b"


def test_apply_touching_edits_is_allowed() -> None:
    assert text_edits.apply("abcd", [Edit(0, 2, "x"), Edit(2, 4, "y")]) == "xy"


def test_apply_overlapping_edits_raises() -> None:
    with pytest.raises(ValueError, match="two edits overlap at character 1"):
        text_edits.apply("abcd", [Edit(0, 2), Edit(1, 3)])


@given(st.text(), st.text(), st.integers(0, 50))
def test_apply_removal_undoes_an_insertion(text: str, more: str, position: int) -> None:
    place = min(position, len(text))

    inserted = text_edits.apply(text, [Edit(place, place, more)])

    assert text_edits.apply(inserted, [Edit(place, place + len(more))]) == text


@pytest.mark.parametrize(("position", "start", "end"), [(0, 0, 3), (2, 0, 3), (3, 3, 5), (4, 3, 5), (5, 5, 5)])
def test_line_bounds_include_the_line_break(position: int, start: int, end: int) -> None:
    assert text_edits.line_start("ab\nc\n", position) == start
    assert text_edits.line_end("ab\nc\n", position) == end


def test_line_end_of_a_last_line_without_a_break_is_the_end() -> None:
    assert text_edits.line_end("ab\nc", 3) == 4


@pytest.mark.parametrize(
    ("text", "newline"), [("a\r\nb\n", "\r\n"), ("a\nb\r\n", "\n"), ("a", "\n"), ("\na", "\n"), ("\r\n", "\r\n")]
)
def test_newline_of_is_that_of_the_first_line(text: str, newline: str) -> None:
    assert text_edits.newline_of(text) == newline
