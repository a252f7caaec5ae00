from collections.abc import Mapping
from typing import Any

import pytest

from automation.deploying.changes import comparison
from automation.deploying.changes.model import Action, Expanded, PropertyChange, Replacement, ResourceChange

NO, CONDITIONAL, YES = Replacement.NO, Replacement.CONDITIONAL, Replacement.YES
ROLE: Mapping[str, Any] = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "a", "Path": "/"}}
FUNCTION, QUEUE = "AWS::Lambda::Function", "AWS::SQS::Queue"


def expanded(**resources: Mapping[str, Any]) -> Expanded:
    return Expanded({"Resources": resources})


def resource(resource_type: str, *, attributes: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return {"Type": resource_type, "Properties": properties, **(attributes or {})}


def exporting(value: object, name: str = "bus", **resources: Mapping[str, Any]) -> Expanded:
    return Expanded({"Resources": resources, "Outputs": {"Bus": {"Value": value, "Export": {"Name": name}}}})


def only(changes: tuple[ResourceChange, ...]) -> ResourceChange:
    (change,) = changes
    return change


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> ResourceChange:
    """Return the change of one resource, `X`."""
    return only(comparison.compare("app", expanded(X=before), expanded(X=after)))


def test_compare_equal_templates_finds_nothing() -> None:
    assert comparison.compare("app", expanded(Role=ROLE), expanded(Role=dict(ROLE))) == ()


def test_compare_new_stack_adds_every_resource() -> None:
    assert comparison.compare("app", None, expanded(Role=ROLE)) == (
        ResourceChange("app", "Role", "AWS::IAM::Role", Action.ADD, after=ROLE),
    )


def test_compare_removed_stack_removes_every_resource() -> None:
    assert comparison.compare("app", expanded(Role=ROLE), None) == (
        ResourceChange("app", "Role", "AWS::IAM::Role", Action.REMOVE, policy_action="Delete", before=ROLE),
    )


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("Retain", "Retain"),
        ("RetainExceptOnCreate", "Retain"),
        ("Snapshot", "Snapshot"),
        ("Delete", "Delete"),
        (None, "Delete"),
    ],
)
def test_compare_removed_resource_follows_its_deletion_policy(policy: str | None, expected: str) -> None:
    before = expanded(Queue=resource(QUEUE, attributes={"DeletionPolicy": policy, "UpdateReplacePolicy": "Other"}))

    assert only(comparison.compare("app", before, expanded())).policy_action == expected


def test_compare_property_descends_to_the_differing_leaf() -> None:
    before = resource(FUNCTION, MemorySize=128, Environment={"Variables": {"STAGE": "dev", "KEPT": "1", "OLD": "x"}})
    after = resource(FUNCTION, MemorySize=256, Environment={"Variables": {"STAGE": "prod", "KEPT": "1", "NEW": "y"}})

    change = changed(before, after)

    assert change.properties == (
        PropertyChange("Properties.MemorySize", 128, 256),
        PropertyChange("Properties.Environment.Variables.STAGE", "dev", "prod"),
        PropertyChange("Properties.Environment.Variables.OLD", "x", None),
        PropertyChange("Properties.Environment.Variables.NEW", None, "y"),
    )
    assert (change.stack, change.logical_id, change.type) == ("app", "X", FUNCTION)
    assert (change.action, change.replacement, change.policy_action) == (Action.MODIFY, NO, "")
    assert (change.before, change.after) == (before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"KeySchema": [{"AttributeName": "a"}]}, {"KeySchema": [{"AttributeName": "b"}]}),
        ({"KeySchema": {"Ref": "A"}}, {"KeySchema": {"Ref": "B"}}),
        ({"KeySchema": {"Ref": "A"}}, {"KeySchema": {"AttributeName": "b"}}),
        ({"KeySchema": {"AttributeName": "b"}}, {"KeySchema": "b"}),
        ({}, {"KeySchema": {"AttributeName": "b"}}),
    ],
)
def test_compare_lists_intrinsics_and_missing_values_are_leaves(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    change = changed(resource(QUEUE, **before), resource(QUEUE, **after))

    assert change.properties == (
        PropertyChange("Properties.KeySchema", before.get("KeySchema"), after.get("KeySchema")),
    )


@pytest.mark.parametrize(("resource_type", "name"), [(FUNCTION, "Code"), ("AWS::Lambda::LayerVersion", "Content")])
def test_compare_code_is_a_whole_value(resource_type: str, name: str) -> None:
    before, after = {"S3Bucket": "code", "S3Key": "1"}, {"S3Bucket": "code", "S3Key": "2"}

    change = changed(resource(resource_type, **{name: before}), resource(resource_type, **{name: after}))

    assert change.properties == (PropertyChange(f"Properties.{name}", before, after),)


def test_compare_code_of_a_type_without_code_is_descended() -> None:
    change = changed(resource(QUEUE, Code={"A": 1, "B": 1}), resource(QUEUE, Code={"A": 1, "B": 2}))

    assert [entry.path for entry in change.properties] == ["Properties.Code.B"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (30, "30"),
        (True, "true"),
        (False, "false"),
        ([{"A": 1}], [{"A": "1"}]),
        ({"1": "x"}, {1: "x"}),
        (None, None),
    ],
)
def test_is_same_ignores_how_a_scalar_is_written(before: Any, after: Any) -> None:
    assert comparison.is_same(before, after)


