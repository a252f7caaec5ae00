"""Stacks and their events as values; the first failure that is not the consequence of another."""

import pytest

from automation.system import stacks
from automation.system.stacks import StackEvent, StackState

STACK_ID = "arn:aws:cloudformation:eu-west-1:1:stack/shop/1"


def event(status: str, reason: str = "", resource: str = "Queue") -> StackEvent:
    return StackEvent("1", STACK_ID, resource, "physical", "AWS::SQS::Queue", status, reason)


def test_failure_reason_is_the_first_root_cause() -> None:
    events = [
        event("CREATE_IN_PROGRESS", "started"),
        event("CREATE_FAILED", "Resource creation cancelled", "A"),
        event("CREATE_FAILED", "name is taken", "B"),
        event("CREATE_FAILED", "a later one", "C"),
    ]

    assert stacks.failure_reason(events) == "B (AWS::SQS::Queue): name is taken"


def test_failure_reason_unexplained_failure_says_so() -> None:
    assert stacks.failure_reason([event("DELETE_FAILED")]) == "Queue (AWS::SQS::Queue): no reason"


def test_failure_reason_without_failure_is_empty() -> None:
    assert stacks.failure_reason([event("CREATE_COMPLETE", "fine")]) == ""


@pytest.mark.parametrize(
    ("type_", "physical_id", "is_of_stack"),
    [
        (stacks.STACK_TYPE, STACK_ID, True),
        (stacks.STACK_TYPE, "arn:nested", False),
        ("AWS::SQS::Queue", STACK_ID, False),
    ],
)
def test_is_of_stack_nested_stack_is_a_resource(type_: str, physical_id: str, is_of_stack: bool) -> None:
    assert StackEvent("1", STACK_ID, "shop", physical_id, type_, "CREATE_COMPLETE").is_of_stack is is_of_stack


@pytest.mark.parametrize(("status", "is_running"), [("UPDATE_IN_PROGRESS", True), ("UPDATE_COMPLETE", False)])
def test_event_is_running_while_in_progress(status: str, is_running: bool) -> None:
    assert event(status).is_running is is_running


def test_state_exists_with_a_status() -> None:
    assert StackState("shop", "CREATE_COMPLETE").exists
    assert not StackState("shop").exists
