"""Whether a stack can be deployed in its present state, and what to type when it cannot."""

import shlex
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from automation.system import console
from automation.system.aws import StackState
from automation.system.errors import DeploymentError, Finding
from automation.system.targets import Target

POLL_S = 2.0
MAX_WAIT_S = 3600.0
_IN_PROGRESS = "_IN_PROGRESS"
# A change set was created for a stack that does not exist yet: nothing is running, and a deployment creates the stack.
_NOT_CREATED = "REVIEW_IN_PROGRESS"
_DEPLOYABLE = frozenset(
    {
        "",
        _NOT_CREATED,
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


class Cloud(Protocol):
    """The call to AWS that this module needs; aws.Cloud is the real one."""

    def stack_state(self, name: str) -> StackState:
        """Return the current state of a stack."""
        ...


def is_running(state: StackState) -> bool:
    """Return whether CloudFormation is changing the stack."""
    return state.status.endswith(_IN_PROGRESS) and state.status != _NOT_CREATED


def wait_until_settled(
    names: Iterable[str],
    cloud: Cloud,
    *,
    sleep: Callable[[float], None] = time.sleep,
    max_wait_s: float = MAX_WAIT_S,
) -> tuple[StackState, ...]:
    """Wait while a change of a stack is running, such as that of an interrupted deployment; return the settled states.

    Raises:
        DeploymentError: AWS did not answer, or a change is still running after `max_wait_s` seconds.
    """
    return tuple(_wait_for(name, cloud, sleep, max_wait_s) for name in names)


def obstacle(state: StackState, target: Target) -> Finding | None:
    """Return why a settled stack cannot be deployed, with the command that helps; None when it can."""
    if state.status in _DEPLOYABLE:
        return None
    what = f"the stack is {state.status}, in which CloudFormation refuses updates"
    if state.status in _DELETABLE:
        fix = f"read its events, delete it, then deploy again: {_command('delete-stack', state, target)}"
    elif state.status in _RESUMABLE:
        command = _command("continue-update-rollback", state, target)
        fix = f"fix the cause, finish the rollback, then deploy again: {command}"
    else:
        fix = f"roll it back, then deploy again: {_command('rollback-stack', state, target)}"
    return Finding(state.name, what, fix)


def _wait_for(name: str, cloud: Cloud, sleep: Callable[[float], None], max_wait_s: float) -> StackState:
    state = cloud.stack_state(name)
    if is_running(state):
        console.warning(f"{name} is {state.status}: waiting until this change is finished")

    waited_s = 0.0
    with console.progress(f"waiting for {name}") as report_status:
        while is_running(state):
            if waited_s >= max_wait_s:
                message = f"is still {state.status} after {max_wait_s:g} s; wait for it to finish, then deploy again"
                raise DeploymentError(message, where=name)
            sleep(POLL_S)
            waited_s += POLL_S
            state = cloud.stack_state(name)
            report_status(state.status)
    return state


def _command(verb: str, state: StackState, target: Target) -> str:
    words = ["aws", "cloudformation", verb, "--stack-name", state.name, "--region", target.region]
    words += ["--endpoint-url", target.endpoint] if target.endpoint else []
    return shlex.join(words)
