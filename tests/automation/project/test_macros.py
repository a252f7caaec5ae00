"""The macros that may change a function when its template is deployed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from automation.project import macros, model

SAM = "AWS::Serverless-2016-10-31"
DATADOG = {"Name": "DatadogServerless", "Parameters": {"site": "eu"}}
COUNT = {"Fn::Transform": {"Name": "Count"}}


def macros_of(root: Path, resources: dict[str, Any], **sections: Any) -> tuple[str, ...]:
    """Return the macros of the function A."""
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.12", "CodeUri": "a/"}}
    document = {**sections, "Resources": {"A": function} | resources}
    (root / "template.yaml").write_text(yaml.safe_dump(document))
    stack = model.load(root).stacks[0]
    return macros.of_function(stack.functions[0], stack.template)


@pytest.mark.parametrize(
    ("transform", "names"),
    [
        (SAM, ()),
        ("Own", ("Own",)),
        ([SAM, "AWS::LanguageExtensions", {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}], ()),
        ([SAM, DATADOG, "Own", "Own"], ("DatadogServerless", "Own")),
        ([SAM, {"Parameters": {}}, 5], ()),
    ],
)
def test_of_function_macros_of_the_template_are_those_of_others(
    tmp_path: Path, transform: Any, names: tuple[str, ...]
) -> None:
    assert macros_of(tmp_path, {}, Transform=transform) == names


def test_of_function_template_without_transform_has_none(tmp_path: Path) -> None:
    assert macros_of(tmp_path, {}) == ()


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ({"Properties": {"CodeUri": "a/", "Tags": [COUNT]}}, ("Count",)),
        ({"Properties": {"CodeUri": "a/"}, **COUNT}, ("Count",)),
        ({"Properties": {"CodeUri": "a/", "Tags": {"Fn::Transform": [{"Name": "AWS::Include"}]}}}, ()),
        ({"Properties": {"CodeUri": "a/"}}, ()),
    ],
)
def test_of_function_macro_in_its_definition_counts_for_it_alone(
    tmp_path: Path, function: dict[str, Any], names: tuple[str, ...]
) -> None:
    definition = {"Type": "AWS::Serverless::Function", **function}
    beside = {"Type": "AWS::SQS::Queue", "Properties": {"Fn::Transform": {"Name": "Beside"}}}

    assert macros_of(tmp_path, {"A": definition, "B": beside}, Transform=SAM) == names


def test_of_function_macro_beside_the_resources_counts(tmp_path: Path) -> None:
    assert macros_of(tmp_path, {"Fn::Transform": {"Name": "More"}}, Transform=SAM) == ("More",)


def test_of_function_macro_in_globals_counts(tmp_path: Path) -> None:
    functions = {"Function": {"Environment": {"Variables": COUNT}}}

    assert macros_of(tmp_path, {}, Transform=SAM, Globals=functions) == ("Count",)