@pytest.mark.parametrize(
    ("before", "after"), [(30, 31), (True, False), ([1, 2], [2, 1]), ("None", None), ("True", True), ({"A": 1}, {})]
)
def test_is_same_not_for_other_values(before: Any, after: Any) -> None:
    assert not comparison.is_same(before, after)


@pytest.mark.parametrize("attribute", ["DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy"])
def test_compare_attributes_are_properties_of_the_change(attribute: str) -> None:
    before = resource("AWS::S3::Bucket", attributes={attribute: "Retain"})

    change = changed(before, resource("AWS::S3::Bucket"))

    assert change.properties == (PropertyChange(attribute, "Retain", None, NO),)


@pytest.mark.parametrize("attribute", ["Metadata", "DependsOn"])
def test_compare_attributes_without_effect_are_ignored(attribute: str) -> None:
    before = resource(QUEUE, attributes={attribute: "Old"})

    assert comparison.compare("app", expanded(X=before), expanded(X=resource(QUEUE))) == ()


def test_compare_resource_without_properties_equals_empty_ones() -> None:
    assert comparison.compare("app", expanded(X={"Type": QUEUE}), expanded(X=resource(QUEUE))) == ()


def test_compare_type_change_replaces() -> None:
    change = changed(resource(QUEUE), resource("AWS::SNS::Topic"))

    assert change.properties == (PropertyChange("Type", QUEUE, "AWS::SNS::Topic", YES),)
    assert (change.type, change.replacement) == ("AWS::SNS::Topic", YES)
    assert change.policy_action == "ReplaceAndDelete"


def test_compare_replacement_is_the_worst_of_the_properties() -> None:
    retained = {"UpdateReplacePolicy": "Retain", "DeletionPolicy": "Snapshot"}
    before = resource(QUEUE, attributes=retained, QueueName="a", DelaySeconds=1)
    after = resource(QUEUE, attributes=retained, QueueName="b", DelaySeconds=2)

    change = changed(before, after)

    assert [entry.replacement for entry in change.properties] == [YES, NO]
    assert (change.replacement, change.policy_action) == (YES, "ReplaceAndRetain")


def test_compare_conditional_replacement_keeps_the_old_resource_open() -> None:
    change = changed(resource("AWS::Events::Rule", EventBusName="a"), resource("AWS::Events::Rule", EventBusName="b"))

    assert (change.replacement, change.policy_action) == (CONDITIONAL, "")


def test_compare_attribute_definitions_looks_at_the_types() -> None:
    before = resource("AWS::DynamoDB::Table", AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}])
    after = resource("AWS::DynamoDB::Table", AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "N"}])

    assert changed(before, after).replacement is YES


