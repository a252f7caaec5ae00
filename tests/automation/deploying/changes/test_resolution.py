from collections.abc import Mapping
from typing import Any

import pytest

from automation.deploying.changes import resolution
from automation.deploying.changes.model import Expanded
from automation.deploying.changes.resolution import ResolvedTemplate, resolve

TEMPLATE: Mapping[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String"},
        "Size": {"Type": "Number", "Default": 3},
        "On": {"Type": "String", "Default": True},
        "Token": {"Type": "String", "NoEcho": True, "Default": "hidden"},
    },
    "Mappings": {"Sizes": {"prod": {"Days": 90}}},
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "HasToken": {"Fn::Equals": [{"Ref": "Token"}, "hidden"]},
        "IsHome": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "111122223333"]},
    },
}
PARAMETERS = {"Stage": "prod", "AWS::Region": "eu-west-1"}


def expanded(resources: Mapping[str, Any], exports: Mapping[str, str] | None = None) -> Expanded:
    return Expanded({**TEMPLATE, "Resources": resources}, PARAMETERS, exports or {})


def value_of(value: Any, **exports: str) -> Any:
    """Return a value as it is resolved, as the property `X` of a resource; `missing` when it is dropped."""
    template = expanded({"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"X": value}}}, exports)
    return resolve(template).resources["Topic"]["Properties"].get("X", "missing")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ({"Ref": "On"}, "true"),
        ([True, "a"], [True, "a"]),
        ({"A": {"B": 1}, 2: None}, {"A": {"B": 1}}),
        ({"Ref": "Stage"}, "prod"),
        ({"Ref": "Size"}, "3"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "AWS::AccountId"}, {"Ref": "AWS::AccountId"}),
        ({"Ref": "AWS::NoValue"}, "missing"),
        ({"Ref": {"Fn::Sub": "${Stage}Queue"}}, {"Ref": "prodQueue"}),
        ([{"Ref": "AWS::NoValue"}, "a"], ["a"]),
        ({"Fn::GetAtt": "Queue.Arn"}, {"Fn::GetAtt": ["Queue", "Arn"]}),
        ({"Fn::GetAtt": ["Child", "Outputs.Name"]}, {"Fn::GetAtt": ["Child", "Outputs.Name"]}),
        ({"Fn::GetAtt": ["Child", "Outputs", "Name"]}, {"Fn::GetAtt": ["Child", "Outputs.Name"]}),
        ({"Fn::GetAtt": ["Child", {"Ref": "Stage"}]}, {"Fn::GetAtt": ["Child", "prod"]}),
        ({"Fn::GetAtt": ["Child", {"Ref": "Child"}]}, {"Fn::GetAtt": ["Child", {"Ref": "Child"}]}),
        ({"Fn::If": ["IsProd", {"Ref": "Stage"}, "b"]}, "prod"),
        ({"Fn::If": ["IsProd", {"Ref": "AWS::NoValue"}, "b"]}, "missing"),
        ({"Fn::If": ["IsHome", {"Ref": "Stage"}, {"Ref": "Size"}]}, {"Fn::If": ["IsHome", "prod", "3"]}),
        ({"Fn::If": ["Odd"]}, {"Fn::If": ["Odd"]}),
        ({"Fn::If": [["IsProd"], "a", "b"]}, {"Fn::If": [["IsProd"], "a", "b"]}),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Days"]}, 90),
        ({"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, "b"),
        ({"Fn::Join": ["/", [{"Ref": "Stage"}, {"Ref": "Size"}, 1]]}, "prod/3/1"),
        ({"Fn::Join": ["/", [{"Ref": "Stage"}, {"Ref": "Q"}]]}, {"Fn::Join": ["/", ["prod", {"Ref": "Q"}]]}),
        ({"Fn::Base64": {"Ref": "Stage"}}, {"Fn::Base64": "prod"}),
        ({"Ref": "Stage", "Also": 1}, {"Ref": "Stage", "Also": 1}),
        ({"Condition": "IsProd"}, {"Condition": "IsProd"}),
    ],
)
def test_resolve_value_replaces_what_is_known(value: Any, expected: Any) -> None:
    assert value_of(value) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("${Stage}-${ Size }", "prod-3"),
        ("${!Literal} ${Stage}", "${Literal} prod"),
        # A known part is replaced even beside an unknown one, and a literal keeps its mark until all is known.
        ("${Stage}-${Lake.Arn}-${!Literal}", {"Fn::Sub": "prod-${Lake.Arn}-${!Literal}"}),
        (["${A}-${B}", {"A": {"Ref": "Stage"}, "B": 2}], "prod-2"),
        (["${A}-${B}", {"A": "x", "B": {"Ref": "Q"}}], {"Fn::Sub": ["x-${B}", {"B": {"Ref": "Q"}}]}),
        (["${Stage}", {"Stage": "own"}], "own"),
    ],
)
def test_resolve_sub_replaces_the_known_parts(argument: Any, expected: Any) -> None:
    assert value_of({"Fn::Sub": argument}) == expected


