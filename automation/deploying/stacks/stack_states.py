"""Whether a stack can be deployed in its present state, and what to type when it cannot."""

import shlex
from collections.abc import Iterable
from typing import Protocol

from automation.system import aws_commands
from automation.system.errors import Finding
from automation.system.stacks import StackState
from automation.system.targets import Target

POLL_S = 2.0
LOOPBACK_POLL_S = 0.1
_IN_PROGRESS = "_IN_PROGRESS"
# A change set was created for a stack that does not exist yet: nothing is running, and a deployment creates the stack.
NOT_CREATED = "REVIEW_IN_PROGRESS"
_NEW = frozenset({"", NOT_CREATED, "DELETE_COMPLETE"})
# The creation failed, and CloudFormation has taken it back: the stack has at most what could not be deleted, such as a
# protected table, and can only be deleted.
_FAILED_CREATION = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
_DEPLOYABLE = _NEW | frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
# Source: AWS CloudFormation user guide, "Stack status codes": these can only be deleted.
_DELETABLE = frozenset({"CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
_RESUMABLE = frozenset({"IMPORT_ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"})
_CAN_ROLL_BACK = frozenset({"UPDATE_FAILED"})
_DESCRIBE_DRIFTS = (
    "cloudformation",
    "describe-stack-resource-drifts",
    "--stack-resource-drift-status-filters",
    "MODIFIED",
    "DELETED",
)


class Cloud(Protocol):
    """The call to AWS that this module needs; cloudformation.CloudFormation is the real one."""

    def stack_state(self, name: str) -> StackState:
        """Return the current state of a stack."""
        ...


def is_running(state: StackState) -> bool:
    """Return whether CloudFormation is changing the stack."""
    return state.status.endswith(_IN_PROGRESS) and state.status != NOT_CREATED


def is_new(state: StackState) -> bool:
    """Return whether a deployment creates the stack: it does not exist, or only a change set waits for it."""
    return state.status in _NEW


def is_failed_creation(state: StackState) -> bool:
    """Return whether the stack is what a failed creation has left, and is deleted before it is created."""
    return state.status in _FAILED_CREATION


def can_be_created(state: StackState) -> bool:
    """Return whether a deployment creates the stack, perhaps after it has deleted what a failed creation has left."""
    return is_new(state) or is_failed_creation(state)


def poll_s(target: Target) -> float:
    """Return how long to wait between two questions: a local deployment takes seconds, one to AWS takes minutes."""
    return LOOPBACK_POLL_S if target.is_loopback else POLL_S


def obstacle(state: StackState, target: Target, environment: str = "") -> Finding | None:
    """Return why a stack cannot be deployed now, with the command that helps; None when it can.

    Args:
        environment: the one that the stack belongs to; empty for a stack that `inv destroy` does not delete.
    """
    if state.status in _DEPLOYABLE or (environment and is_failed_creation(state)):
        return None
    if is_running(state):
        what = f"the stack is {state.status}: a change of it is running"
        return Finding(
            state.name, what, f"wait until its events say that it is finished: {_events_command(state, target)}"
        )

    what = f"the stack is {state.status}, in which CloudFormation refuses updates"
    if state.status in _DELETABLE and environment:
        destroy = shlex.join(["inv", "destroy", "--env", environment])
        fix = f"read its events ({_events_command(state, target)}), delete it, then deploy again: {destroy}"
    elif state.status in _DELETABLE:
        fix = f"read its events, delete it, then deploy again: {_command('delete-stack', state, target)}"
    elif state.status in _RESUMABLE:
        command = _command("continue-update-rollback", state, target)
        fix = f"fix the cause, finish the rollback, then deploy again: {command}"
    elif state.status in _CAN_ROLL_BACK:
        fix = f"roll it back, then deploy again: {_command('rollback-stack', state, target)}"
    else:
        fix = f"read its events, then bring it to a state that ends in _COMPLETE: {_events_command(state, target)}"
    return Finding(state.name, what, fix)


def drift(name: str, target: Target, *, resources: Iterable[str] = ()) -> Finding:
    """Return what a drifted stack needs: a look at what differs.

    Args:
        resources: the drifted ones, as far as they are known.
    """
    command = aws_commands.line(target, *_DESCRIBE_DRIFTS, "--stack-name", name)
    what = f"{', '.join(resources) or 'resources'} differ from the template: changed outside of CloudFormation"
    return Finding(name, what, f"see how: {command}")


def _command(verb: str, state: StackState, target: Target) -> str:
    return aws_commands.line(target, "cloudformation", verb, "--stack-name", state.name)


def _events_command(state: StackState, target: Target) -> str:
    return _command("describe-stack-events", state, target)
