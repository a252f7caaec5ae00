"""The status of an environment: its stacks, the release that runs, drift, alarms, queues, and what needs a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, Smoke, Status
from automation.deploying.releases.watch_marks import WatchMark
from automation.deploying.remarks import Level, Remark
from automation.deploying.stacks import stack_states
from automation.system import aws_commands
from automation.system.deployers import DeployerLock
from automation.system.errors import Finding
from automation.system.overviews import Alarm, Drift, Queue
from automation.system.stacks import StackDescription, StackResource, StackState
from automation.system.targets import Target

QUEUE = "AWS::SQS::Queue"
_FUNCTION = "AWS::Lambda::Function"
ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})
UNKNOWN_RELEASE = "unknown: changed outside of inv deploy"
_NO_RELEASE = "none: not deployed"
FINDINGS = frozenset({Level.STOP, Level.WARN})
_UNFINISHED = frozenset({Status.DEPLOYING, Status.FAILED})


@dataclass(frozen=True, slots=True)
class StackStatus:
    """One stack, with its resources and its drift; without resources when it does not exist."""

    stack: str
    description: StackDescription
    resources: tuple[StackResource, ...] = ()
    drift: Drift = field(default_factory=Drift)

    @property
    def state(self) -> StackState:
        return self.description.state

    @property
    def functions(self) -> tuple[str, ...]:
        """The logical ids of its functions, sorted."""
        return tuple(sorted(resource.logical_id for resource in self.resources if resource.type == _FUNCTION))


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """Everything that `inv status` shows.

    Attributes:
        release: the one that runs on every stack; None when it is not known.
        newest: the newest release; None when there is none.
        lock: who is deploying; None when nobody is.
        mark: who has replaced code with inv watch; None when nobody has since the last deployment.
        replaced: the logical ids of the functions that run such code now.
        ringing: the alarms in state ALARM, of all `alarms`.
        setup: what a person has set up, and has not.
        remarks: the product's own lines.
        is_sandbox: whether its stacks need no protection.
        expires_at: of a temporary environment; None when nothing says it.
    """

    environment: str
    target: Target
    stacks: tuple[StackStatus, ...]
    release: Release | None = None
    newest: Release | None = None
    lock: DeployerLock | None = None
    mark: WatchMark | None = None
    replaced: tuple[str, ...] = ()
    ringing: tuple[Alarm, ...] = ()
    queues: tuple[Queue, ...] = ()
    setup: tuple[Remark, ...] = ()
    remarks: tuple[Remark, ...] = ()
    is_sandbox: bool = False
    expires_at: datetime | None = None

    @property
    def is_deployed(self) -> bool:
        """Whether at least one stack exists."""
        return any(releases.is_created(stack.state) for stack in self.stacks)

    @property
    def unfinished(self) -> Release | None:
        """The newest release, when it failed or was interrupted and left the stacks between two releases."""
        is_between = self.release is None and self.newest is not None and self.newest.status in _UNFINISHED
        return self.newest if is_between else None

    @property
    def release_text(self) -> str:
        """The release that runs, in words."""
        if self.release:
            return f"{self.release.name} (commit {self.release.commit[:12]}), smoke test {self.release.smoke}"
        if not self.is_deployed:
            return _NO_RELEASE
        if self.lock:
            return "none: a deployment is running"
        if self.unfinished:
            return f"unknown: {self.unfinished.name} ({self.unfinished.status}) did not reach every stack"
        return UNKNOWN_RELEASE


def physical_ids(stacks: Iterable[StackStatus], types: Iterable[str]) -> dict[str, str]:
    """Return the logical ids of the stacks' resources of some types, by physical id."""
    wanted, logical_ids = frozenset(types), dict[str, str]()
    for stack in stacks:
        logical_ids |= {
            resource.physical_id: resource.logical_id for resource in stack.resources if resource.type in wanted
        }
    return logical_ids


