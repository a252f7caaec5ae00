from typing import Any

import pytest

from automation.authoring import additions


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"b": [1, 3]}}, {"a": {"b": [1, 2, 3], "c": 0}}, []),
        ({"a": [{"x": [1]}]}, {"a": [{"x": [1, 2]}]}, []),
        ({"a": 1}, {}, ["a"]),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, ["a.b"]),
        ({"a": {"b": 1}}, {"a": 1}, ["a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ({"a": [1, 1]}, {"a": [1]}, ["a"]),
        ({"a": [1]}, {"a": []}, ["a"]),
        ({"a": 1, "b": {"c": 2}}, {"a": 0, "b": {}}, ["a", "b.c"]),
    ],
)
def test_differences_are_what_is_gone_or_changed(before: Any, after: Any, places: list[str]) -> None:
    assert [*additions.differences(before, after)] == places


@pytest.mark.parametrize(
    ("after", "change"), [("A: 1\nB: {C: 2, D: 3}\nE: 4\n", ""), ("A: 2\nB: {}\n", "A"), ("A: 1\nB: {}\n", "B.C")]
)
def test_first_change_is_the_first_place_that_did_not_stay(after: str, change: str) -> None:
    assert additions.first_change("A: 1\nB: {C: 2}\n", after, name="t.yaml") == change