def test_compare_order_is_the_new_template_then_the_removed() -> None:
    before = expanded(Gone=ROLE, A=ROLE)
    after = expanded(New=ROLE, A=resource("AWS::IAM::Role", RoleName="b", Path="/"))

    changes = comparison.compare("app", before, after)

    assert [change.logical_id for change in changes] == ["New", "A", "Gone"]


def test_compare_layer_with_new_content_is_a_modified_layer() -> None:
    """The function that uses it does not change: it refers to the layer by its name."""
    function = "AWS::Lambda::Function"
    old = resource("AWS::Lambda::LayerVersion", Content={"S3Key": "1"}, Description="a")
    new = resource("AWS::Lambda::LayerVersion", Content={"S3Key": "2"}, Description="b")
    before = expanded(Code0123456789=old, Fn=resource(function, Layers=[{"Ref": "Code0123456789"}]))
    after = expanded(Codeabcdef0123=new, Fn=resource(function, Layers=[{"Ref": "Codeabcdef0123"}]))

    change = only(comparison.compare("app", before, after))

    assert (change.logical_id, change.action, change.replacement) == ("Code", Action.MODIFY, NO)
    assert change.policy_action == ""
    assert [entry.path for entry in change.properties] == ["Properties.Content", "Properties.Description"]
    assert [entry.replacement for entry in change.properties] == [NO, NO]


def test_compare_function_with_another_layer_changes() -> None:
    layer = resource("AWS::Lambda::LayerVersion")
    before = expanded(A=layer, B=layer, Fn=resource(FUNCTION, Layers=[{"Ref": "A"}]))
    after = expanded(A=layer, B=layer, Fn=resource(FUNCTION, Layers=[{"Ref": "B"}]))

    change = only(comparison.compare("app", before, after))

    assert change.properties == (PropertyChange("Properties.Layers", [{"Ref": "A"}], [{"Ref": "B"}]),)


def test_compare_new_version_without_other_difference_is_modified() -> None:
    version = resource("AWS::Lambda::Version", FunctionName={"Ref": "Fn"})

    change = only(
        comparison.compare("app", expanded(FnVersion0123456789=version), expanded(FnVersionabcdef0123=version))
    )

    assert (change.logical_id, change.action) == ("FnVersion", Action.MODIFY)
    assert change.properties == (PropertyChange("LogicalId", "FnVersion0123456789", "FnVersionabcdef0123"),)


def test_compare_condition_that_becomes_false_removes() -> None:
    template = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Condition": "IsProd"}},
    }

    changes = comparison.compare("app", Expanded(template, {"Stage": "prod"}), Expanded(template, {"Stage": "dev"}))

    assert only(changes).action is Action.REMOVE


def test_compare_references_to_a_replaced_resource_change_with_it() -> None:
    values = {"NAME": {"Ref": "Bus"}, "ARN": {"Fn::GetAtt": ["Bus", "Arn"]}, "SUB": {"Fn::Sub": "${Bus}/x"}, "X": "1"}
    function = resource(FUNCTION, Environment={"Variables": values})

    changes = comparison.compare(
        "app",
        expanded(Bus=resource("AWS::Events::EventBus", Name="a"), Fn=function),
        expanded(Bus=resource("AWS::Events::EventBus", Name="b"), Fn=function),
    )

    assert [change.logical_id for change in changes] == ["Bus", "Fn"]
    follower = changes[1]
    assert follower.properties == (
        PropertyChange("Properties.Environment.Variables.NAME", {"Ref": "Bus"}, {"Ref": "Bus"}, NO),
        PropertyChange("Properties.Environment.Variables.ARN", values["ARN"], values["ARN"], NO),
        PropertyChange("Properties.Environment.Variables.SUB", values["SUB"], values["SUB"], NO),
    )
    assert (follower.type, follower.action, follower.replacement) == (FUNCTION, Action.MODIFY, NO)
    assert (follower.before, follower.after) == (function, function)