def attention(status: EnvironmentStatus) -> tuple[Finding, ...]:
    """Return what needs a person, each with the command that helps; empty when all is well."""
    findings = [_stack_finding(stack, status) for stack in status.stacks]
    findings += [_protection_finding(stack, status) for stack in status.stacks]
    findings += [_release_finding(status), _watch_finding(status)]
    findings += [_drift_finding(stack, status.target) for stack in status.stacks]
    findings += [_alarm_finding(alarm, status) for alarm in status.ringing]
    findings += [_queue_finding(queue, status) for queue in status.queues]
    findings += _missing_queues(status)
    findings += [remark.finding for remark in (*status.setup, *status.remarks) if remark.level in FINDINGS]
    return tuple(finding for finding in findings if finding is not None)


def as_json(status: EnvironmentStatus) -> Mapping[str, Any]:
    """Return the status as plain values, format 1."""
    return {
        "format": 1,
        "environment": status.environment,
        "region": status.target.region,
        "endpoint": status.target.endpoint,
        "release": status.release.number if status.release else None,
        "smoke": status.release.smoke if status.release else "",
        "commit": status.release.commit if status.release else "",
        "watched": list(status.replaced),
        "deployer": str(status.lock.deployer) if status.lock else "",
        "expires_at": status.expires_at.isoformat() if status.expires_at else "",
        "stacks": [_stack_json(stack) for stack in status.stacks],
        "alarms": [{"name": alarm.name, "reason": alarm.reason, "since": alarm.since} for alarm in status.ringing],
        "queues": _queues_json(status),
        "setup": [_remark_json(remark) for remark in status.setup],
        "lines": [_remark_json(remark) for remark in status.remarks],
        "attention": [_finding_json(finding) for finding in attention(status)],
    }


def _stack_finding(stack: StackStatus, status: EnvironmentStatus) -> Finding | None:
    deploy = f"inv deploy --env {status.environment}"
    if not releases.is_created(stack.state):
        return None if status.lock else Finding(stack.state.name, "the stack is not deployed", deploy)
    if stack_states.is_running(stack.state):
        what = f"the stack is {stack.state.status}, and no deployer holds the lock"
        return None if status.lock else Finding(stack.state.name, what, f"wait for it and finish: {deploy}")
    if stack_states.is_failed_creation(stack.state):
        what = f"the stack is {stack.state.status}: its creation failed"
        return None if status.lock else Finding(stack.state.name, what, f"fix the cause and deploy again: {deploy}")
    return stack_states.obstacle(stack.state, status.target, status.environment)


def _protection_finding(stack: StackStatus, status: EnvironmentStatus) -> Finding | None:
    """Report a stack that anybody can delete; a deployment that runs protects it at its end."""
    is_open = releases.is_created(stack.state) and not stack.description.is_protected
    if status.is_sandbox or status.lock or not is_open or stack_states.is_failed_creation(stack.state):
        return None
    words = ("--enable-termination-protection", "--stack-name", stack.state.name)
    command = aws_commands.line(status.target, "cloudformation", "update-termination-protection", *words)
    return Finding(stack.state.name, "the stack is not protected from deletion", f"protect it: {command}")


def _release_finding(status: EnvironmentStatus) -> Finding | None:
    # While a deployment runs, no release runs, and an unproven one is being tested.
    if status.lock or not status.is_deployed:
        return None
    if status.release is None:
        name = status.environment
        finish = f"finish it: inv deploy --env {name}, or go back: inv rollback --env {name}"
        fix = finish if status.unfinished else f"compare it: inv diff --env {name}"
        return Finding(name, f"the release that runs is {status.release_text}", fix)
    if status.release.is_proven:
        return None
    failures = "; ".join(f"{finding.where}: {finding.what}" for finding in status.release.smoke_findings)
    detail = (
        "it was never tested" if status.release.smoke == Smoke.PENDING else f"its smoke test is {status.release.smoke}"
    )
    what = f"{status.release.name} is not proven: {detail}{f' ({failures})' if failures else ''}"
    return Finding(status.environment, what, f"test it again: inv deploy --env {status.environment}")


