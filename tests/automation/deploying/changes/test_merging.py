"""The answers of DescribeChangeSet are composed from the API's model, and validated against it."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from botocore.validate import ParamValidator

from automation.deploying.changes import comparison, merging
from automation.deploying.changes.model import Action, Expanded, PropertyChange, Replacement, ResourceChange

NO, CONDITIONAL, YES = Replacement.NO, Replacement.CONDITIONAL, Replacement.YES
FUNCTION, QUEUE, RULE, TABLE = "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::Events::Rule", "AWS::DynamoDB::Table"
LAYER = "AWS::Lambda::LayerVersion"


@cache
def answer_shape() -> Shape:
    model = botocore.session.get_session().get_service_model("cloudformation")
    shape = model.operation_model("DescribeChangeSet").output_shape
    assert shape is not None
    return shape


def described(*entries: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = {"Changes": [{"Type": "Resource", "ResourceChange": entry} for entry in entries]}
    report = ParamValidator().validate(answer, answer_shape())
    assert not report.has_errors(), report.generate_report()
    return answer


def entry_of(
    logical_id: str = "X",
    resource_type: str = FUNCTION,
    *details: Mapping[str, Any],
    action: str = "Modify",
    replacement: str = "False",
    **fields: Any,
) -> dict[str, Any]:
    entry = {
        "Action": action,
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "Scope": list(dict.fromkeys(detail["Target"]["Attribute"] for detail in details)),
        "Details": list(details),
        **fields,
    }
    return {**entry, "Replacement": replacement} if action == "Modify" else entry


def detail_of(
    name: str = "", *, attribute: str = "Properties", evaluation: str = "Static", **target: str
) -> dict[str, Any]:
    named = {"Name": name} if name else {}
    return {"Target": {"Attribute": attribute, **named, **target}, "Evaluation": evaluation}


def modified(resource_type: str, **properties: tuple[Any, Any]) -> tuple[ResourceChange, ...]:
    """Return what the comparison says about the resource `X`, given each property before and after."""
    before = {name: sides[0] for name, sides in properties.items()}
    after = {name: sides[1] for name, sides in properties.items()}
    stacks = [Expanded({"Resources": {"X": {"Type": resource_type, "Properties": side}}}) for side in (before, after)]
    return comparison.compare("app", *stacks)


def merge(changes: tuple[ResourceChange, ...], *entries: Mapping[str, Any]) -> tuple[ResourceChange, ...]:
    return merging.with_change_set("app", changes, described(*entries))


def test_with_change_set_same_knowledge_changes_nothing() -> None:
    changes = modified(FUNCTION, MemorySize=(128, 256))

    assert merge(changes, entry_of("X", FUNCTION, detail_of("MemorySize", RequiresRecreation="Never"))) == changes


def test_with_change_set_without_changes_keeps_the_comparison() -> None:
    changes = modified(FUNCTION, MemorySize=(128, 256))

    assert merging.with_change_set("app", changes, {}) == changes
    assert merging.with_change_set("app", changes, {"Changes": [{"Type": "Hook"}]}) == changes


def test_with_change_set_its_values_win() -> None:
    changes = modified(FUNCTION, MemorySize=(128, 256), Role=({"Ref": "A"}, {"Ref": "B"}))
    values = {"BeforeValue": "arn:a", "AfterValue": "arn:b", "Path": "/Properties/Role"}

    (change,) = merge(changes, entry_of("X", FUNCTION, detail_of("Role", **values)))

    assert change.properties == (
        PropertyChange("Properties.MemorySize", 128, 256),
        PropertyChange("Properties.Role", "arn:a", "arn:b"),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"BeforeValue": "x"}, ("x", 256)), ({"AfterValue": "y"}, (128, "y")), ({}, (128, 256))],
)
def test_with_change_set_missing_value_is_that_of_the_comparison(
    values: Mapping[str, str], expected: tuple[Any, Any]
) -> None:
    changes = modified(FUNCTION, MemorySize=(128, 256))

    (change,) = merge(changes, entry_of("X", FUNCTION, detail_of("MemorySize", **values)))

    assert (change.properties[0].before, change.properties[0].after) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"A": 1}', {"A": 1}),
        ("[1]", [1]),
        ("{{changeSet:KNOWN_AFTER_APPLY}}", "{{changeSet:KNOWN_AFTER_APPLY}}"),
        ("7", "7"),
    ],
)
def test_with_change_set_values_are_text_or_json(text: str, value: Any) -> None:
    (change,) = merge((), entry_of("X", QUEUE, detail_of("RedrivePolicy", AfterValue=text)))

    assert change.properties == (PropertyChange("Properties.RedrivePolicy", None, value),)


def test_with_change_set_item_of_a_list_belongs_to_the_list() -> None:
    changes = modified(RULE, Targets=([{"Id": "a"}], [{"Id": "b"}]))
    values = {"Path": "/Properties/Targets/0/Id", "BeforeValue": "a", "AfterValue": "b", "RequiresRecreation": "Always"}

    (change,) = merge(changes, entry_of("X", RULE, detail_of("Targets", **values)))

    assert change.properties == (PropertyChange("Properties.Targets", [{"Id": "a"}], [{"Id": "b"}], YES),)


def test_with_change_set_whole_property_belongs_to_its_leaves() -> None:
    changes = modified(FUNCTION, Environment=({"Variables": {"A": "1"}}, {"Variables": {"A": "2"}}))

    (change,) = merge(changes, entry_of("X", FUNCTION, detail_of("Environment", RequiresRecreation="Conditionally")))

    assert change.properties == (PropertyChange("Properties.Environment.Variables.A", "1", "2", CONDITIONAL),)
    assert change.replacement is CONDITIONAL


def test_with_change_set_name_that_starts_alike_is_another_property() -> None:
    changes = modified(FUNCTION, Code=({"S3Key": "1"}, {"S3Key": "2"}))

    (change,) = merge(changes, entry_of("X", FUNCTION, detail_of("CodeSigningConfigArn", AfterValue="arn")))

    assert [entry.path for entry in change.properties] == ["Properties.Code", "Properties.CodeSigningConfigArn"]


@pytest.mark.parametrize(
    ("resource_type", "evaluation", "recreation", "expected"),
    [
        (RULE, "Static", "Always", YES),
        (RULE, "Static", "Conditionally", CONDITIONAL),
        (RULE, "Static", "Never", NO),
        (RULE, "Dynamic", "Always", CONDITIONAL),
        (RULE, "Dynamic", "Never", NO),
        (TABLE, "Static", "Conditionally", YES),
        (TABLE, "Dynamic", "Always", YES),
    ],
)
def test_with_change_set_dynamic_change_is_added(
    resource_type: str, evaluation: str, recreation: str, expected: Replacement
) -> None:
    detail = detail_of("Tier", evaluation=evaluation, RequiresRecreation=recreation)

    (change,) = merge((), entry_of("X", resource_type, detail))

    assert change.properties == (PropertyChange("Properties.Tier", replacement=expected),)
    assert (change.stack, change.logical_id, change.type) == ("app", "X", resource_type)
    assert (change.action, change.replacement) == (Action.MODIFY, expected)


def test_with_change_set_context_is_the_resource_when_the_comparison_lacks_it() -> None:
    contexts = {
        "BeforeContext": json.dumps({"Properties": {"A": "1"}}),
        "AfterContext": json.dumps({"Properties": {"A": "2"}, "UpdateReplacePolicy": "Retain"}),
    }

    (change,) = merge((), entry_of("X", QUEUE, detail_of("A"), replacement="True", **contexts))

    assert change.before == {"Type": QUEUE, "Properties": {"A": "1"}}
    assert change.after == {"Type": QUEUE, "Properties": {"A": "2"}, "UpdateReplacePolicy": "Retain"}
    assert change.policy_action == "ReplaceAndRetain"


@pytest.mark.parametrize(
    ("resource_type", "answer", "expected"),
    [
        (RULE, "True", YES),
        (RULE, "Conditional", CONDITIONAL),
        (RULE, "False", NO),
        (QUEUE, "Conditional", YES),
    ],
)
def test_with_change_set_replacement_of_the_resource_counts(
    resource_type: str, answer: str, expected: Replacement
) -> None:
    changes = modified(resource_type, Description=("a", "b"))

    (change,) = merge(changes, entry_of("X", resource_type, detail_of("Description"), replacement=answer))

    assert change.replacement is expected


def test_with_change_set_replacement_that_only_the_schemas_predict_holds() -> None:
    """An emulator calls a table's new keys a conditional replacement, or none, without an action for the old table."""
    changes = modified(TABLE, KeySchema=(["a"], ["b"]))

    (change,) = merge(changes, entry_of("X", TABLE, detail_of("KeySchema", RequiresRecreation="Never")))

    assert (change.replacement, change.properties[0].replacement) == (YES, YES)
    assert change.policy_action == "ReplaceAndDelete"


