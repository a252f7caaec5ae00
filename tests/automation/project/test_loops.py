from typing import Any

import pytest

from automation.project import loops


def keep(value: Any) -> Any:
    return value


def expand(template: Any, **known: Any) -> Any:
    return loops.expand(template, lambda value: known.get(value["Ref"], value) if isinstance(value, dict) else value)


@pytest.mark.parametrize(
    ("transform", "enabled"),
    [
        ("AWS::LanguageExtensions", True),
        (["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"], True),
        ("AWS::Serverless-2016-10-31", False),
        (["AWS::LanguageExtensionsX"], False),
        (None, False),
    ],
)
def test_is_enabled_needs_the_transform(transform: Any, enabled: bool) -> None:
    assert loops.is_enabled({"Transform": transform}) is enabled


def test_expand_repeats_the_body_for_each_value() -> None:
    body = {"${Name}Fn": {"Code": {"Fn::Sub": "${Name}/src"}, "Id": {"Ref": "Name"}, "Names": ["${Name}", 1]}}

    expanded = expand({"Before": 1, "Fn::ForEach::Each": ["Name", ["a", "b"], body], "After": 2})

    assert expanded == {
        "Before": 1,
        "aFn": {"Code": {"Fn::Sub": "a/src"}, "Id": "a", "Names": ["a", 1]},
        "bFn": {"Code": {"Fn::Sub": "b/src"}, "Id": "b", "Names": ["b", 1]},
        "After": 2,
    }


def test_expand_ampersand_drops_signs_that_no_logical_id_has() -> None:
    expanded = expand({"Fn::ForEach::Each": ["Ip", ["10.0.1"], {"Net&{Ip}": {"Cidr": "${Ip}"}}]})

    assert expanded == {"Net1001": {"Cidr": "10.0.1"}}


@pytest.mark.parametrize("values", ["a, b", ["a", "b"]], ids=["the text of a list parameter", "a list"])
def test_expand_values_of_a_parameter(values: Any) -> None:
    expanded = expand({"Fn::ForEach::Each": ["Name", {"Ref": "Names"}, {"${Name}": 1}]}, Names=values)

    assert expanded == {"a": 1, "b": 1}


def test_expand_numbers_and_flags_become_texts() -> None:
    assert expand({"Fn::ForEach::E": ["N", [1, True], {"x${N}": {"Ref": "N"}}]}) == {"x1": "1", "xtrue": "true"}


def test_expand_nested_loops_know_both_values() -> None:
    inner = {"Fn::ForEach::Inner": ["B", ["1", "2"], {"${A}${B}": "${A}-${B}"}]}

    expanded = expand({"Fn::ForEach::Outer": ["A", ["x", "y"], inner]})

    assert expanded == {"x1": "x-1", "x2": "x-2", "y1": "y-1", "y2": "y-2"}


def test_expand_loops_inside_properties_and_lists() -> None:
    loop = {"Fn::ForEach::E": ["N", ["a"], {"K${N}": 1}]}

    assert expand({"Properties": {"Tags": loop}, "More": [loop]}) == {
        "Properties": {"Tags": {"Ka": 1}},
        "More": [{"Ka": 1}],
    }


@pytest.mark.parametrize(
    "loop",
    [
        ["Name", {"Ref": "Unknown"}, {"${Name}": 1}],
        ["Name", ["a", {"Ref": "Unknown"}], {"${Name}": 1}],
        ["Name", ["a"]],
        ["Name", ["a"], "no body"],
        "text",
    ],
    ids=["unknown values", "an unknown value", "no body", "a text as body", "no list"],
)
def test_expand_loop_that_cannot_be_expanded_stays(loop: Any) -> None:
    assert expand({"Fn::ForEach::Each": loop}) == {"Fn::ForEach::Each": loop}


def test_expand_chosen_leaves_the_others() -> None:
    code = ["N", ["a"], {"F${N}": {"Type": "code"}}]
    queues = ["N", ["a"], {"Q${N}": {"Type": "queue"}}]
    template = {"Fn::ForEach::Code": code, "Fn::ForEach::Queues": queues}

    expanded = loops.expand(template, keep, chosen=lambda body: "F${N}" in body)

    assert expanded == {"Fa": {"Type": "code"}, "Fn::ForEach::Queues": queues}


def test_expand_changes_nothing_in_the_original() -> None:
    template = {"Fn::ForEach::Each": ["N", ["a"], {"${N}": {"Id": {"Ref": "N"}}}]}

    expand(template)

    assert template == {"Fn::ForEach::Each": ["N", ["a"], {"${N}": {"Id": {"Ref": "N"}}}]}
