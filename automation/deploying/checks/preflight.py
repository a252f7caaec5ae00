"""Check everything that a deployment needs before it changes anything, and report all findings at once."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from automation.deploying import asked_parameters, bootstrap_stack
from automation.deploying.checks import account_remarks, credentials, hooks, quotas, readiness, setup, work_tree
from automation.deploying.checks.visits import Account, Intent, Visit
from automation.deploying.releases import deployer_lock
from automation.deploying.releases import records as releases
from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.project.settings import PYPROJECT
from automation.system import console, deployers
from automation.system.accounts import CallError, DeployedStack, Identity, Problem
from automation.system.errors import DeploymentError, Finding

_CONCURRENT_CALLS = 8
_TOPICS: tuple[setup.Topic, ...] = (
    account_remarks.stack_remarks,
    account_remarks.quota_remarks,
    account_remarks.name_remarks,
    account_remarks.bucket_remarks,
    *setup.TOPICS,
)
_REST = Remark(Level.INFO, "account", "the other checks need working credentials of the right account")


@dataclass(frozen=True, slots=True)
class Preflight:
    """The results of all checks."""

    remarks: tuple[Remark, ...]

    @property
    def stops(self) -> tuple[Finding, ...]:
        """What stops the deployment."""
        return self._findings(Level.STOP)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a person should fix; the deployment proceeds."""
        return self._findings(Level.WARN)

    def _findings(self, level: Level) -> tuple[Finding, ...]:
        return tuple(remark.finding for remark in self.remarks if remark.level is level)


def check(
    scope: Scope,
    account: Account,
    intent: Intent,
    *,
    find_lock: Callable[[Identity], Finding | None] = lambda _: None,
    find_released: Callable[[], Mapping[str, str]] = dict,
    run_hooks: Callable[..., tuple[Remark, ...]] = hooks.run,
    is_removal: bool = False,
) -> Preflight:
    """Run every check that can be run, several at a time.

    Without a connection, or with the credentials of another account, the questions to the account are left out: their
    answers would be about something else.

    Args:
        find_lock: returns the deployer who keeps others out, None when there is none.
        find_released: returns the values that the parameters of `ask` had in the last release.
        run_hooks: runs the guards of pyproject.toml.
        is_removal: whether the stacks are to be deleted: then nothing is checked that only a deployment needs.

    Raises:
        ConfigurationError: pyproject.toml names a guard that does not exist.
    """
    remarks = [_region_remark(scope, account)] if is_removal else [*_offline_remarks(scope, account, intent)]
    try:
        identity = account.identity()
    except CallError as cause:
        return Preflight((*remarks, credentials.failure(scope, cause, intent.now), _REST))
    remarks += credentials.identity_remarks(scope, identity, intent.now)
    if scope.environment.account not in {"", identity.account}:
        return Preflight((*remarks, _REST))

    def guards(visit: Visit) -> list[Remark]:
        # What a deletion that has begun has left is nothing that the guards can look at.
        has_begun = any(stack.state.status.startswith("DELETE_") for stack in visit.deployed)
        return [] if is_removal and has_begun else _guard_remarks(visit, run_hooks)

    def lock(visit: Visit) -> list[Remark]:
        return _lock_remarks(visit, find_lock)

    with console.progress("checking the account"), ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        answers = tuple(pool.map(lambda name: _read_stack(account, name), scope.stack_names))
        if unreadable := [answer for answer in answers if isinstance(answer, Remark)]:
            return Preflight((*remarks, *unreadable))
        deployed = tuple(answer for answer in answers if isinstance(answer, DeployedStack))
        known = {**_answers(scope, account), **find_released()}
        visit = setup.visit(scope, account, replace(intent, released=known), identity, deployed)

        # The guards first: their process takes longest.
        topics = (guards, lock) if is_removal else (guards, lock, *_TOPICS)
        remarks += chain.from_iterable(pool.map(lambda topic: topic(visit), topics))
    return Preflight(tuple(remarks))


