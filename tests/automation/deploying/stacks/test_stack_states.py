"""Every state of a stack: deployable, running, or an obstacle with the command that helps."""

import pytest

from automation.deploying.stacks import stack_states
from automation.system.errors import Finding
from automation.system.stacks import StackState
from automation.system.targets import Target
from tests.automation.answers import enum_of

AWS = Target("eu-west-1")
EVENTS = "aws cloudformation describe-stack-events --stack-name shop --region eu-west-1"


@pytest.mark.parametrize(
    "status",
    [
        "",
        "DELETE_COMPLETE",
        "REVIEW_IN_PROGRESS",
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    ],
)
def test_obstacle_of_a_deployable_stack_is_none(status: str) -> None:
    assert stack_states.obstacle(StackState("shop", status), AWS) is None
    assert not stack_states.is_running(StackState("shop", status))


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        ("CREATE_FAILED", "delete-stack"),
        ("DELETE_FAILED", "delete-stack"),
        ("ROLLBACK_COMPLETE", "delete-stack"),
        ("ROLLBACK_FAILED", "delete-stack"),
        ("IMPORT_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_FAILED", "rollback-stack"),
    ],
)
def test_obstacle_names_the_state_and_the_command(status: str, verb: str) -> None:
    finding = stack_states.obstacle(StackState("shop", status), AWS)

    assert finding is not None
    assert (finding.where, finding.what.split(",")[0]) == ("shop", f"the stack is {status}")
    assert finding.fix.endswith(f": aws cloudformation {verb} --stack-name shop --region eu-west-1")


@pytest.mark.parametrize(
    "status",
    [
        "CREATE_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        "IMPORT_IN_PROGRESS",
        "IMPORT_ROLLBACK_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
    ],
)
def test_obstacle_of_a_running_change_is_to_wait(status: str) -> None:
    state = StackState("shop", status)

    assert stack_states.is_running(state)
    assert stack_states.obstacle(state, AWS) == Finding(
        "shop",
        f"the stack is {status}: a change of it is running",
        f"wait until its events say that it is finished: {EVENTS}",
    )


def test_obstacle_knows_every_state_of_cloudformation() -> None:
    """A state that a new version of CloudFormation adds needs an entry in the lists above."""
    vague = [
        status
        for status in enum_of("cloudformation", "StackStatus")
        if (finding := stack_states.obstacle(StackState("shop", status), AWS)) and "a state that ends in" in finding.fix
    ]

    assert vague == []
    assert len(enum_of("cloudformation", "StackStatus")) == 23


def test_obstacle_of_an_unknown_state_shows_its_events() -> None:
    assert stack_states.obstacle(StackState("shop", "EXPORT_FAILED"), AWS) == Finding(
        "shop",
        "the stack is EXPORT_FAILED, in which CloudFormation refuses updates",
        f"read its events, then bring it to a state that ends in _COMPLETE: {EVENTS}",
    )


@pytest.mark.parametrize(
    ("status", "is_new"),
    [("", True), ("DELETE_COMPLETE", True), ("REVIEW_IN_PROGRESS", True), ("CREATE_COMPLETE", False)],
)
def test_is_new_without_a_deployment(status: str, is_new: bool) -> None:
    assert stack_states.is_new(StackState("shop", status)) is is_new


@pytest.mark.parametrize(
    ("endpoint", "seconds"), [("", 2.0), ("http://127.0.0.1:1", 0.1), ("https://proxy.example", 2.0)]
)
def test_poll_s_is_short_on_loopback(endpoint: str, seconds: float) -> None:
    assert stack_states.poll_s(Target("eu-west-1", endpoint)) == seconds


@pytest.mark.parametrize(("resources", "named"), [(("Inbox", "Till"), "Inbox, Till"), ((), "resources")])
def test_drift_names_the_resources_and_shows_how(resources: tuple[str, ...], named: str) -> None:
    assert stack_states.drift("shop", AWS, resources=resources) == Finding(
        "shop",
        f"{named} differ from the template: changed outside of CloudFormation",
        "see how: aws cloudformation describe-stack-resource-drifts --stack-resource-drift-status-filters "
        "MODIFIED DELETED --stack-name shop --region eu-west-1",
    )


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETE_FAILED"])
def test_obstacle_in_an_environment_is_destroyed(status: str) -> None:
    finding = stack_states.obstacle(StackState("shop", status), AWS, "live")

    fix = f"read its events ({EVENTS}), delete it, then deploy again: inv destroy --env live"
    assert finding == Finding("shop", f"the stack is {status}, in which CloudFormation refuses updates", fix)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_failed_creation_in_an_environment_can_be_created(status: str) -> None:
    state = StackState("shop", status)

    assert stack_states.obstacle(state, AWS, "live") is None
    assert (stack_states.is_failed_creation(state), stack_states.can_be_created(state)) == (True, True)
    assert not stack_states.is_new(state)


@pytest.mark.parametrize(
    ("status", "can"), [("", True), ("REVIEW_IN_PROGRESS", True), ("UPDATE_ROLLBACK_COMPLETE", False)]
)
def test_can_be_created_is_a_stack_without_content(status: str, can: bool) -> None:
    state = StackState("shop", status)

    assert (stack_states.can_be_created(state), stack_states.is_failed_creation(state)) == (can, False)


def test_obstacle_command_goes_to_the_endpoint() -> None:
    target = Target("eu-west-1", "http://127.0.0.1:4566")

    finding = stack_states.obstacle(StackState("shop", "ROLLBACK_COMPLETE"), target)

    assert finding is not None
    assert finding.fix.endswith("--region eu-west-1 --endpoint-url http://127.0.0.1:4566")
