import pytest

from automation.authoring import yaml_trees
from automation.authoring.yaml_trees import Node
from automation.system.errors import ConfigurationError

TEXT = """\
A:
  # a comment
  B: !Sub "x${Y}"   # behind it
  C: &anchor {a: 1, b: [1, !Ref Z]}
  D: *anchor
  E: |
    literal
    text

  # before F
  F:
  - !GetAtt Q.Arn
  - [x, y]

G: []
"""


def node(*keys: str, text: str = TEXT) -> Node:
    wanted = yaml_trees.read(text, name="t.yaml").get(*keys)
    assert wanted is not None
    return wanted


def part(*keys: str) -> str:
    place = node(*keys)
    return TEXT[place.start : place.end]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("A", "B"), '!Sub "x${Y}"'),
        (("A", "C"), "&anchor {a: 1, b: [1, !Ref Z]}"),
        (("A", "D"), "*anchor"),
        (("A", "E"), "|\n    literal\n    text"),
        (("A", "F"), "- !GetAtt Q.Arn\n  - [x, y]"),
        (("G",), "[]"),
    ],
)
def test_read_knows_the_characters_of_each_node(keys: tuple[str, ...], expected: str) -> None:
    assert part(*keys) == expected


def test_read_ends_a_mapping_at_its_last_value() -> None:
    assert part("A").endswith("- [x, y]")


def test_read_knows_tags_anchors_styles_and_values() -> None:
    assert (node("A", "B").tag, node("A", "B").scalar) == ("!Sub", "x${Y}")
    assert (node("A", "C").anchor, node("A", "C").is_flow) == ("anchor", True)
    assert (node("A", "D").scalar, node("A", "D").children) == (None, ())
    assert not node("A", "F").is_flow
    assert [child.tag for child in node("A", "F").items] == ["!GetAtt", ""]


def test_get_missing_key_is_none() -> None:
    root = yaml_trees.read(TEXT, name="t.yaml")

    assert root.get("A", "X") is None
    assert root.get("X", "Y") is None
    assert root.get("A", "B", "C") is None


def test_walk_yields_keys_and_values_below() -> None:
    scalars = [inner.scalar for inner in node("A", "C").walk()]

    assert scalars == [None, "a", "1", "b", None, "1", "Z"]


def test_read_counts_characters_behind_letters_of_many_bytes_and_crlf() -> None:
    text = "A: é\r\nB: [ü]\r\n"
    place = node("B", text=text)

    assert text[place.start : place.end] == "[ü]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('  {"Resources": {}}', "t.yaml: is JSON, and only YAML can be edited; convert it to YAML first"),
        ("A: [", "t.yaml:2: is not valid YAML"),
        ("- a\n", "t.yaml: is not a mapping"),
        ("", "t.yaml: is not a mapping"),
        ("# only a comment\n", "t.yaml: is not a mapping"),
    ],
)
def test_read_refuses_what_cannot_be_edited(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        yaml_trees.read(text, name="t.yaml")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Queue", {"Queue"}),
        ("!GetAtt Queue.Arn", {"Queue"}),
        ("!GetAtt [Queue, Arn]", {"Queue"}),
        ('!Sub "${Queue.Arn}/${Table}"', {"Queue", "Table"}),
        ('!Sub ["${Queue}-${x}", {x: !Ref Table}]', {"Queue", "Table"}),
        ('!Sub "${AWS::StackName}-Queue-*"', {"Queue"}),
        ('!Sub "${AWS::StackName}-Queues"', set()),
        ("{Ref: Queue}", {"Queue"}),
        ('{"Fn::GetAtt": [Queue, Arn]}', {"Queue"}),
        ('{"Fn::Sub": "${Queue}"}', {"Queue"}),
        ("{DependsOn: [Queue, Table]}", {"Queue", "Table"}),
        ('!Join ["-", [!Ref Queue, Table]]', {"Queue"}),
        ("{Description: the Queue}", set()),
        ("Queue", set()),
    ],
)
def test_references_are_those_of_intrinsics_and_depends_on(value: str, expected: set[str]) -> None:
    names = frozenset({"Queue", "Table"})

    assert yaml_trees.references(node("A", text=f"A: {value}\n"), names) == expected


def test_references_of_a_value_know_its_key() -> None:
    value = node("A", text="A: Queue\n")

    assert yaml_trees.references(value, frozenset({"Queue"}), key="DependsOn") == {"Queue"}
    assert yaml_trees.references(value, frozenset({"Queue"}), key="Name") == frozenset()
