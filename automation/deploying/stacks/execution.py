"""Execute a change set and follow it to its end, through Ctrl-C, a lost connection and a rollback.

CloudFormation goes on without us. So an interrupted command does not stop a change by itself: it detaches, and the next
deployment attaches again. Which events belong to a change is decided by their order, never by a clock.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Protocol

from automation.deploying.stacks import stack_states
from automation.deploying.stacks.change_sets import ChangeSet
from automation.system import console, files, terminations
from automation.system.errors import INTERRUPTED, AutomationError, DeploymentError, RolledBackError
from automation.system.stacks import NoSuchStackError, StackEvent, StackState, StaleChangeSetError, failure_reason
from automation.system.targets import Target

MAX_FAILED_LOOKS = 10
_NAMES_SHOWN = 3
_SUCCEEDED = frozenset({"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"})
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
_ROLLED_BACK_UPDATE = "UPDATE_ROLLBACK_COMPLETE"
_DELETED = "DELETE_COMPLETE"
_DELETE_FAILED = "DELETE_FAILED"
_AS_BEFORE = frozenset({"", _DELETED, _ROLLED_BACK_UPDATE})


class Cloud(stack_states.Cloud, Protocol):
    """The calls to CloudFormation that a change needs; cloudformation.CloudFormation is the real one."""

    def execute_change_set(self, change_set: str, *, token: str) -> None:
        """Start the change."""
        ...

    def events(self, stack: str) -> Iterator[StackEvent]:
        """Yield the events of a stack, the newest first; an event may come twice."""
        ...

    def cancel_update(self, stack: str) -> None:
        """Cancel the running update of a stack and roll it back."""
        ...

    def delete_stack(self, stack_id: str, *, retain: Sequence[str] = ()) -> None:
        """Start to delete a stack; one in DELETE_FAILED without the resources that are retained."""
        ...


class DetachedError(AutomationError):
    """The user left a change that CloudFormation goes on with; the message says how to attach again."""

    exit_code = INTERRUPTED


@contextmanager
def explain_interrupt(message: str, *, where: str) -> Iterator[None]:
    """Say what a Ctrl-C in the block has left, and what to type next.

    Raises:
        DetachedError: the block was interrupted.
    """
    try:
        yield
    except KeyboardInterrupt as cause:
        raise DetachedError(f"interrupted; {message}", where=where) from cause


class CancelledError(AutomationError):
    """The user cancelled a change, and the stack is as it was before."""

    exit_code = RolledBackError.exit_code


@dataclass(frozen=True, slots=True)
class Operator:
    """Who deploys, and how to reach them while a change runs.

    Attributes:
        environment: its name, for the commands in messages.
        ask: asks a question on the terminal; None without one.
        on_look: called after each look at the stack, such as to renew a lock.
        command: the command that makes the change; empty for a deployment.
    """

    environment: str
    target: Target
    ask: Callable[[str], str] | None = None
    on_look: Callable[[], None] = lambda: None
    sleep: Callable[[float], None] = time.sleep
    command: str = ""

    @property
    def attach_command(self) -> str:
        """What to type to attach again to a change that was left, and to finish it."""
        return self.command or f"inv deploy --env {self.environment}"


@dataclass(frozen=True, slots=True)
class Executed:
    """A change that has succeeded.

    Attributes:
        resources: the logical ids of the resources that were created, updated or deleted.
    """

    state: StackState
    is_new_stack: bool
    resources: tuple[str, ...]


@dataclass(slots=True)
class _Change:
    """A running change of a stack, as far as it is known.

    Attributes:
        last_event: the id of the newest event that was read; at first that of the last one before the change.
        is_ours: whether this command has started it.
        total: how many resources change; 0 when that is not known.
        events: of this change, the oldest first.
    """

    stack_id: str
    name: str
    last_event: str
    is_ours: bool
    total: int = 0
    is_cancelled: bool = False
    interrupts: int = 0
    events: list[StackEvent] = field(default_factory=list)


def execute(change_set: ChangeSet, cloud: Cloud, operator: Operator) -> Executed:
    """Execute a change set and follow the change until CloudFormation has finished it.

    Raises:
        DeploymentError: the change set can no longer be used, or the change failed; the message has the first failure's
            reason, the state of the stack and the next command.
        CancelledError: the user cancelled; the stack is as it was before.
        DetachedError: the user detached; the change goes on.
    """
    try:
        change = _change_of(change_set, cloud)
        state = _follow(change, cloud, operator, start=lambda: _start(change_set, cloud))
    except (NoSuchStackError, StaleChangeSetError) as cause:
        plan = f"run inv diff --env {operator.environment}, then deploy again"
        message = f"{cause.message}; nothing was changed in this stack; {plan}"
        raise DeploymentError(message, where=change_set.stack_name) from cause

    _require_success(change, state, operator)
    names = dict.fromkeys(event.logical_id for event in change.events if not event.is_of_stack)
    return Executed(state, change_set.is_new_stack, tuple(names))


def attach(stack_name: str, cloud: Cloud, operator: Operator) -> StackState:
    """Follow the change of a stack that is running already, such as that of an interrupted deployment.

    Returns:
        The settled state, at once when nothing runs; see stack_states.obstacle for whether it can be deployed.

    Raises:
        DeploymentError: AWS did not answer.
        CancelledError: the user cancelled the change; the stack is as it was before.
        DetachedError: the user detached; the change goes on.
    """
    state = cloud.stack_state(stack_name)
    if not stack_states.is_running(state):
        return state

    console.warning(f"{stack_name} is {state.status}: attached to a change that was started before")
    change = _Change(state.stack_id, stack_name, _last_event_before(state.stack_id, cloud), is_ours=False)
    settled = _follow(change, cloud, operator)
    _require_not_cancelled(change, settled)
    return settled


def delete(stack: str, cloud: Cloud, operator: Operator, *, total: int = 0, retain: Collection[str] = ()) -> None:
    """Delete a stack and follow the deletion until CloudFormation has finished it; do nothing when it is missing.

    Args:
        total: how many resources it has; 0 when that is not known.
        retain: the logical ids of the resources that the template retains. CloudFormation may try to delete those of a
            failed creation all the same, and fail because they are protected: then they are left out.

    Raises:
        DeploymentError: the deletion failed; the message has the first failure's reason and the next command.
        DetachedError: the user detached; the deletion goes on.
    """
    state = cloud.stack_state(stack)
    if not state.exists:
        return
    # By its id: its name means nothing any more once the stack is deleted.
    newest = next(cloud.events(state.stack_id), None)
    change = _Change(state.stack_id, state.name, newest.id if newest else "", is_ours=True, total=total)

    has_failed = state.status == _DELETE_FAILED
    kept = _undeleted(state.stack_id, cloud).intersection(retain) if has_failed else frozenset()

    def start() -> None:
        with files.uninterrupted():
            cloud.delete_stack(state.stack_id, retain=sorted(kept))

    final = _follow(change, cloud, operator, start=start)
    if final.status == _DELETE_FAILED and not has_failed and _undeleted(state.stack_id, cloud).intersection(retain):
        delete(stack, cloud, operator, total=total, retain=retain)
    elif final.exists and final.status != _DELETED:
        message = f"{_reason(change)}; the stack is {final.status}; fix the cause, then run {operator.attach_command}"
        raise DeploymentError(message, where=change.name)


def _undeleted(stack_id: str, cloud: Cloud) -> frozenset[str]:
    """Return the logical ids of the resources that CloudFormation could not delete."""
    return frozenset(event.logical_id for event in cloud.events(stack_id) if event.status == _DELETE_FAILED)


def progress_text(events: Sequence[StackEvent], total: int) -> str:
    """Return how far a change is, such as `3/12 resources, now Queue, Table`."""
    is_running = {event.logical_id: event.is_running for event in events if not event.is_of_stack}
    finished = sum(not running for running in is_running.values())
    names = [name for name, running in is_running.items() if running]
    shown = ", ".join(names[:_NAMES_SHOWN]) + (
        f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    )
    # CloudFormation also touches resources that the change set does not name.
    count = f"{finished}/{max(total, len(is_running))} resources" if total else f"{finished} resources"
    return f"{count}, now {shown}" if names else count


def event_line(event: StackEvent, stack_name: str) -> str:
    """Return one line of a log, such as `shop: Queue (AWS::SQS::Queue) CREATE_FAILED: name is taken`."""
    line = f"{stack_name}: {event.logical_id} ({event.type}) {event.status}"
    return f"{line}: {event.reason}" if event.reason else line


def _change_of(change_set: ChangeSet, cloud: Cloud) -> _Change:
    newest = next(cloud.events(change_set.stack_id), None)
    return _Change(
        stack_id=change_set.stack_id,
        name=change_set.stack_name,
        last_event=newest.id if newest else "",
        is_ours=True,
        total=len(change_set.described.get("Changes", ())),
    )


def _start(change_set: ChangeSet, cloud: Cloud) -> None:
    # Ctrl-C waits for the answer: afterwards we know that the change has begun.
    with files.uninterrupted():
        cloud.execute_change_set(change_set.id, token=f"release-{uuid.uuid4().hex}")


def _follow(
    change: _Change, cloud: Cloud, operator: Operator, *, start: Callable[[], None] = lambda: None
) -> StackState:
    """Start a change and look at it until it is finished; an interrupt asks what to do about it."""
    steps = iter([start])  # each is taken once: an interrupt of the wait does not start the change again
    with terminations.as_interrupts():
        while True:
            try:
                for step in steps:
                    step()
                return _watch(change, cloud, operator)
            except KeyboardInterrupt as cause:
                _handle_interrupt(cause, change, cloud, operator)


def _watch(change: _Change, cloud: Cloud, operator: Operator) -> StackState:
    failed_looks = 0
    with console.progress(change.name) as report:
        while True:
            try:
                # The state first: once it is settled, the events that are read after it are all that there are.
                state = cloud.stack_state(change.stack_id)
                _read_events(change, cloud)
                failed_looks = 0
            except DeploymentError as cause:
                failed_looks += 1
                if failed_looks == MAX_FAILED_LOOKS:
                    raise _lost(change, operator, cause) from cause
            else:
                report(f"{state.status} {progress_text(change.events, change.total)}")
                if _is_finished(change, state):
                    return state
                operator.on_look()
            operator.sleep(stack_states.poll_s(operator.target))


def _read_events(change: _Change, cloud: Cloud) -> None:
    newest_first = takewhile(lambda event: event.id != change.last_event, cloud.events(change.stack_id))
    # Without those that came twice because the stack changed between two pages.
    events = list(reversed(dict.fromkeys(newest_first)))
    if not events:
        return

    change.events += events
    change.last_event = events[-1].id
    for event in events:
        # A resource that begins to change is not worth a line: its next event says how the change ended.
        if event.is_of_stack or not event.is_running:
            console.event(event_line(event, change.name))


def _is_finished(change: _Change, state: StackState) -> bool:
    if stack_states.is_running(state):
        return False
    # DescribeStacks may lag behind: a change that we have started is finished only when its own events say so too.
    own = [event for event in change.events if event.is_of_stack]
    return not change.is_ours or not state.exists or (bool(own) and not own[-1].is_running)


def _last_event_before(stack_id: str, cloud: Cloud) -> str:
    """Return the id of the last event before the running change; empty when there is none."""
    events = cloud.events(stack_id)
    beginning = next((event for event in events if event.is_of_stack and event.status in _BEGINNINGS), None)
    # The beginning itself may come twice.
    return next((event.id for event in events if event != beginning), "")


def _handle_interrupt(cause: KeyboardInterrupt, change: _Change, cloud: Cloud, operator: Operator) -> None:
    """Ask what to do about a running change; return to wait for it.

    Raises:
        DetachedError: nobody can be asked, it was the second interrupt, or the answer was to detach.
    """
    change.interrupts += 1
    is_terminated = isinstance(cause, terminations.TerminatedError)
    if operator.ask is None or is_terminated or change.interrupts > 1:
        raise _detached(change, operator) from cause

    try:
        answer = operator.ask(f"{change.name} is changing. Type w to wait, c to cancel and roll back, d to detach:")
        if answer == "c":
            with files.uninterrupted():
                _cancel(change, cloud)
    except KeyboardInterrupt:
        raise _detached(change, operator) from cause
    if answer == "d":
        raise _detached(change, operator) from cause


def _cancel(change: _Change, cloud: Cloud) -> None:
    """Ask CloudFormation to take a change back, as long as that is possible."""
    try:
        state = cloud.stack_state(change.stack_id)
        if state.status == "UPDATE_IN_PROGRESS":
            cloud.cancel_update(change.stack_id)
            change.is_cancelled = True
        elif state.status == "CREATE_IN_PROGRESS":
            # Destructive, but what is deleted was created by this very change: a new stack has no earlier state.
            cloud.delete_stack(change.stack_id)
            change.is_cancelled = True
        else:
            console.warning(f"{change.name} is {state.status}: too late to cancel; waiting until it is finished")
    except DeploymentError as cause:
        console.warning(f"{cause}; not cancelled; waiting until the change is finished")


def _require_success(change: _Change, state: StackState, operator: Operator) -> None:
    _require_not_cancelled(change, state)
    if state.status in _SUCCEEDED:
        return

    obstacle = stack_states.obstacle(state, operator.target, operator.environment)
    fix = obstacle.fix if obstacle else f"fix the cause, then run {operator.attach_command}"
    as_before = ", as it was before" if state.status == _ROLLED_BACK_UPDATE else ""
    message = f"{_reason(change)}; the stack is {state.status or 'gone'}{as_before}; {fix}"
    raise DeploymentError(message, where=change.name)


def _require_not_cancelled(change: _Change, state: StackState) -> None:
    if change.is_cancelled and state.status in _AS_BEFORE:
        what = "the update was rolled back" if state.status == _ROLLED_BACK_UPDATE else "the new stack was deleted"
        raise CancelledError(f"cancelled: {what}, and everything is as before", where=change.name)


def _reason(change: _Change) -> str:
    """Return the first failure's reason, otherwise what the stack itself gives as the reason of its rollback."""
    own = [event.reason for event in change.events if event.is_of_stack and "ROLLBACK" in event.status and event.reason]
    return failure_reason(change.events) or next(iter(own), "CloudFormation gives no reason")


def _detached(change: _Change, operator: Operator) -> DetachedError:
    message = "detached: CloudFormation goes on with this change; to attach again and finish it, run"
    return DetachedError(f"{message} {operator.attach_command}", where=change.name)


def _lost(change: _Change, operator: Operator, cause: DeploymentError) -> DeploymentError:
    message = (
        f"{cause.message}; CloudFormation goes on with this change; to attach again, run {operator.attach_command}"
    )
    return DeploymentError(message, where=change.name)