def test_compare_replacement_spreads_through_properties_that_replace() -> None:
    """A replaced function replaces its log group, whose name has the function's, and then what names the group."""

    def stack(name: str) -> Expanded:
        return expanded(
            User=resource("AWS::SSM::Parameter", Name={"Fn::Sub": "/${Logs}"}),
            Logs=resource("AWS::Logs::LogGroup", LogGroupName={"Fn::Sub": "/aws/${Fn}"}, RetentionInDays=1),
            Fn=resource(FUNCTION, FunctionName=name),
        )

    changes = {change.logical_id: change for change in comparison.compare("app", stack("a"), stack("b"))}

    assert {name: change.replacement for name, change in changes.items()} == {"User": YES, "Logs": YES, "Fn": YES}
    assert changes["Logs"].policy_action == "ReplaceAndDelete"


def test_compare_uncertain_replacement_stays_uncertain_for_followers() -> None:
    def stack(bus: str) -> Expanded:
        return expanded(
            Rule=resource("AWS::Events::Rule", EventBusName=bus),
            Permission=resource("AWS::Lambda::Permission", SourceArn={"Fn::GetAtt": ["Rule", "Arn"]}),
            Target=resource("AWS::SNS::Topic", DisplayName={"Ref": "Rule"}),
        )

    changes = {change.logical_id: change for change in comparison.compare("app", stack("a"), stack("b"))}

    assert {name: change.replacement for name, change in changes.items()} == {
        "Rule": CONDITIONAL,
        "Permission": CONDITIONAL,
        "Target": NO,
    }


def test_compare_follower_keeps_its_own_changes() -> None:
    def stack(name: str, timeout: int) -> Expanded:
        environment = {"Variables": {"BUS": {"Ref": "Bus"}, "NAME": name}}
        return expanded(
            Bus=resource("AWS::Events::EventBus", Name=name),
            Fn=resource(FUNCTION, Timeout=timeout, Environment=environment),
        )

    change = comparison.compare("app", stack("a", 1), stack("b", 2))[1]

    assert [(entry.path, entry.before, entry.after) for entry in change.properties] == [
        ("Properties.Timeout", 1, 2),
        ("Properties.Environment.Variables.NAME", "a", "b"),
        ("Properties.Environment.Variables.BUS", {"Ref": "Bus"}, {"Ref": "Bus"}),
    ]


def test_compare_new_and_modified_resources_have_no_followers() -> None:
    function = resource(FUNCTION, Layers=[{"Ref": "Queue"}, {"Ref": "New"}])
    before = expanded(Queue=resource(QUEUE, DelaySeconds=1), Fn=function)
    after = expanded(Queue=resource(QUEUE, DelaySeconds=2), New=ROLE, Fn=function)

    changes = comparison.compare("app", before, after)

    assert [change.logical_id for change in changes] == ["Queue", "New"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (exporting("a"), exporting("a"), set()),
        (exporting("a"), exporting("b"), {"bus"}),
        (exporting("a"), exporting("a", "other"), {"bus", "other"}),
        (None, exporting("a"), {"bus"}),
        (exporting("a"), None, {"bus"}),
        (exporting(1), exporting("1"), set()),
    ],
)
def test_changed_exports_are_new_removed_or_have_another_value(
    before: Expanded | None, after: Expanded | None, expected: set[str]
) -> None:
    assert comparison.changed_exports(before, after) == expected


@pytest.mark.parametrize(("name", "expected"), [("b", {"bus"}), ("a", set())])
def test_changed_exports_follow_a_replaced_resource(name: str, expected: set[str]) -> None:
    before = exporting({"Ref": "Bus"}, Bus=resource("AWS::Events::EventBus", Name="a"))
    after = exporting({"Ref": "Bus"}, Bus=resource("AWS::Events::EventBus", Name=name))

    assert comparison.changed_exports(before, after) == expected


def test_changed_exports_not_of_a_modified_resource() -> None:
    before = exporting({"Ref": "Queue"}, Queue=resource(QUEUE, DelaySeconds=1))
    after = exporting({"Ref": "Queue"}, Queue=resource(QUEUE, DelaySeconds=2))

    assert comparison.changed_exports(before, after) == frozenset()
