"""The step tree is found alone and inside the answers that contain it."""

import json
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, Finding, UsageError
from desk.composer.exports import read_root
from tests.desk.composer.exports import asset, equal, root

TREE = root(equal(asset("SPY")))


def read(folder: Path, text: str | bytes, *, at: str = "") -> tuple[str, object]:
    """Return the path and the value of the root in a file with this text."""
    path = folder / "export.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    element = read_root(path, at=at, task="strategies.import")
    return element.path, element.value


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (TREE, "$"),
        ({"id": "x", "score": TREE, "name": "other"}, "$.score"),
        ({"symphony": {"raw_value": TREE}, "capital": 10_000}, "$.symphony.raw_value"),
        ([{"id": 1, "score": TREE}], "$[0].score"),
        ({"content": [{"type": "text", "text": json.dumps({"score": TREE})}]}, "$.content[0].text.score"),
        ({"content": [{"type": "text", "text": json.dumps([TREE])}]}, "$.content[0].text[0]"),
        ({"children": [TREE]}, "$.children[0]"),
        ({"a": "{not json", "b": '{"step": broken', "c": TREE, "d": '{"x": "step"}'}, "$.c"),
    ],
)
def test_read_root_finds_the_tree_in_an_answer(tmp_path: Path, answer: object, path: str) -> None:
    assert read(tmp_path, json.dumps(answer)) == (path, TREE)


def test_read_root_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + json.dumps(TREE).encode()) == ("$", TREE)


def test_read_root_of_several_trees_asks_which_one(tmp_path: Path) -> None:
    answer = json.dumps({"symphonies": [{"score": TREE}, {"score": {**TREE, "name": "Second"}}]})

    with pytest.raises(UsageError) as caught:
        read(tmp_path, answer)
    assert str(caught.value) == (
        f"strategies.import: {tmp_path / 'export.json'} has 2 step trees; "
        "pass --at '$.symphonies[0].score' for \"Mine\", --at '$.symphonies[1].score' for \"Second\""
    )
    assert read(tmp_path, answer, at="$.symphonies[1].score")[1] == {**TREE, "name": "Second"}
    with pytest.raises(UsageError, match=r"has no step tree at \$\.symphonies\[2\]; pass --at "):
        read(tmp_path, answer, at="$.symphonies[2]")


@pytest.mark.parametrize(
    "text", ["{}", "[]", "3", '{"step": "wt-cash-equal", "children": []}', '{"type": "node_root"}']
)
def test_read_root_of_another_schema_says_what_it_expects(tmp_path: Path, text: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        read(tmp_path, text)

    assert str(caught.value) == (
        f'{tmp_path / "export.json"}: found no step tree, an object with "step": "root"; '
        "Composer's score of a symphony has one. Nothing was written"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "{path} is empty, expected an export of Composer"),
        (b" \n", "{path} is empty, expected an export of Composer"),
        (b'{"a": "\xe9"}', "{path} is not UTF-8 from byte 7 on; save it as UTF-8"),
        (b' \n(defsymphony "S" {})', "{path} is a strategy file already; run inv strategies.check {path}"),
    ],
)
def test_read_root_of_no_json_says_what_it_is(tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        read(tmp_path, text)

    assert str(caught.value) == message.format(path=tmp_path / "export.json")


def test_read_root_of_broken_json_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "export.json"

    with pytest.raises(CheckFailedError) as caught:
        read(tmp_path, '{"step": "root",\n "children": [NaN]}')
    assert str(caught.value) == f"{path} is not JSON, expected an export of Composer; nothing was written"
    assert caught.value.findings == (Finding(f"{path}:2:15", "found NaN, expected a value", "it is at $.children[0]"),)


def test_read_root_of_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match="cannot be read"):
        read_root(tmp_path, at="", task="strategies.import")
