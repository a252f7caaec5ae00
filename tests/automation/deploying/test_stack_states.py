"""Every state of a stack: deployable, running, or an obstacle with the command that helps."""

import pytest

from automation.deploying import stack_states
from automation.system.aws import StackState
from automation.system.errors import DeploymentError
from automation.system.targets import Target

AWS = Target("eu-west-1")


class ChangingCloud:
    """A stack whose status changes with every look, until the last."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.slept: list[float] = []

    def stack_state(self, name: str) -> StackState:
        return StackState(name, self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


@pytest.mark.parametrize(
    "status",
    [
        "",
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


def test_obstacle_command_goes_to_the_endpoint() -> None:
    target = Target("eu-west-1", "http://127.0.0.1:4566")

    finding = stack_states.obstacle(StackState("shop", "ROLLBACK_COMPLETE"), target)

    assert finding is not None
    assert finding.fix.endswith("--region eu-west-1 --endpoint-url http://127.0.0.1:4566")


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_wait_until_settled_waits_for_a_running_change(status: str, capsys: pytest.CaptureFixture[str]) -> None:
    cloud, slept = ChangingCloud(status, status, "UPDATE_COMPLETE"), list[float]()

    [state] = stack_states.wait_until_settled(["shop"], cloud, sleep=slept.append)

    assert (state.status, slept) == ("UPDATE_COMPLETE", [stack_states.POLL_S] * 2)
    assert f"shop is {status}: waiting until this change is finished" in capsys.readouterr().err


def test_wait_until_settled_settled_stacks_wait_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []

    states = stack_states.wait_until_settled(["a", "b"], ChangingCloud("UPDATE_COMPLETE"), sleep=slept.append)

    assert ([state.name for state in states], slept) == (["a", "b"], [])
    assert capsys.readouterr().err == ""


def test_wait_until_settled_endless_change_is_an_error() -> None:
    slept: list[float] = []

    with pytest.raises(DeploymentError, match="shop: is still UPDATE_IN_PROGRESS after 6 s; wait for it to finish"):
        stack_states.wait_until_settled(
            ["shop"], ChangingCloud("UPDATE_IN_PROGRESS"), sleep=slept.append, max_wait_s=6.0
        )

    assert slept == [2.0, 2.0, 2.0]