def test_resolve_import_has_the_known_value() -> None:
    value = {"Fn::ImportValue": {"Fn::Sub": "${Stage}-Bus"}}

    assert value_of(value, **{"prod-Bus": "bus-1"}) == "bus-1"
    assert value_of(value) == {"Fn::ImportValue": "prod-Bus"}
    assert value_of({"Fn::ImportValue": {"Ref": "Q"}}) == {"Fn::ImportValue": {"Ref": "Q"}}


@pytest.mark.parametrize("marker", [True, "true", "TRUE"])
def test_resolve_secret_parameter_stays_a_reference(marker: object) -> None:
    parameters = {"Token": {"Type": "String", "NoEcho": marker, "Default": "hidden"}}
    resources = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"X": {"Fn::Sub": "${Token}"}}}}

    resolved = resolve(Expanded({"Parameters": parameters, "Resources": resources}, {"Token": "secret"}))

    assert resolved.resources["Topic"]["Properties"]["X"] == {"Fn::Sub": "${Token}"}


def test_resolve_resource_with_false_condition_does_not_exist() -> None:
    resources = {
        "Prod": {"Type": "AWS::SNS::Topic", "Condition": "IsProd"},
        "Other": {"Type": "AWS::SNS::Topic", "Condition": "IsLocal"},
        "Secret": {"Type": "AWS::SNS::Topic", "Condition": "HasToken"},
        "Dev": {"Type": "AWS::SNS::Topic", "Condition": "IsDev"},
    }
    conditions = {**TEMPLATE["Conditions"], "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]}}

    resolved = resolve(Expanded({**TEMPLATE, "Conditions": conditions, "Resources": resources}, PARAMETERS))

    # A condition that only AWS can evaluate counts as true.
    assert list(resolved.resources) == ["Prod", "Other", "Secret"]


def test_resolve_resource_keeps_its_attributes_without_metadata_and_condition() -> None:
    resource = {
        "Type": "AWS::SNS::Topic",
        "Condition": "IsProd",
        "Metadata": {"Owner": "me"},
        "DeletionPolicy": "Retain",
        "Properties": {"TopicName": {"Ref": "Stage"}},
    }

    resolved = resolve(expanded({"Topic": resource}))

    assert resolved.resources["Topic"] == {
        "Type": "AWS::SNS::Topic",
        "DeletionPolicy": "Retain",
        "Properties": {"TopicName": "prod"},
    }


def test_resolve_hashed_ids_lose_their_hash_everywhere() -> None:
    layer, hashed = {"Type": "AWS::Lambda::LayerVersion"}, "Code0123456789"
    users = [{"Ref": hashed}, {"Fn::GetAtt": [hashed, "Arn"]}, {"Fn::Sub": f"${{{hashed}}}/${{{hashed}.Arn}}"}]
    resources = {hashed: layer, "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Layers": users}}}

    resolved = resolve(expanded(resources))

    assert resolved.logical_ids == {"Code": "Code0123456789", "Fn": "Fn"}
    assert resolved.resources["Fn"]["Properties"]["Layers"] == [
        {"Ref": "Code"},
        {"Fn::GetAtt": ["Code", "Arn"]},
        {"Fn::Sub": "${Code}/${Code.Arn}"},
    ]


def test_resolve_hashed_ids_that_would_share_a_name_stay() -> None:
    layer = {"Type": "AWS::Lambda::LayerVersion"}

    resolved = resolve(expanded({"Code0123456789": layer, "Codeabcdef0123": layer}))

    assert list(resolved.resources) == ["Code0123456789", "Codeabcdef0123"]


