"""`inv status`: the stacks of an environment, the release that runs, drift, alarms, queues, and lines of the product.

Exit code 0: all is well. Exit code 3: something needs a person, and each finding has the command that helps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from automation.deploying import asked_parameters
from automation.deploying import scope as scopes
from automation.deploying.checks import hooks, setup, visits
from automation.deploying.checks.hooks import Context
from automation.deploying.releases import environment_status, expiry, watch_marks
from automation.deploying.releases import records as releases
from automation.deploying.releases.environment_status import EnvironmentStatus, StackStatus
from automation.deploying.releases.records import Release
from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.deploying.stacks import live_code
from automation.project.environments import StackSettings
from automation.system import account_checks, console
from automation.system.accounts import DeployedStack
from automation.system.cloudformation import CloudFormation
from automation.system.deployers import LockReading
from automation.system.errors import CheckFailedError
from automation.system.lambda_code import LambdaCode
from automation.system.overviews import Alarm, Drift, Queue
from automation.system.release_table import ReleaseTable
from automation.system.stack_overview import StackOverview
from automation.system.stacks import StackDescription, StackResource, Stage


class Stacks(Protocol):
    """The calls to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack; without a status when there is no such stack."""
        ...

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        """Return the resources of a stack."""
        ...

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> str | Mapping[str, Any]:
        """Return the template of a stack."""
        ...

    def exports(self) -> Mapping[str, str]:
        """Return the value of every export of the account in this region, by its name."""
        ...


class Overview(Protocol):
    """The other read-only calls; stack_overview.StackOverview is the real one."""

    def drift(self, stack: str) -> Drift:
        """Return the result of the last drift detection of a stack."""
        ...

    def detect_drift(self, stack: str) -> Drift:
        """Compare a stack with what really exists, and return the result."""
        ...

    def ringing(self, names: Sequence[str]) -> tuple[Alarm, ...]:
        """Return those of the alarms with these names that are in state ALARM."""
        ...

    def queues(self, urls: Sequence[str]) -> tuple[Queue, ...]:
        """Return the depths of queues."""
        ...


class Table(releases.Table, expiry.Table, watch_marks.Table, Protocol):
    """The table of releases with the lock; release_table.ReleaseTable is the real one."""

    def read_lock(self) -> LockReading:
        """Return the lock and AWS's time."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the status comes from.

    Attributes:
        code: answers which code runs.
        account: answers what a person has set up.
        product: returns the product's own lines.
    """

    stacks: Stacks
    overview: Overview
    table: Table
    code: live_code.Code
    account: visits.Account
    product: Callable[[Context], tuple[Remark, ...]]


def connect(scope: Scope) -> Sources:
    """Open the connections to an environment; no call is made yet."""

    def product(context: Context) -> tuple[Remark, ...]:
        return hooks.run("status", scope.project.settings.hooks.status, context, root=scope.root, target=scope.target)

    table = ReleaseTable(scope.target, releases.table_name(scope.stack_names))
    account = account_checks.Account(scope.target)
    code = LambdaCode(scope.target)
    return Sources(CloudFormation(scope.target), StackOverview(scope.target), table, code, account, product)


def gather(scope: Scope, sources: Sources, *, now: datetime, detect_drift: bool = False) -> EnvironmentStatus:
    """Ask AWS and the product for the status of an environment; nothing is changed.

    Args:
        now: for the product's hooks, aware.
        detect_drift: run a drift detection of each stack first, which takes minutes on AWS.

    Raises:
        DeploymentError: AWS did not answer.
        ConfigurationError: a hook does not exist.
    """
    look_for_drift = sources.overview.detect_drift if detect_drift else sources.overview.drift
    stacks = tuple(_stack(settings, sources.stacks, look_for_drift) for settings in scope.stacks)
    reading = sources.table.read_lock()
    known = releases.read(sources.table)
    running = releases.running(known, [stack.state for stack in stacks])
    mark = watch_marks.read(sources.table)

    status = EnvironmentStatus(
        environment=scope.environment.name,
        target=scope.target,
        is_sandbox=scope.environment.is_sandbox,
        expires_at=expiry.read(sources.table) if scope.environment.is_temporary else None,
        stacks=stacks,
        release=running,
        mark=mark,
        replaced=_replaced(scope, sources, running) if mark else (),
        newest=known[0] if known else None,
        lock=reading.lock if reading.lock and reading.lock.expires_at > reading.now else None,
        ringing=sources.overview.ringing(sorted(environment_status.physical_ids(stacks, environment_status.ALARMS))),
        queues=sources.overview.queues(sorted(environment_status.physical_ids(stacks, [environment_status.QUEUE]))),
    )
    if not status.is_deployed:
        return status
    released = asked_parameters.of_releases(known, scope.project.settings.ask)
    remarks = setup.look(scope, sources.account, _deployed(stacks), now=now, released=released)
    missing = [remark.where for remark in remarks if remark.level in environment_status.FINDINGS]
    # The product's hooks may take for granted that there is something to ask about.
    return replace(status, setup=remarks, remarks=sources.product(_context(scope, stacks, now, missing)))


def _replaced(scope: Scope, sources: Sources, running: Release | None) -> tuple[str, ...]:
    """Return the logical ids of the functions whose code inv watch has replaced."""
    from automation.deploying.planning import Surroundings  # noqa: PLC0415 - slow to import, and rarely needed
    from automation.deploying.watching import replaced  # noqa: PLC0415 - as above

    surroundings = Surroundings(scope.root, scope.target, scope.environment.account)
    watched = replaced.read(scope.stacks, sources, surroundings, running)
    return tuple(entry.function.name for entry in watched.replaced)


def report(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    json: bool = False,
    drift: bool = False,
    connect: Callable[[Scope], Sources] = connect,
) -> None:
    """Print the status of the environment `name`.

    Args:
        variables: the process's environment variables.
        drift: run a drift detection first.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
        CheckFailedError: something needs a person; the status is printed first.
    """
    scope = scopes.read(root, name, variables=variables)
    with console.progress(f"asking AWS about {name}"):
        status = gather(scope, connect(scope), now=datetime.now(UTC), detect_drift=drift)

    if json:
        console.result_json(environment_status.as_json(status))
    else:
        console.result(f"{name}: {scope.target_text}")
        show(status)
    _require_nothing_to_do(status, is_shown=json)


def show(status: EnvironmentStatus) -> None:
    """Print tables and lines for people, without the findings."""
    console.result(f"release: {status.release_text}")
    if status.expires_at:
        console.result(f"expires: {expiry.text(status.expires_at)}")
    if status.lock:
        console.result(f"deploying: {status.lock.deployer}, since {status.lock.since:%Y-%m-%d %H:%M} UTC")
    console.table(("stack", "name", "state", "changed", "drift"), [_stack_row(stack) for stack in status.stacks])

    for stack in status.stacks:
        if stack.functions:
            console.result(f"functions of {stack.stack}: {', '.join(stack.functions)}")
    alarms = environment_status.physical_ids(status.stacks, environment_status.ALARMS)
    console.result(f"alarms: {len(status.ringing)} of {len(alarms)} in state ALARM")
    rows = environment_status.queue_rows(status)
    console.result(f"queues: {len(rows)} of {len(status.queues)} have messages")
    if rows:
        numbers = ("waiting", "in flight", "delayed")
        console.table(("queue", *numbers, "kind"), rows, right=numbers)
    missing = [remark for remark in status.setup if remark.level in environment_status.FINDINGS]
    if status.is_deployed:
        console.result(f"set-up: {f'{len(missing)} thing(s) missing' if missing else 'complete'}")
    # The others are findings, which are printed with what helps.
    for remark in status.remarks:
        if remark.level in {Level.INFO, Level.OK}:
            console.result(f"{remark.where}: {remark.what}" if remark.where else remark.what)


def _stack(settings: StackSettings, stacks: Stacks, look_for_drift: Callable[[str], Drift]) -> StackStatus:
    name = settings.stack_name
    description = stacks.describe(name)
    if not description.state.exists:
        return StackStatus(settings.stack.name, description)
    return StackStatus(settings.stack.name, description, stacks.resources(name), look_for_drift(name))


def _deployed(stacks: Sequence[StackStatus]) -> list[DeployedStack]:
    return [
        DeployedStack(stack.state, stack.description.outputs, stack.description.parameters, resources=stack.resources)
        for stack in stacks
    ]


def _context(scope: Scope, stacks: Sequence[StackStatus], now: datetime, missing: Sequence[str]) -> Context:
    return hooks.context_of(
        scope,
        now=now,
        account=scope.environment.account,
        outputs=[stack.description.outputs for stack in stacks],
        parameters=[stack.description.parameters for stack in stacks],
        missing=missing,
    )


def _stack_row(stack: StackStatus) -> Sequence[str]:
    state = stack.state
    changed = state.changed_at[:16].replace("T", " ")
    return (
        stack.stack,
        state.name,
        state.status or "not deployed",
        changed,
        stack.drift.status if state.exists else "",
    )


def _require_nothing_to_do(status: EnvironmentStatus, *, is_shown: bool) -> None:
    """Raise CheckFailedError with what needs a person; without the findings when the JSON contains them already."""
    findings = environment_status.attention(status)
    if findings:
        message = f"{len(findings)} thing(s) need a person"
        raise CheckFailedError(message, where=status.environment, findings=() if is_shown else findings)