def lock_finder(scope: Scope, table: deployer_lock.Table) -> Callable[[Identity], Finding | None]:
    """Return the function that finds who keeps this process out, for `check`; it raises DeploymentError.

    Args:
        table: of the environment's releases, which has the lock.
    """

    def find_lock(identity: Identity) -> Finding | None:
        reading = table.read_lock()
        if reading.lock is None or deployer_lock.may_take(reading, deployers.this_process(identity.arn)):
            return None
        return deployer_lock.obstacle(reading.lock, scope.environment.name, table)

    return find_lock


def released_finder(scope: Scope, table: releases.Table) -> Callable[[], Mapping[str, str]]:
    """Return the function that finds the values of asked parameters in the last release, for `check`."""

    def find_released() -> Mapping[str, str]:
        # Without an answer the lock, which is in the same table, cannot be read either, and that is reported.
        with suppress(DeploymentError):
            return asked_parameters.of_releases(releases.read(table), scope.project.settings.ask)
        return {}

    return find_released


def _offline_remarks(scope: Scope, account: Account, intent: Intent) -> Iterator[Remark]:
    environment = scope.environment
    yield _region_remark(scope, account)
    yield from work_tree.remarks(intent.tree, environment.consent, intent.allow)
    if environment.needs_people:
        yield from readiness.example_remarks(scope.stacks, asked=scope.project.settings.ask)
    for settings in scope.stacks:
        template = settings.stack.template
        count = intent.resource_counts.get(settings.stack_name, len(template.resources))
        yield quotas.resources_remark(settings.stack_name, template.path, count)


def _region_remark(scope: Scope, account: Account) -> Remark:
    where = f"{PYPROJECT}: [tool.alchemiser.environments.{scope.environment.name}]"
    return credentials.region_remark(scope.target.region, account.regions(), where)


def _answers(scope: Scope, account: Account) -> Mapping[str, str]:
    """Return what was answered when the account was prepared; without the stack of the answers they count as open."""
    if scope.environment.is_sandbox or not scope.project.settings.ask:
        return {}
    with suppress(CallError):
        return bootstrap_stack.answers_in(account.stack(bootstrap_stack.name_of(scope.name_patterns)).outputs)
    return {}


def _read_stack(account: Account, name: str) -> DeployedStack | Remark:
    try:
        return account.stack(name)
    except CallError as cause:
        is_denied = cause.problem is Problem.DENIED
        fix = "allow cloudformation:DescribeStacks and cloudformation:ListStackResources" if is_denied else ""
        return Remark(Level.STOP, name, f"the stack cannot be read: {cause.detail}", fix or "run the command again")


def _lock_remarks(visit: Visit, find_lock: Callable[[Identity], Finding | None]) -> list[Remark]:
    try:
        finding = find_lock(visit.identity)
    except DeploymentError as cause:
        return [Remark(Level.STOP, "lock", f"whether somebody else deploys cannot be read: {cause}")]
    if finding is None:
        return [Remark(Level.OK, "lock", "nobody else is deploying")]
    return [Remark(Level.STOP, finding.where, finding.what, finding.fix)]


def _guard_remarks(visit: Visit, run_hooks: Callable[..., tuple[Remark, ...]]) -> list[Remark]:
    scope, guards = visit.scope, visit.scope.project.settings.hooks.guards
    context = hooks.context_of(
        scope,
        now=visit.intent.now,
        account=visit.identity.account,
        outputs=[stack.outputs for stack in visit.deployed],
        parameters=[stack.parameters for stack in visit.deployed],
        breaking_contracts=visit.intent.breaking_contracts,
    )
    remarks = list(run_hooks("guards", guards, context, root=scope.root, target=scope.target))
    if not guards or any(remark.level in {Level.STOP, Level.WARN} for remark in remarks):
        return remarks
    return [*remarks, Remark(Level.OK, "guards", f"{len(guards)} guard(s) agree")]
