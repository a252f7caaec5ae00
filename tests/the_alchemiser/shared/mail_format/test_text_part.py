import pytest
from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.mail_format.blocks import Block, Figures, Heading, Lines, Page, Paragraph, Steps, Table, Tone
from the_alchemiser.shared.mail_format.text_part import text_part, wrapped

COMMAND = f"`inv run.show {'x' * 40} --env prod`"


def text(*blocks: Block) -> list[str]:
    """Return the lines of the blocks."""
    lines = text_part(Page("T", "S", Tone.GOOD, "", blocks, ("F `x`.",))).split("\n")
    assert lines[:3] == ["T", "S", ""]
    assert lines[-2:] == ["F `x`.", ""]
    return lines[3:-2]


def test_heading_is_directly_above_its_block() -> None:
    assert text(Heading("Head"), Paragraph("p")) == ["HEAD", "p", ""]


def test_figures_are_aligned() -> None:
    assert text(Figures((("Equity", "$1.00"), ("Day", "+$10.00")))) == ["  Equity    $1.00", "  Day     +$10.00", ""]


def test_steps_are_numbered_and_indented() -> None:
    assert text(Steps(("word " * 20, "two"))) == [
        "  1. " + " ".join(["word"] * 14),
        "     " + " ".join(["word"] * 6),
        "  2. two",
        "",
    ]


def test_lines_have_title_and_closing() -> None:
    note = Lines(("one", "two " * 30), "line", "where", title="Note", closing="Closing.")

    assert text(note) == [
        "NOTE",
        "  - one",
        "  - " + " ".join(["two"] * 18),
        "    " + " ".join(["two"] * 12),
        "Closing.",
        "",
    ]


def test_table_is_aligned_when_it_fits() -> None:
    table = Table(("Name", "Order", "N"), (("a", "b", "10,000"), ("long", "", "1")), "row", "where", left=2)

    assert text(table.changed(total=("Sum", "", "10,001"))) == [
        "  Name  Order       N",
        "  a     b      10,000",
        "  long              1",
        "  Sum          10,001",
        "",
    ]


@pytest.mark.parametrize(("width", "is_aligned"), [(74, True), (75, False)])
def test_table_that_does_not_fit_is_a_list_of_sentences(width: int, *, is_aligned: bool) -> None:
    lines = text(Table(("N", "Value", "C"), (("x", "y" * (width - 4), ""),), "row", "where"))

    assert (lines[0] == f"  N  {'Value':>{width - 4}}  C") is is_aligned
    if not is_aligned:
        assert lines == ["  x: value", f"    {'y' * (width - 4)}", ""]


def test_wrapped_keeps_a_command_in_one_line() -> None:
    assert wrapped(f"Run {COMMAND} now: {COMMAND}.") == [f"Run {COMMAND} now:", f"{COMMAND}."]


def test_wrapped_fills_78_columns_exactly() -> None:
    assert [len(line) for line in wrapped(" ".join(["x" * 25] * 3 + ["y"]))] == [77, 1]
    assert [len(line) for line in wrapped(" ".join(["x" * 25] * 2 + ["x" * 26, "y"]))] == [78, 1]


@given(st.text(max_size=300))
def test_wrapped_loses_no_word(words: str) -> None:
    shown = " ".join(wrapped(words)).split()

    assert "".join(shown) == "".join("".join(wrapped(words, indent="  ", first="- "))[2:].split())
    assert all(len(line) <= 78 or len(line.split()) == 1 or "`" in line for line in wrapped(words))


def test_empty_text_is_an_empty_line() -> None:
    assert wrapped("") == [""]
    assert wrapped("", first="  1. ") == ["  1. "]
