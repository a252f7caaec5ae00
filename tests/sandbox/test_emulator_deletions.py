"""What the emulator keeps of a deleted stack; test_emulator_rules.py checks it in the emulator."""

import re
from typing import Any

import pytest

from sandbox import emulator_deletions

STACK = "AWS::CloudFormation::Stack"


def event(name: str, status: str, *, kind: str = "AWS::DynamoDB::Table", time: str = "1") -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": f"{name}-id",
        "ResourceType": kind,
        "ResourceStatus": status,
        "Timestamp": time,
        "EventId": f"{name} {status} {time}",
    }


EVENTS = [
    event("Old", "DELETE_SKIPPED"),
    event("shop", "DELETE_IN_PROGRESS", kind=STACK),
    event("Sales", "DELETE_IN_PROGRESS"),
    event("Sales", "DELETE_SKIPPED"),
    event("Role", "DELETE_FAILED"),
    event("Role", "DELETE_COMPLETE", time="2"),
    event("shop", "DELETE_COMPLETE", kind=STACK),
]


def stack(status: str, *names: str) -> dict[str, Any]:
    resources = {name: {"PhysicalResourceId": f"{name}-id"} for name in names}
    return {"StackName": "shop", "StackId": "arn:shop", "StackStatus": status, "_resources": resources}


def test_keep_deleted_files_the_stack_under_its_id() -> None:
    stacks = {"shop": stack("DELETE_COMPLETE")}

    emulator_deletions.keep_deleted(stacks, "shop", EVENTS)

    assert list(stacks) == ["arn:shop"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", stacks["arn:shop"]["DeletionTime"])
    assert stacks["arn:shop"]["_resources"] == {
        "Sales": {key: value for key, value in EVENTS[3].items() if key != "EventId"},
        "Role": {key: value for key, value in EVENTS[5].items() if key != "EventId"},
    }


@pytest.mark.parametrize(("status", "names"), [("ROLLBACK_FAILED", ["Role", "Sales"]), ("ROLLBACK_COMPLETE", ["Role"])])
def test_keep_undeleted_lists_what_a_rollback_could_not_delete(status: str, names: list[str]) -> None:
    failed = stack(status, "Role")
    failed["_rollback_failed"] = {"Sales": {"PhysicalResourceId": "Sales-id", "ResourceType": "AWS::DynamoDB::Table"}}

    emulator_deletions.keep_undeleted(failed)

    resources = failed["_resources"]
    assert sorted(resources) == names
    assert [entry.get("ResourceStatus") for entry in resources.values()] == [None, "DELETE_FAILED"][: len(names)]
    # A client cannot read a list in which a resource has no time.
    times = [entry["Timestamp"][-5:] for entry in resources.values() if "Timestamp" in entry]
    assert times == [".000Z"][: len(names) - 1]


def test_keep_deleted_knows_what_a_rolled_back_creation_left() -> None:
    stacks = {"shop": stack("DELETE_COMPLETE")}
    rolled_back = [event("shop", "ROLLBACK_IN_PROGRESS", kind=STACK), event("Switch", "DELETE_SKIPPED")]

    emulator_deletions.keep_deleted(stacks, "shop", [*rolled_back, *EVENTS[1:]])

    assert list(stacks["arn:shop"]["_resources"]) == ["Switch", "Sales", "Role"]


@pytest.mark.parametrize("status", ["DELETE_FAILED", "DELETE_IN_PROGRESS"])
def test_keep_deleted_leaves_a_stack_that_exists(status: str) -> None:
    stacks = {"shop": stack(status, "Sales")}

    emulator_deletions.keep_deleted(stacks, "shop", EVENTS)
    emulator_deletions.keep_deleted(stacks, "other", EVENTS)

    assert stacks == {"shop": stack(status, "Sales")}


def test_owner_is_a_live_stack_before_a_deleted_one() -> None:
    stacks = {"arn:a": stack("DELETE_COMPLETE", "Sales"), "shop": stack("UPDATE_COMPLETE", "Sales", "Runs")}

    assert emulator_deletions.owner(stacks, "Sales-id") == "shop"
    assert emulator_deletions.owner({"arn:a": stacks["arn:a"]}, "Sales-id") == "arn:a"
    assert emulator_deletions.owner(stacks, "Nothing-id") == ""
