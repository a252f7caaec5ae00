import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.authoring import collections_text, text_edits, yaml_trees

FLOW = "A: [x, !Ref y, {z: 1}] # list\nB: 1\n"
BLOCK = "A:\n  - x\n  # about y\n  - !Ref y # behind\n  - z: 1\n    w: 2\nB: 1\n"
MAPPING = "A: {x: 1, y: 2, z: 3}\n"


def without(text: str, *numbers: int) -> str:
    node = yaml_trees.read(text, name="t").get("A")
    assert node is not None
    return text_edits.apply(text, collections_text.removals(text, node, list(numbers)))


def added(text: str, number: int, entry: str) -> str:
    node = yaml_trees.read(text, name="t").get("A")
    assert node is not None
    return text_edits.apply(text, [collections_text.addition(text, node, number, entry)])


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0,), "[!Ref y, {z: 1}]"),
        ((1,), "[x, {z: 1}]"),
        ((2,), "[x, !Ref y]"),
        ((0, 1), "[{z: 1}]"),
        ((1, 2), "[x]"),
        ((0, 2), "[!Ref y]"),
        ((), "[x, !Ref y, {z: 1}]"),
    ],
)
def test_removals_of_a_flow_list_take_one_comma_each(numbers: tuple[int, ...], expected: str) -> None:
    assert without(FLOW, *numbers) == f"A: {expected} # list\nB: 1\n"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0,), "A:\n  # about y\n  - !Ref y # behind\n  - z: 1\n    w: 2\nB: 1\n"),
        ((1,), "A:\n  - x\n  - z: 1\n    w: 2\nB: 1\n"),
        ((2,), "A:\n  - x\n  # about y\n  - !Ref y # behind\nB: 1\n"),
        ((1, 2), "A:\n  - x\nB: 1\n"),
    ],
)
def test_removals_of_a_block_list_take_lines_and_the_comment_above(numbers: tuple[int, ...], expected: str) -> None:
    assert without(BLOCK, *numbers) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"), [((0,), "{y: 2, z: 3}"), ((1,), "{x: 1, z: 3}"), ((2,), "{x: 1, y: 2}")]
)
def test_removals_of_a_mapping_take_key_and_value(numbers: tuple[int, ...], expected: str) -> None:
    assert without(MAPPING, *numbers) == f"A: {expected}\n"


def test_addition_to_a_flow_list_goes_behind_the_item() -> None:
    assert added(FLOW, 1, "new") == "A: [x, !Ref y, new, {z: 1}] # list\nB: 1\n"


def test_addition_to_a_block_list_is_a_line_behind_the_item() -> None:
    assert added(BLOCK, 1, "new").splitlines()[3:5] == ["  - !Ref y # behind", "  - new"]


def test_addition_to_a_block_mapping_has_its_indent() -> None:
    assert added("A:\n  x: 1\n  y: 2\n", 0, "n: 3") == "A:\n  x: 1\n  n: 3\n  y: 2\n"


def test_addition_keeps_a_missing_break_at_the_end() -> None:
    assert added("A:\n  - x", 0, "new") == "A:\n  - x\n  - new"


def test_addition_keeps_crlf() -> None:
    assert added("A:\r\n  - x\r\n", 0, "new") == "A:\r\n  - x\r\n  - new\r\n"


@given(st.booleans(), st.integers(1, 4), st.data())
def test_removal_undoes_an_addition(is_flow: bool, count: int, data: st.DataObject) -> None:
    items = [f"i{number}" for number in range(count)]
    text = f"A: [{', '.join(items)}]\n" if is_flow else "A:\n" + "".join(f"  - {item}\n" for item in items)
    number = data.draw(st.integers(0, count - 1))

    assert without(added(text, number, "new"), number + 1) == text