@pytest.mark.parametrize("action", ["ReplaceAndRetain", "ReplaceAndSnapshot"])
def test_with_change_set_its_policy_action_wins(action: str) -> None:
    changes = modified(QUEUE, QueueName=("a", "b"))

    (change,) = merge(changes, entry_of("X", QUEUE, detail_of("QueueName"), replacement="True", PolicyAction=action))

    assert change.policy_action == action


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("Add", Action.ADD),
        ("Remove", Action.REMOVE),
        ("Import", Action.IMPORT),
        ("Dynamic", Action.MODIFY),
        ("SyncWithActual", Action.MODIFY),
    ],
)
def test_with_change_set_its_action_wins(action: str, expected: Action) -> None:
    changes = modified(QUEUE, DelaySeconds=(1, 2))

    (change,) = merge(changes, entry_of("X", QUEUE, action=action))

    assert change.action is expected


@pytest.mark.parametrize(("action", "policy"), [("Add", ""), ("Remove", "Delete"), ("Import", "")])
def test_with_change_set_resources_that_only_it_has_are_added(action: str, policy: str) -> None:
    (change,) = merge((), entry_of("New", QUEUE, action=action))

    assert (change.logical_id, change.properties, change.policy_action) == ("New", (), policy)


@pytest.mark.parametrize("attributes", [("Tags",), ("Metadata",), ("Tags", "Metadata")])
def test_with_change_set_scope_without_effect_is_dropped(attributes: tuple[str, ...]) -> None:
    details = [detail_of(attribute=attribute) for attribute in attributes]

    assert merge((), entry_of("X", QUEUE, *details)) == ()


