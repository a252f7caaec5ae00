"""Values that conditions choose which are only known at deploy time."""

from typing import Any

import pytest

from automation.project import alternatives, templates
from automation.project.templates import Unresolved

TEMPLATE = """
Parameters:
  Stage: {Type: String}
  Size: {Type: String, AllowedValues: [small, large]}
  Count: {Type: Number, Default: 2}
  Flag: {Type: String}
Conditions:
  Live: !Equals [!Ref Stage, live]
  Trial: !Equals [trial, !Ref Stage]
  Quiet: !Not [!Condition Live]
  Large: !Equals [!Ref Size, large]
  Small: !Equals [!Ref Size, small]
  Two: !Equals [!Ref Count, 2]
  Far: !Equals [!Ref AWS::Region, eu-west-1]
  Near: !Equals [!Ref AWS::Region, us-east-1]
  Odd: !Equals [!Sub "${Flag}-x", live-x]
  Even: !Equals [!Ref Flag, even]
  Same: !Equals [!Ref Stage, !Ref Flag]
Resources: {}
"""


def choose(condition: str, then: Any, otherwise: Any = None) -> dict[str, Any]:
    return {"Fn::If": [condition, then, {"Ref": "AWS::NoValue"} if otherwise is None else otherwise]}


def possible(value: Any, **parameters: str) -> list[Any]:
    return sorted(alternatives.possible(value, templates.parse(TEMPLATE, name="t.yaml"), parameters), key=str)


def test_possible_value_without_conditions_is_resolved() -> None:
    assert possible(["a", {"Ref": "Count"}]) == [["a", "2"]]
    assert possible(None) == [None]


def test_possible_known_condition_has_one_value() -> None:
    assert possible([choose("Two", "a", "b")]) == [["a"]]
    assert possible(choose("Live", ["a"]), Stage="live") == [["a"]]
    assert possible(choose("Live", ["a"]), Stage="other") == [None]


def test_possible_unknown_condition_has_both_branches() -> None:
    assert possible([choose("Live", "a"), "b"]) == [["a", "b"], ["b"]]
    assert possible(choose("Live", ["a"], ["b", "c"])) == [["a"], ["b", "c"]]


def test_possible_branches_with_the_same_value_are_one() -> None:
    assert possible(choose("Live", ["a"], ["a"])) == [["a"]]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Live", "Live", [["a", "b"], []]),
        ("Live", "Quiet", [["a"], ["b"]]),
        ("Live", "Trial", [["a"], ["b"], []]),
        ("Large", "Small", [["a"], ["b"]]),
        ("Far", "Near", [["a"], ["b"], []]),
        ("Live", "Large", [["a", "b"], ["a"], ["b"], []]),
        ("Odd", "Even", [["a", "b"], ["a"], ["b"], []]),
    ],
)
def test_possible_conditions_hold_only_together(first: str, second: str, expected: list[list[str]]) -> None:
    assert possible([choose(first, "a"), choose(second, "b")]) == sorted(expected, key=str)


def test_possible_condition_that_compares_two_unknown_values_may_hold() -> None:
    assert possible([choose("Same", "a", "b")]) == [["a"], ["b"]]


def test_possible_condition_in_a_branch_counts() -> None:
    assert possible([choose("Live", choose("Large", "a", "b"), "c")]) == [["a"], ["b"], ["c"]]


def test_possible_condition_that_does_not_exist_stays_unresolved() -> None:
    value = choose("Nowhere", "a")

    assert possible([value]) == [[Unresolved(str(value))]]


def test_possible_many_conditions_are_tried_all_or_none() -> None:
    names = [f"P{number}" for number in range(9)]
    text = "".join(f"  {name}: {{Type: String}}\n" for name in names)
    conditions = "".join(f"  C{name}: !Equals [!Ref {name}, x]\n" for name in names)
    template = templates.parse(f"Parameters:\n{text}Conditions:\n{conditions}Resources: {{}}", name="t.yaml")
    value = [choose(f"C{name}", name) for name in names]

    assert alternatives.possible(value, template, {}) == (names, [])
    known = dict.fromkeys(names[3:], "x")
    assert len(alternatives.possible(value, template, known)) == 8


def test_deciding_parameters_are_those_without_a_value() -> None:
    template = templates.parse(TEMPLATE, name="t.yaml")
    value = [choose("Live", "a"), choose("Large", "b"), choose("Two", "c"), choose("Far", "d"), {"Ref": "Flag"}]

    assert alternatives.deciding_parameters(value, template, {}) == ("Size", "Stage")
    assert alternatives.deciding_parameters(value, template, {"Size": "small"}) == ("Stage",)
    assert alternatives.deciding_parameters(["a"], template, {}) == ()


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([["a", "b"]], ["a", "b"]),
        ([["a", "c"], ["b", "c"]], ["b", "a", "c"]),
        ([["a"], ["a", "b"], ["b", "c"]], ["a", "b", "c"]),
        ([["a", "b"], ["b", "a"]], ["a", "b"]),
        ([[], ["a"]], ["a"]),
    ],
)
def test_union_has_each_entry_once_in_order(choices: list[list[str]], expected: list[str]) -> None:
    assert alternatives.union(choices) == expected
