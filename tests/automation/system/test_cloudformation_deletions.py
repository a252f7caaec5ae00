"""What CloudFormation knows of deleted stacks, who has a resource, and termination protection."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.cloudformation import CloudFormation
from automation.system.errors import DeploymentError
from automation.system.stacks import StackResource
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-deletions")
CLOUD = CloudFormation(TARGET)
STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1"
OTHER_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/2"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("cloudformation", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def deleted(name: str, stack_id: str, day: int) -> dict[str, Any]:
    created = MOMENT.replace(day=day)
    return {"StackName": name, "StackId": stack_id, "StackStatus": "DELETE_COMPLETE", "CreationTime": created}


def listed(name: str, status: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": f"shop-{name}",
        "ResourceType": "AWS::DynamoDB::Table",
        "ResourceStatus": status,
        "LastUpdatedTimestamp": MOMENT,
    }


@pytest.mark.parametrize("on", [True, False])
def test_protect_switches_the_protection(stub: Stubber, on: bool) -> None:
    request = {"StackName": "shop", "EnableTerminationProtection": on}
    stub.add_response("update_termination_protection", {}, request)

    CLOUD.protect("shop", on=on)


def test_protect_refused_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("update_termination_protection", "AccessDenied", "no")

    with pytest.raises(DeploymentError, match="shop: AWS refused the request"):
        CLOUD.protect("shop", on=True)


def test_deleted_stacks_of_a_name_come_newest_first(stub: Stubber) -> None:
    first = [deleted("shop", STACK_ID, 1), deleted("shop-base", "arn:base", 5)]
    stub.add_response(
        "list_stacks", {"StackSummaries": first, "NextToken": "2"}, {"StackStatusFilter": ["DELETE_COMPLETE"]}
    )
    stub.add_response("list_stacks", {"StackSummaries": [deleted("shop", OTHER_ID, 2)]})

    assert CLOUD.deleted_stacks("shop") == (OTHER_ID, STACK_ID)


def test_retained_are_the_resources_whose_deletion_was_skipped(stub: Stubber) -> None:
    pages = [[listed("Sales", "DELETE_SKIPPED"), listed("Till", "DELETE_COMPLETE")], [listed("Runs", "DELETE_FAILED")]]
    stub.add_response("list_stack_resources", {"StackResourceSummaries": pages[0], "NextToken": "2"})
    stub.add_response("list_stack_resources", {"StackResourceSummaries": pages[1]})

    kind = "AWS::DynamoDB::Table"
    assert CLOUD.retained(STACK_ID) == (
        StackResource("Sales", "shop-Sales", kind),
        StackResource("Runs", "shop-Runs", kind),
    )


def owned(stub: Stubber, status: str) -> None:
    """Let a resource belong to a stack in a state."""
    resource = {**listed("Sales", "CREATE_COMPLETE"), "StackName": "shop", "StackId": STACK_ID, "Timestamp": MOMENT}
    del resource["LastUpdatedTimestamp"]
    stub.add_response("describe_stack_resources", {"StackResources": [resource]}, {"PhysicalResourceId": "shop-Sales"})
    stack = {"StackName": "shop", "StackId": STACK_ID, "StackStatus": status, "CreationTime": MOMENT}
    stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK_ID})


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED"])
def test_owner_is_the_stack_that_has_the_resource(stub: Stubber, status: str) -> None:
    owned(stub, status)

    assert CLOUD.owner("shop-Sales") == "shop"


@pytest.mark.parametrize("status", ["DELETE_COMPLETE", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_owner_of_what_a_stack_has_left_is_nobody(stub: Stubber, status: str) -> None:
    owned(stub, status)

    assert CLOUD.owner("shop-Sales") == ""


def test_owner_of_a_stranger_is_nobody(stub: Stubber) -> None:
    message = "Stack for shop-Sales does not exist"
    stub.add_client_error("describe_stack_resources", "ValidationError", message)

    assert CLOUD.owner("shop-Sales") == ""


def test_owner_without_an_answer_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("describe_stack_resources", "Throttling", "Rate exceeded")

    with pytest.raises(DeploymentError, match="shop-Sales: AWS refused the request"):
        CLOUD.owner("shop-Sales")