def _watch_finding(status: EnvironmentStatus) -> Finding | None:
    """Report the code of `inv watch` that runs; a deployment that runs restores what the release has."""
    if not status.replaced or status.mark is None or status.lock:
        return None
    what = f"inv watch has replaced the code of {', '.join(status.replaced)}"
    where, name = status.environment, status.release.name if status.release else ""
    back = f", or go back to {name}: inv rollback --env {where} --to {name}" if name else ""
    fix = f"deploy the working copy: inv deploy --env {where}{back}"
    return Finding(where, f"{what} ({status.mark.person}, since {status.mark.since})", fix)


def _drift_finding(stack: StackStatus, target: Target) -> Finding | None:
    if stack.drift.status != "DRIFTED":
        return None
    return stack_states.drift(stack.state.name, target, resources=stack.drift.resources)


def _alarm_finding(alarm: Alarm, status: EnvironmentStatus) -> Finding:
    where = physical_ids(status.stacks, ALARMS).get(alarm.name, alarm.name)
    command = aws_commands.line(status.target, "cloudwatch", "describe-alarms", "--alarm-names", alarm.name)
    return Finding(where, f"the alarm is in state ALARM: {alarm.reason}", alarm.description or f"look: {command}")


def _queue_finding(queue: Queue, status: EnvironmentStatus) -> Finding | None:
    if not queue.is_dead_letter or not queue.total:
        return None
    what = f"{queue.total} message(s) in a dead-letter queue: a function could not handle them"
    name = _queue_name(queue, status)
    return Finding(name, what, f"read them: inv dlq.show {name} --env {status.environment}")


def _missing_queues(status: EnvironmentStatus) -> list[Finding]:
    present = {queue.url for queue in status.queues}
    fix = f"see what differs: inv status --env {status.environment} --drift"
    return [
        Finding(logical_id, "the queue does not exist any more", fix)
        for url, logical_id in physical_ids(status.stacks, [QUEUE]).items()
        if url not in present
    ]


def _queue_name(queue: Queue, status: EnvironmentStatus) -> str:
    return physical_ids(status.stacks, [QUEUE]).get(queue.url, queue.url)


def queue_rows(status: EnvironmentStatus) -> list[tuple[str, int, int, int, str]]:
    """Return name, waiting, in flight, delayed and kind of each queue that is not empty."""
    return [
        (
            _queue_name(queue, status),
            queue.visible,
            queue.in_flight,
            queue.delayed,
            "dead letters" if queue.is_dead_letter else "",
        )
        for queue in status.queues
        if queue.total
    ]


def _stack_json(stack: StackStatus) -> dict[str, Any]:
    return {
        "stack": stack.stack,
        "name": stack.state.name,
        "status": stack.state.status,
        "stack_id": stack.state.stack_id,
        "changed_at": stack.state.changed_at,
        "drift": stack.drift.status,
        "drift_checked_at": stack.drift.checked_at,
        "drifted": list(stack.drift.resources),
        "functions": list(stack.functions),
    }


def _queues_json(status: EnvironmentStatus) -> list[dict[str, Any]]:
    return [
        {
            "name": _queue_name(queue, status),
            "url": queue.url,
            "visible": queue.visible,
            "in_flight": queue.in_flight,
            "delayed": queue.delayed,
            "is_dead_letter": queue.is_dead_letter,
        }
        for queue in status.queues
    ]


def _remark_json(remark: Remark) -> dict[str, str]:
    return {"level": remark.level, **_finding_json(remark.finding)}


def _finding_json(finding: Finding) -> dict[str, str]:
    return {"where": finding.where, "what": finding.what, "fix": finding.fix}