def test_with_change_set_layer_of_which_only_tags_change_is_dropped() -> None:
    """CloudFormation passes the stack's tags on to layers too, which get no new version by that."""
    assert merge((), entry_of("Code0123456789", LAYER, detail_of(attribute="Tags"))) == ()


def test_with_change_set_tags_beside_a_property_are_dropped() -> None:
    details = [detail_of(attribute="Tags"), detail_of("DelaySeconds"), detail_of(attribute="DeletionPolicy")]

    (change,) = merge((), entry_of("X", QUEUE, *details))

    assert [entry.path for entry in change.properties] == ["Properties.DelaySeconds", "DeletionPolicy"]


def test_with_change_set_value_that_stays_is_dropped() -> None:
    same = detail_of("Role", evaluation="Dynamic", BeforeValue="arn", AfterValue="arn")
    other = detail_of("Role", evaluation="Dynamic", BeforeValue="arn", AfterValue="other")

    assert merge((), entry_of("X", FUNCTION, same)) == ()
    assert len(merge((), entry_of("X", FUNCTION, other))) == 1


def test_with_change_set_numbers_of_layer_versions_are_dropped() -> None:
    """The comparison knows layers by name; CloudFormation sees a new ARN for each content."""
    details = [detail_of("Layers", AfterValue="[]"), detail_of("Layers", Path="/Properties/Layers/0")]

    assert merge((), entry_of("X", FUNCTION, *details)) == ()
    assert len(merge((), entry_of("X", QUEUE, *details))) == 1


def test_with_change_set_layers_that_the_comparison_knows_are_merged() -> None:
    changes = modified(FUNCTION, Layers=([{"Ref": "A"}], [{"Ref": "B"}]))
    values = {"BeforeValue": '["arn:1"]', "AfterValue": '["arn:2"]'}

    (change,) = merge(changes, entry_of("X", FUNCTION, detail_of("Layers", **values)))

    assert change.properties == (PropertyChange("Properties.Layers", ["arn:1"], ["arn:2"]),)


def test_with_change_set_layer_with_new_content_is_the_change_of_the_comparison() -> None:
    stacks = [
        Expanded({"Resources": {f"Code{key}": {"Type": LAYER, "Properties": {"Content": {"S3Key": key}}}}})
        for key in ("0123456789", "abcdef0123")
    ]
    changes = comparison.compare("app", *stacks)

    merged = merge(
        changes,
        entry_of("Codeabcdef0123", LAYER, action="Add"),
        entry_of("Code0123456789", LAYER, action="Remove", PolicyAction="Delete"),
    )

    assert merged == changes
    assert [change.logical_id for change in merged] == ["Code"]


def test_with_change_set_layer_that_the_comparison_lacks_is_modified_once() -> None:
    (change,) = merge(
        (),
        entry_of("Codeabcdef0123", LAYER, action="Add"),
        entry_of("Code0123456789", LAYER, action="Remove", PolicyAction="Delete"),
    )

    assert change == ResourceChange("app", "Code", LAYER, Action.MODIFY)


@pytest.mark.parametrize(("action", "expected"), [("Add", Action.ADD), ("Remove", Action.REMOVE)])
def test_with_change_set_new_or_removed_layer_is_added(action: str, expected: Action) -> None:
    assert merge((), entry_of("Code0123456789", LAYER, action=action)) == (
        ResourceChange("app", "Code", LAYER, expected),
    )


def test_with_change_set_layers_that_share_a_name_keep_their_ids() -> None:
    changes = tuple(ResourceChange("app", f"Code{key}", LAYER, Action.ADD) for key in ("0123456789", "abcdef0123"))

    merged = merge(changes, entry_of("Code0123456789", LAYER, action="Add"))

    assert merged == changes


@pytest.mark.parametrize(("action", "expected"), [("Add", Action.ADD), ("Remove", Action.REMOVE)])
def test_with_change_set_new_or_removed_layer_stays_so(action: str, expected: Action) -> None:
    stack = Expanded({"Resources": {"Code0123456789": {"Type": LAYER, "Properties": {}}}})
    changes = comparison.compare("app", *((None, stack) if action == "Add" else (stack, None)))

    assert merge(changes, entry_of("Code0123456789", LAYER, action=action)) == changes
    assert changes[0].action is expected
