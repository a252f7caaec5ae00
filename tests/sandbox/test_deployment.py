"""find_deployment reads every page; test_cloud.py has it on the real emulator."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.targets import Target
from sandbox.deployment import find_deployment

TARGET = Target("us-east-1", "http://127.0.0.1:1", "test", "stubbed-deployment")
SERVICES = ("cloudformation", "lambda", "scheduler")
STACK = {"StackName": "small", "StackStatus": "CREATE_COMPLETE", "CreationTime": datetime(2026, 1, 1, tzinfo=UTC)}


@pytest.fixture
def stubs() -> Iterator[dict[str, Stubber]]:
    stubs = {service: Stubber(aws.client(service, TARGET)) for service in SERVICES}
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()
        stub.deactivate()


def page(name: str, **more: str) -> dict[str, Any]:
    resource = {
        "LogicalResourceId": name,
        "PhysicalResourceId": name,
        "ResourceType": "AWS::Scheduler::Schedule",
        "LastUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }
    return {"StackResourceSummaries": [resource], **more}


def test_find_deployment_reads_every_page_of_resources(stubs: dict[str, Stubber]) -> None:
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [STACK]}, {"StackName": "small"})
    stubs["cloudformation"].add_response("list_stack_resources", page("Daily", NextToken="2"), {"StackName": "small"})
    second = {"StackName": "small", "NextToken": "2"}
    stubs["cloudformation"].add_response("list_stack_resources", page("Hourly"), second)
    stubs["lambda"].add_response("list_functions", {"Functions": []}, {})
    stubs["lambda"].add_response("list_event_source_mappings", {"EventSourceMappings": []}, {})
    listed = [{"Name": name, "GroupName": f"{name}s"} for name in ("Daily", "Foreign", "Hourly")]
    stubs["scheduler"].add_response("list_schedules", {"Schedules": listed}, {})
    for name in ("Daily", "Hourly"):
        answer = {
            "Name": name,
            "ScheduleExpression": "rate(1 day)",
            "Target": {"Arn": "arn:x" * 5, "RoleArn": "arn:aws:iam::123456789012:role/x", "Input": "{}"},
        }
        stubs["scheduler"].add_response("get_schedule", answer, {"Name": name, "GroupName": f"{name}s"})

    deployment = find_deployment(TARGET, ["small"])

    assert [schedule.name for schedule in deployment.schedules] == ["Daily", "Hourly"]
