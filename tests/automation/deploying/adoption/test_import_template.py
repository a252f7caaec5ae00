"""The template of an import: the old definitions, without what an import does not allow."""

from dataclasses import replace
from typing import Any

import pytest

from automation.deploying.adoption import import_template
from automation.system.holdings import QUEUE, TABLE
from tests.automation.deploying.adoption.retained_examples import (
    DEAD,
    INBOX,
    RETAIN,
    SALES,
    SWITCH,
    definition,
    retained,
)


def imported(value: Any, *more: Any) -> Any:
    """Return what a property of a queue becomes in the template; None when it is left out."""
    resource = retained("Inbox", "https://sqs/1/inbox", definition(QUEUE, {"Kept": 1, "Subject": value}))
    return import_template.template([resource, *more])["Resources"]["Inbox"]["Properties"].get("Subject")


def test_template_has_only_resources_with_their_old_definitions() -> None:
    template = import_template.template([SALES, SWITCH])

    assert template.keys() == {"AWSTemplateFormatVersion", "Description", "Resources"}
    assert template["Resources"] == {"Sales": SALES.definition, "Switch": SWITCH.definition}
    assert template["Resources"]["Sales"].keys() == {"Type", "Properties", *RETAIN}


def test_template_is_recognised_afterwards() -> None:
    assert import_template.is_ours(import_template.template([SALES]))
    assert not import_template.is_ours({"Resources": {}})
    assert not import_template.is_ours({"Description": "another one", "Resources": {}})


def test_template_without_a_policy_retains() -> None:
    """An import demands a DeletionPolicy."""
    plain = replace(SALES, definition={"Type": TABLE})

    assert import_template.template([plain])["Resources"]["Sales"] == {"DeletionPolicy": "Retain", "Type": TABLE}


def test_template_leaves_out_what_is_not_of_the_resource_itself() -> None:
    resource = replace(SALES, definition={**SALES.definition, "DependsOn": "Till", "UpdatePolicy": {}, "Metadata": {}})

    assert import_template.template([resource])["Resources"]["Sales"] == SALES.definition


def test_reference_to_another_import_stays() -> None:
    together = import_template.template([INBOX, DEAD])["Resources"]["Inbox"]["Properties"]
    alone = import_template.template([INBOX])["Resources"]["Inbox"]["Properties"]

    assert together["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}
    assert "RedrivePolicy" not in alone
    assert alone == {"QueueName": "shop-inbox.fifo"}


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Key"},
        {"Fn::GetAtt": ["Key", "Arn"]},
        {"Fn::Sub": "${Key.Arn}/*"},
        [{"Name": {"Ref": "Key"}}],
        {"Fn::If": ["IsLocal", 1, 2]},
        {"Fn::ImportValue": "bus"},
        {"deep": [{"Fn::FindInMap": ["a", "b", "c"]}]},
        {"Fn::Transform": {"Name": "x"}},
    ],
    ids=str,
)
def test_value_that_needs_more_than_the_imports_is_left_out(value: Any) -> None:
    assert imported(value) is None


@pytest.mark.parametrize(
    "value",
    [
        7,
        "text",
        {"Ref": "Dead"},
        {"Ref": "AWS::Partition"},
        {"Fn::Sub": "arn:${AWS::Partition}:${Dead.Arn}"},
        ["a", {"b": "c"}],
    ],
    ids=str,
)
def test_value_that_needs_no_more_stays(value: Any) -> None:
    assert imported(value, DEAD) == value


def test_fixed_name_is_the_real_one_however_the_template_wrote_it() -> None:
    named = definition(QUEUE, {"QueueName": {"Fn::Sub": "${Till}-inbox"}})

    template = import_template.template([retained("Inbox", "https://sqs/1/shop-inbox", named)])

    assert template["Resources"]["Inbox"]["Properties"] == {"QueueName": "shop-inbox"}


def test_identifiers_name_each_resource_as_its_type_demands() -> None:
    assert import_template.identifiers([SALES, DEAD, SWITCH]) == [
        {
            "ResourceType": "AWS::DynamoDB::Table",
            "LogicalResourceId": "Sales",
            "ResourceIdentifier": {"TableName": "shop-live-Sales-1"},
        },
        {
            "ResourceType": "AWS::SQS::Queue",
            "LogicalResourceId": "Dead",
            "ResourceIdentifier": {"QueueUrl": "https://sqs/123456789012/shop-Dead-1"},
        },
        {
            "ResourceType": "AWS::SSM::Parameter",
            "LogicalResourceId": "Switch",
            "ResourceIdentifier": {"Name": "/shop/on"},
        },
    ]
