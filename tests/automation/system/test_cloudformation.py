"""Each call to CloudFormation: its parameters, its pages, its errors. Answers are composed; Stubber validates them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.cloudformation import CloudFormation
from automation.system.errors import DeploymentError
from automation.system.leftovers import WaitingChangeSet
from automation.system.stacks import (
    NoSuchStackError,
    StackDescription,
    StackEvent,
    StackResource,
    StackState,
    Stage,
    StaleChangeSetError,
)
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-cloudformation")
CLOUD = CloudFormation(TARGET)
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1"
SET_ID = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/release-1/1"
DESCRIBED: dict[str, Any] = {
    "StackName": "shop",
    "StackId": STACK_ID,
    "StackStatus": "UPDATE_COMPLETE",
    "CreationTime": CREATED,
}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("cloudformation", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def missing_stack(stub: Stubber, operation: str) -> None:
    stub.add_client_error(operation, "ValidationError", "Stack with id shop does not exist")


def change(logical_id: str) -> dict[str, Any]:
    return {"Type": "Resource", "ResourceChange": {"Action": "Modify", "LogicalResourceId": logical_id}}


def test_client_is_created_once_per_target() -> None:
    client = aws.client("cloudformation", TARGET)

    assert aws.client("cloudformation", replace(TARGET)) is client
    assert aws.client("cloudformation", replace(TARGET, region="us-east-1")) is not client


def test_describe_has_parameters_tags_and_outputs(stub: Stubber) -> None:
    extra = {
        "LastUpdatedTime": datetime(2026, 2, 2, tzinfo=UTC),
        "Parameters": [{"ParameterKey": "Password", "ParameterValue": "****"}],
        "Tags": [{"Key": "release", "Value": "7"}],
        "Outputs": [{"OutputKey": "Bus", "OutputValue": "bus-1"}],
        "EnableTerminationProtection": True,
    }
    stub.add_response("describe_stacks", {"Stacks": [DESCRIBED | extra]}, {"StackName": STACK_ID})

    assert CLOUD.describe(STACK_ID) == StackDescription(
        StackState("shop", "UPDATE_COMPLETE", STACK_ID, "2026-02-02T00:00:00+00:00"),
        parameters={"Password": "****"},
        tags={"release": "7"},
        outputs={"Bus": "bus-1"},
        is_protected=True,
    )


def test_describe_missing_stack_has_no_status(stub: Stubber) -> None:
    missing_stack(stub, "describe_stacks")

    assert CLOUD.describe("shop") == StackDescription(StackState("shop"))


def test_stack_state_by_id_has_the_name(stub: Stubber) -> None:
    stub.add_response("describe_stacks", {"Stacks": [DESCRIBED]}, {"StackName": STACK_ID})

    state = CLOUD.stack_state(STACK_ID)

    assert state == StackState("shop", "UPDATE_COMPLETE", STACK_ID, "2026-01-01T00:00:00+00:00")


def test_resources_come_from_every_page_without_deleted_ones(stub: Stubber) -> None:
    def resource(name: str, status: str = "CREATE_COMPLETE", physical_id: str = "physical") -> dict[str, Any]:
        summary = {"LogicalResourceId": name, "ResourceType": "AWS::Lambda::Function", "ResourceStatus": status}
        return (
            summary | {"LastUpdatedTimestamp": CREATED} | ({"PhysicalResourceId": physical_id} if physical_id else {})
        )

    first = [resource(f"F{number}") for number in range(100)]
    second = [resource("Deleted", "DELETE_COMPLETE"), resource("Failed", "CREATE_FAILED", ""), resource("Last")]
    for _ in range(2):
        stub.add_response("list_stack_resources", {"StackResourceSummaries": first, "NextToken": "2"})
        stub.add_response("list_stack_resources", {"StackResourceSummaries": second})

    resources = CLOUD.resources("shop")

    assert len(resources) == 101
    assert resources[-1] == StackResource("Last", "physical", "AWS::Lambda::Function")
    assert aws.Cloud(TARGET).functions("shop")["Last"] == "physical"


@pytest.mark.parametrize(
    ("change_set", "expected"), [("", {}), (SET_ID, {"ChangeSetName": SET_ID})], ids=["deployed", "change set"]
)
def test_template_of_stack_or_change_set(stub: Stubber, change_set: str, expected: dict[str, str]) -> None:
    answer = {"TemplateBody": '{"Resources": {}}'}
    stub.add_response("get_template", answer, {"StackName": "shop", "TemplateStage": "Processed", **expected})

    assert CLOUD.template("shop", Stage.PROCESSED, change_set=change_set) == {"Resources": {}}


def test_template_errors_are_told_apart(stub: Stubber) -> None:
    missing_stack(stub, "get_template")
    stub.add_client_error("get_template", "ChangeSetNotFound", "ChangeSet [x] does not exist")

    with pytest.raises(NoSuchStackError, match="shop: there is no such stack"):
        CLOUD.template("shop", Stage.ORIGINAL)
    with pytest.raises(StaleChangeSetError, match=r"can no longer be used: ChangeSet \[x\] does not exist"):
        CLOUD.template("shop", Stage.ORIGINAL, change_set=SET_ID)


def test_exports_come_from_every_page(stub: Stubber) -> None:
    stub.add_response("list_exports", {"Exports": [{"Name": "a", "Value": "1"}], "NextToken": "2"})
    stub.add_response("list_exports", {"Exports": [{"Name": "b", "Value": "2"}]}, {"NextToken": "2"})

    assert CLOUD.exports() == {"a": "1", "b": "2"}


def test_create_change_set_returns_both_ids(stub: Stubber) -> None:
    request = {"StackName": "shop", "ChangeSetName": "release-1", "ChangeSetType": "CREATE"}
    stub.add_response("create_change_set", {"Id": SET_ID, "StackId": STACK_ID}, request)

    assert CLOUD.create_change_set(request) == (SET_ID, STACK_ID)


def test_create_change_set_missing_template_is_not_a_missing_stack(stub: Stubber) -> None:
    stub.add_client_error("create_change_set", "ValidationError", "S3 error: The specified key does not exist.")

    with pytest.raises(DeploymentError, match=r"shop: AWS refused the request: .*specified key") as caught:
        CLOUD.create_change_set({"StackName": "shop", "ChangeSetName": "release-1"})

    assert not isinstance(caught.value, NoSuchStackError)


def test_describe_change_set_joins_all_pages(stub: Stubber) -> None:
    page = {"ChangeSetId": SET_ID, "StackId": STACK_ID, "Status": "CREATE_COMPLETE"}
    request: dict[str, Any] = {"ChangeSetName": SET_ID, "IncludePropertyValues": True}
    stub.add_response("describe_change_set", page | {"Changes": [change("A")], "NextToken": "2"}, request)
    stub.add_response("describe_change_set", page | {"Changes": [change("B")]}, request | {"NextToken": "2"})

    described = CLOUD.describe_change_set(SET_ID)

    assert (described["StackId"], described["Status"]) == (STACK_ID, "CREATE_COMPLETE")
    assert [entry["ResourceChange"]["LogicalResourceId"] for entry in described["Changes"]] == ["A", "B"]
    assert "NextToken" not in described


def test_change_sets_come_from_every_page(stub: Stubber) -> None:
    stub.add_response("list_change_sets", {"Summaries": [{"ChangeSetId": "a"}], "NextToken": "2"})
    stub.add_response("list_change_sets", {"Summaries": [{"ChangeSetId": "b"}]})

    assert CLOUD.change_sets(STACK_ID) == ("a", "b")


def test_waiting_change_sets_are_those_that_nobody_has_executed(stub: Stubber) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    waiting = {
        "ChangeSetId": "a",
        "ChangeSetName": "release-1",
        "StackId": STACK_ID,
        "StackName": "shop",
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "CreationTime": moment,
    }
    summaries = [
        waiting,
        {**waiting, "ChangeSetId": "b", "Status": "FAILED", "ExecutionStatus": "UNAVAILABLE"},
        {**waiting, "ChangeSetId": "c", "ExecutionStatus": "OBSOLETE"},
        {**waiting, "ChangeSetId": "d", "ExecutionStatus": "EXECUTE_COMPLETE"},
        {**waiting, "ChangeSetId": "e", "Status": "CREATE_IN_PROGRESS", "ExecutionStatus": "UNAVAILABLE"},
    ]
    stub.add_response("list_change_sets", {"Summaries": summaries[:1], "NextToken": "2"}, {"StackName": STACK_ID})
    stub.add_response("list_change_sets", {"Summaries": summaries[1:]}, {"StackName": STACK_ID, "NextToken": "2"})

    change_sets = CLOUD.waiting_change_sets(STACK_ID)

    assert [change_set.id for change_set in change_sets] == ["a", "b", "c"]
    assert change_sets[0] == WaitingChangeSet("a", "release-1", STACK_ID, "shop", moment)


def test_waiting_change_sets_refused_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("list_change_sets", "AccessDenied", "not you")

    with pytest.raises(DeploymentError, match="not you"):
        CLOUD.waiting_change_sets(STACK_ID)


def test_delete_change_set_missing_one_is_fine(stub: Stubber) -> None:
    stub.add_response("delete_change_set", {}, {"ChangeSetName": SET_ID})
    stub.add_client_error("delete_change_set", "ChangeSetNotFound", "ChangeSet [x] does not exist")

    CLOUD.delete_change_set(SET_ID)
    CLOUD.delete_change_set(SET_ID)


def test_delete_change_set_refused_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("delete_change_set", "AccessDenied", "not you")

    with pytest.raises(DeploymentError, match="not you"):
        CLOUD.delete_change_set(SET_ID)


def test_execute_change_set_sends_the_token(stub: Stubber) -> None:
    stub.add_response("execute_change_set", {}, {"ChangeSetName": SET_ID, "ClientRequestToken": "t-1"})

    CLOUD.execute_change_set(SET_ID, token="t-1")


@pytest.mark.parametrize("code", ["ChangeSetNotFound", "InvalidChangeSetStatus"])
def test_execute_change_set_stale_one_is_its_own_error(stub: Stubber, code: str) -> None:
    stub.add_client_error("execute_change_set", code, "ChangeSet [x] is OBSOLETE")

    with pytest.raises(StaleChangeSetError, match=r"can no longer be used: ChangeSet \[x\] is OBSOLETE"):
        CLOUD.execute_change_set(SET_ID, token="t-1")


def test_events_are_read_page_by_page(stub: Stubber) -> None:
    def answer(number: int, **more: Any) -> dict[str, Any]:
        return {"EventId": str(number), "StackId": STACK_ID, "StackName": "shop", "Timestamp": CREATED, **more}

    reason = {"ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "taken", "ResourceType": "AWS::SQS::Queue"}
    newest = answer(3, LogicalResourceId="Queue", PhysicalResourceId="q-1", **reason)
    stub.add_response("describe_stack_events", {"StackEvents": [newest], "NextToken": "2"}, {"StackName": STACK_ID})

    events = CLOUD.events(STACK_ID)

    first = next(events)
    assert first == StackEvent("3", STACK_ID, "Queue", "q-1", "AWS::SQS::Queue", "CREATE_FAILED", "taken")
    stub.add_response("describe_stack_events", {"StackEvents": [answer(2), answer(1)]})
    assert [event.id for event in events] == ["2", "1"]


def test_events_of_missing_stack_are_an_error(stub: Stubber) -> None:
    missing_stack(stub, "describe_stack_events")

    with pytest.raises(NoSuchStackError):
        next(CLOUD.events("shop"))


def test_cancel_update_and_delete_stack_name_the_stack(stub: Stubber) -> None:
    stub.add_response("cancel_update_stack", {}, {"StackName": STACK_ID})
    stub.add_response("delete_stack", {}, {"StackName": STACK_ID})

    CLOUD.cancel_update(STACK_ID)
    CLOUD.delete_stack(STACK_ID)


def test_delete_stack_retains_resources(stub: Stubber) -> None:
    stub.add_response("delete_stack", {}, {"StackName": STACK_ID, "RetainResources": ["Sales", "Runs"]})

    CLOUD.delete_stack(STACK_ID, retain=("Sales", "Runs"))


@pytest.mark.parametrize("operation", ["cancel_update_stack", "delete_stack"])
def test_refused_change_is_an_error(stub: Stubber, operation: str) -> None:
    stub.add_client_error(operation, "ValidationError", "cannot be called from current stack status")

    with pytest.raises(DeploymentError, match=r"shop: AWS refused the request: .*current stack status"):
        (CLOUD.cancel_update if operation == "cancel_update_stack" else CLOUD.delete_stack)("shop")