@pytest.mark.parametrize(
    ("logical_id", "resource_type", "name"),
    [
        ("Codeabcdef0123", "AWS::Lambda::LayerVersion", "Code"),
        ("FnVersionabcdef0123", "AWS::Lambda::Version", "FnVersion"),
        ("ApiDeploymentabcdef0123", "AWS::ApiGateway::Deployment", "ApiDeployment"),
        ("ApiDeploymentabcdef0123", "AWS::ApiGatewayV2::Deployment", "ApiDeployment"),
        ("Layerabcdef012", "AWS::Lambda::LayerVersion", "Layerabcdef012"),
        ("abcdef0123", "AWS::Lambda::LayerVersion", "abcdef0123"),
        ("CodeABCDEF0123", "AWS::Lambda::LayerVersion", "CodeABCDEF0123"),
        ("Queueabcdef0123", "AWS::SQS::Queue", "Queueabcdef0123"),
    ],
)
def test_stable_name_drops_the_hash_of_hashed_types(logical_id: str, resource_type: str, name: str) -> None:
    assert resolution.stable_name(logical_id, resource_type) == name


def test_resolve_outputs_have_values_and_exports_names() -> None:
    outputs = {
        "Bus": {"Value": {"Ref": "Bus"}, "Export": {"Name": {"Fn::Sub": "${Stage}-Bus"}}},
        "Url": {"Value": {"Ref": "Stage"}},
        "Unnamed": {"Value": "x", "Export": {"Name": {"Ref": "AWS::StackName"}}},
        "Gone": {"Value": "x", "Export": {"Name": "gone"}, "Condition": "IsDev"},
    }
    conditions = {"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}}
    template = {**TEMPLATE, "Conditions": conditions, "Resources": {}, "Outputs": outputs}

    resolved = resolve(Expanded(template, PARAMETERS))

    assert resolved.outputs == {"Bus": {"Ref": "Bus"}, "Url": "prod", "Unnamed": "x"}
    assert resolved.exports == {"prod-Bus": {"Ref": "Bus"}}


def test_resolve_loops_and_transforms_left_to_aws_are_not_resources() -> None:
    resources = {"Fn::ForEach::A": ["Name", ["a"], {}], "Fn::Transform": {"Name": "AWS::Include"}}

    assert resolve(expanded(resources)).resources == {}


def test_resolve_no_stack_is_empty() -> None:
    assert resolve(None) == ResolvedTemplate({}, {}, {}, {})


def test_references_names_ref_attribute_and_sub() -> None:
    value = [{"Ref": "A"}, {"X": {"Fn::GetAtt": ["B", "Arn"]}}, {"Fn::Sub": "${C.Arn} ${D} ${!E}"}]

    assert resolution.references(value) == {"A", "B", "C", "D"}
    assert resolution.references({"Fn::GetAtt": [{"Ref": "F"}, "Arn"]}) == {"F"}


def test_imported_names_has_known_names_of_what_exists() -> None:
    resources = {
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Bus": {"Fn::ImportValue": {"Fn::Sub": "${Stage}-Bus"}}}},
        "Dev": {"Type": "AWS::SNS::Topic", "Condition": "IsDev", "Properties": {"X": {"Fn::ImportValue": "dev"}}},
        "Open": {"Type": "AWS::SNS::Topic", "Properties": {"X": [{"Fn::ImportValue": {"Ref": "Q"}}]}},
    }
    conditions = {"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}}
    outputs = {"Url": {"Value": {"Fn::ImportValue": "url"}}}
    template = {**TEMPLATE, "Conditions": conditions, "Resources": resources, "Outputs": outputs}

    assert resolution.imported_names(Expanded(template, PARAMETERS, {"prod-Bus": "known"})) == {"prod-Bus", "url"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "A"}, True),
        ({"Fn::Sub": "x"}, True),
        ({"Condition": "A"}, False),
        ({"Ref": "A", "B": 1}, False),
        ({}, False),
        ("Ref", False),
    ],
)
def test_is_intrinsic_is_one_long_form_key(value: Any, expected: bool) -> None:
    assert resolution.is_intrinsic(value) is expected


def test_is_hashed_only_of_types_with_a_resource_per_content() -> None:
    assert resolution.is_hashed("AWS::Lambda::LayerVersion")
    assert not resolution.is_hashed("AWS::Lambda::Function")
