from pathlib import PurePosixPath
from typing import Any

import pytest

from automation.project import properties
from automation.project.templates import Unresolved


@pytest.mark.parametrize("resource", [{}, {"Properties": None, "Metadata": "text"}])
def test_resource_without_tables_has_empty_ones(resource: dict[str, Any]) -> None:
    assert (properties.of(resource), properties.metadata(resource)) == ({}, {})


def test_resource_has_properties_and_metadata() -> None:
    resource = {"Properties": {"a": 1}, "Metadata": {"b": 2}}

    assert (properties.of(resource), properties.metadata(resource)) == ({"a": 1}, {"b": 2})


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({"Environment": {"Variables": {"A": 1, "B": 2}}}, {"A", "B"}),
        ({"Environment": {"Variables": ["A"]}}, set()),
        ({"Environment": "A"}, set()),
        ({}, set()),
    ],
)
def test_variables_are_their_names(table: dict[str, Any], names: set[str]) -> None:
    assert properties.variables(table) == names


@pytest.mark.parametrize(
    ("value", "entries"), [(None, []), ("a, b,", ["a", "b"]), (["a, b"], ["a, b"]), ((), [()]), (1, [1])]
)
def test_as_list_splits_texts(value: Any, entries: list[Any]) -> None:
    assert properties.as_list(value) == entries


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (Unresolved("x"), Unresolved("x")),
        ("src/", "infra/src"),
        ("./", "infra"),
        ("../src", "src"),
        ("s3://b/k", Unresolved("s3://b/k")),
        (7, Unresolved("7")),
        ({"S3Bucket": "b", "S3Key": "k"}, Unresolved("s3://b/k")),
        ({"Bucket": "b", "Key": Unresolved("{'Ref': 'K'}")}, Unresolved("s3://b/${K}")),
        ({"Key": "k"}, Unresolved("{'Key': 'k'}")),
    ],
)
def test_path_is_relative_to_the_root(value: Any, expected: object) -> None:
    assert properties.path(value, PurePosixPath("infra")) == expected


@pytest.mark.parametrize(
    ("inherited", "own", "expected"),
    [
        ({"Layers": ["a"]}, {"Layers": ["b"]}, ["a", "b"]),
        ({"Layers": ["a"]}, {}, ["a"]),
        ({}, {"Layers": ["b"]}, ["b"]),
        ({"Layers": {"Ref": "List"}}, {"Layers": ["b"]}, ["b"]),
        ({"Layers": ["a"]}, {"Layers": {"Ref": "List"}}, {"Ref": "List"}),
        ({"Layers": ["a"]}, {"Layers": {"Ref": "AWS::NoValue"}}, {"Ref": "AWS::NoValue"}),
        ({}, {}, None),
    ],
)
def test_layers_are_appended_as_sam_does(inherited: dict[str, Any], own: dict[str, Any], expected: object) -> None:
    assert properties.layers(inherited, own) == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (None, ()),
        ("arn:a, arn:b", ("arn:a", "arn:b")),
        (["A", Unresolved("{'Ref': 'B'}", resource="B")], ("A", "B")),
        ([Unresolved("{'Ref': 'C'}", parameter="C")], (Unresolved("{'Ref': 'C'}", parameter="C"),)),
        (Unresolved("{'Ref': 'C'}"), (Unresolved("{'Ref': 'C'}"),)),
        (["A", ["B", ["C"]], "D"], ("A", "B", "C", "D")),
        ([{"x": 1, "y": 2}], (Unresolved("{'x': 1, 'y': 2}"),)),
    ],
)
def test_layer_references_are_logical_ids_or_texts(entries: object, expected: tuple[object, ...]) -> None:
    assert properties.layer_references(entries) == expected


@pytest.mark.parametrize(
    ("inherited", "own", "expected"),
    [
        ({}, {}, None),
        ({"Layers": ["a"]}, {}, ["a"]),
        ({}, {"Layers": ["b"]}, ["b"]),
        ({"Layers": ["a"]}, {"Layers": ["b"]}, ["a", "b"]),
        ({"Layers": ["a"]}, {"Layers": {"Ref": "List"}}, {"Ref": "List"}),
        ({"Layers": {"Ref": "List"}}, {"Layers": ["b"]}, ["b"]),
        ({"Layers": {"Ref": "List"}}, {}, {"Ref": "List"}),
    ],
)
def test_layers_of_a_function_follow_those_of_the_globals(
    inherited: dict[str, Any], own: dict[str, Any], expected: object
) -> None:
    assert properties.layers(inherited, own) == expected


def test_layer_references_are_logical_ids_where_they_can() -> None:
    entries = ["arn:x", Unresolved("x", resource="Base"), Unresolved("y"), ["arn:z", "Own"], {"a": 1}]

    assert properties.layer_references(entries) == (
        "arn:x",
        "Base",
        Unresolved("y"),
        "arn:z",
        "Own",
        Unresolved("{'a': 1}"),
    )
    assert properties.layer_references(None) == ()
