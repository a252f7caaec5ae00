"""`inv deploy`: check everything, plan, ask for exactly that, carry it out, prove that it works, or go back."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from automation import diff
from automation.deploying import (
    adopting,
    applying,
    asked_parameters,
    candidates,
    consent,
    plan_files,
    plans,
    recovery,
    sessions,
)
from automation.deploying import scope as scopes
from automation.deploying.adoption import choices
from automation.deploying.adoption.model import Adoption
from automation.deploying.changes.model import Expanded, Verdict
from automation.deploying.checks import preflight, setup, work_tree
from automation.deploying.checks.visits import Intent
from automation.deploying.connections import Connections
from automation.deploying.plan_files import SavedPlan
from automation.deploying.planning import PlannedStack
from automation.deploying.plans import Plan
from automation.deploying.releases import deployer_lock
from automation.deploying.releases.records import Release
from automation.deploying.remarks import Level
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import change_sets, execution
from automation.deploying.stacks.execution import Operator
from automation.deploying.verdict.property_texts import HIDDEN
from automation.deploying.views import plan_text
from automation.system import console, git
from automation.system.accounts import CallError
from automation.system.errors import CheckFailedError, DeploymentError, Finding

_SHORT = 9
_TABLE_TAGS = {"created-by": "inv deploy"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        yes: ordinary changes are confirmed in advance.
        allow: names of dangers, such as `replace:Ledger`; `dirty` and `unpushed` too.
        plan: the file of a saved plan; empty for none.
        dry_run: print stacks and parameters, and make no call.
        adopt: decisions about resources of earlier stacks, such as `Ledger=new`; a saved plan has its own.
        set: values of parameters that a person is asked for, as `NAME=VALUE`; a saved plan has its own.
    """

    yes: bool = False
    allow: tuple[str, ...] = ()
    plan: str = ""
    dry_run: bool = False
    adopt: tuple[str, ...] = ()
    set: tuple[str, ...] = ()


def deploy(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    start_target: Callable[[], None] = lambda: None,
    connect: Callable[[Scope], Connections] | None = None,
) -> Release | None:
    """Deploy every stack of the project to the environment `name`.

    Args:
        variables: the process's environment variables.
        start_target: called before the first call to the target.
        connect: opens the connections.

    Returns:
        The release that runs; None for a dry run.

    Raises:
        AutomationError: a step failed; the message says what was changed, and what to type next.
    """
    scope = scopes.read(root, name, variables=variables)
    if options.dry_run:
        scopes.show(scope)
        return None

    chosen = asked_parameters.parse(options.set)
    asked_parameters.require_settable(scope, chosen)
    is_interactive = console.is_interactive()
    consent.require_possible(scope.environment, yes=options.yes, is_interactive=is_interactive)
    with execution.explain_interrupt("nothing was changed", where=f"deploy --env {name}"):
        start_target()
        connections = diff.open_connections(scope, connect)
        intent = Intent(
            now=datetime.now(UTC),
            tree=git.read_work_tree(root, apart_from=diff.inside(root, options.plan)),
            allow=frozenset(options.allow),
            chosen={**_planned_values(options.plan, scope), **chosen},
            unknown_parameters=Level.INFO if is_interactive else Level.STOP,
            command=_typed(name, options),
        )
        session = _with_answers(enter(scope, connections, intent))
        diff.prepare(session.scope)
        digests = candidates.digests(session.scope)
    if sessions.is_up_to_date(session, digests) and session.running is not None and session.running.is_proven:
        return report_unchanged(session, session.running)
    with hold_lock(session) as renew:
        return _deploy(sessions.refresh(session), digests, options, session.operator(renew))


def enter(scope: Scope, connections: Connections, intent: Intent, *, checks_tree: bool = True) -> Session:
    """Follow a change that still runs, check everything that a deployment needs, and begin a session.

    Args:
        checks_tree: whether the working copy is what will be deployed.

    Raises:
        CheckFailedError: something stops the deployment; nothing was changed.
        AutomationError: AWS did not answer, or the user left.
    """
    attach_to_running(scope, connections)
    results = preflight.check(
        scope,
        connections.account,
        intent,
        find_lock=preflight.lock_finder(scope, connections.table),
        find_released=preflight.released_finder(scope, connections.table),
    )
    for warning in results.warnings:
        if checks_tree or warning.where != work_tree.WHERE:
            _warn(warning)
    if results.stops:
        message = f"{len(results.stops)} finding(s) stop this; nothing was changed"
        raise CheckFailedError(message, where=scope.environment.name, findings=results.stops)
    return sessions.begin(scope, connections, intent.tree, chosen=intent.chosen, command=intent.command)


def attach_to_running(scope: Scope, connections: Connections, *, command: str = "") -> None:
    """Follow the changes that an interrupted deployment has left running until they are finished.

    Args:
        command: what goes on with them when the user detaches; empty for the deployment.

    Raises:
        CancelledError, DetachedError: the user cancelled the change, or left.
    """
    # Nothing is followed or cancelled in another account; the checks that follow report the wrong account.
    with suppress(CallError):
        if scope.environment.account not in {"", connections.account.identity().account}:
            return

    ask = console.ask if console.is_interactive() else None
    operator = Operator(scope.environment.name, scope.target, ask=ask, command=command)
    for name in scope.stack_names:
        # When AWS does not answer, the checks that follow report it.
        with suppress(DeploymentError):
            execution.attach(name, connections.stacks, operator)


def hold_lock(session: Session) -> AbstractContextManager[Callable[[], None]]:
    """Return the lock of the environment, whose table is created when it is missing.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    table = session.connections.table
    table.create(tags=_TABLE_TAGS)
    return deployer_lock.hold(table, session.deployer(), environment=session.environment)


def report_unchanged(session: Session, release: Release) -> Release:
    """Say that nothing has changed, and which release runs."""
    commit = f" ({release.commit[:_SHORT]}{', with uncommitted changes' if release.is_dirty else ''})"
    console.result(
        f"nothing has changed in {session.environment}: {release.name}{commit if release.commit else ''} runs"
    )
    return release


def _deploy(session: Session, digests: Mapping[str, str], options: Options, operator: Operator) -> Release:
    if sessions.is_up_to_date(session, digests) and session.running is not None:
        report_unchanged(session, session.running)
        return _prove(session, session.running, operator)

    with execution.explain_interrupt("nothing was changed", where=f"deploy --env {session.environment}"):
        if options.plan:
            plan = _reopen(session, digests, options.plan)
        else:
            plan = diff.make_plan(session, digests, allow=options.allow, decisions=choices.parse(options.adopt))
        confirm(plan, yes=options.yes, command=_command(plan, options))
    release = applying.carry_out(plan, operator)
    if plan.verdict is Verdict.NOTHING:
        report_unchanged(session, release)
    return _prove(session, release, operator)


def confirm(plan: Plan, *, yes: bool, command: str) -> None:
    """Show a plan that changes something and ask for its confirmation; without it no change set is left behind.

    Args:
        yes: ordinary changes are confirmed.
        command: what the user typed, to which --allow can be added.

    Raises:
        CheckFailedError: the plan is forbidden, or a guard of the project stops it.
        UsageError: the user did not confirm.
    """
    if plan.verdict is Verdict.NOTHING:
        return
    session, environment = plan.session, plan.session.scope.environment
    try:
        plan_text.show(
            plans.view(plan, notes=diff.notes(session.scope)), with_dangers=plan.verdict is not Verdict.FORBIDDEN
        )
        consent.require_allowed(plan.assessment, command=command)
        plans.require_readable(plan)
        ask = console.ask if console.is_interactive() else None
        consent.ask(plan.assessment, environment, yes=yes, ask=ask)
    except BaseException:
        plans.discard(plan)
        raise


def _command(plan: Plan, options: Options) -> str:
    """Return the command to which --allow must be added: a saved plan is made again."""
    environment = plan.session.environment
    if options.plan:
        allowed = allow_words(danger.name for danger in plan.assessment.allowed)
        return shlex.join(["inv", "diff", "--env", environment, "--out", options.plan, *allowed])
    return _typed(environment, options)


def _typed(environment: str, options: Options) -> str:
    """Return the command that the user typed, to which more can be added."""
    yes, plan = ["--yes"] if options.yes else [], ["--plan", options.plan] if options.plan else []
    adopt = chain.from_iterable((choices.OPTION, decision) for decision in options.adopt)
    values = chain.from_iterable(("--set", value) for value in options.set)
    allow = allow_words(options.allow)
    return shlex.join(["inv", "deploy", "--env", environment, *yes, *plan, *allow, *adopt, *values])


def _planned_values(plan: str, scope: Scope) -> dict[str, str]:
    """Return the values of asked parameters in the file of a saved plan; none without a file.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    values: dict[str, str] = {}
    if plan:
        for stack in plan_files.read(Path(plan), environment=scope.environment.name).stacks:
            values |= {name: value for name, value in stack.parameters.items() if value != HIDDEN}
    return {name: value for name, value in values.items() if name in scope.project.settings.ask}


def _with_answers(session: Session) -> Session:
    """Ask for the parameters whose values are not known; without a terminal, the checks have stopped before."""
    questions = asked_parameters.questions(session.scope)
    answers = asked_parameters.ask(
        questions, prompt=console.ask, hidden_prompt=console.ask_hidden, where=session.environment
    )
    return replace(session, scope=asked_parameters.fill(session.scope, {}, answers))


def allow_words(names: Iterable[str]) -> list[str]:
    """Return the words of a command that allow dangers by name."""
    return list(chain.from_iterable(("--allow", name) for name in names))


def _prove(session: Session, release: Release, operator: Operator) -> Release:
    proven = recovery.prove_or_go_back(session, release, operator)
    console.result(f"{proven.name} runs in {session.environment}: smoke test {proven.smoke}", style="bold green")
    _report_missing(session)
    return proven


def _report_missing(session: Session) -> None:
    """Say what a person still has to set up: functions answer although nobody hears of an alarm."""
    account, environment = session.connections.account, session.environment
    try:
        deployed = [account.stack(name) for name in session.scope.stack_names]
    except CallError as cause:
        console.warning(f"what must be set up could not be checked: {cause.detail}; inv status --env {environment}")
        return
    remarks = setup.look(session.scope, account, deployed, now=session.now)
    missing = [remark.finding for remark in remarks if remark.level is Level.WARN]
    for finding in missing:
        _warn(finding)
    if missing:
        look = f"inv status --env {environment}"
        console.result(f"{environment} is not ready: {len(missing)} thing(s) must be set up; see them again: {look}")


def _warn(finding: Finding) -> None:
    console.warning(f"{finding.where}: {finding.what}{f'; {finding.fix}' if finding.fix else ''}")


def _reopen(session: Session, digests: Mapping[str, str], file: str) -> Plan:
    """Return a saved plan, if nothing has moved since it was made.

    Raises:
        ConfigurationError: the file cannot be read.
        CheckFailedError: something has moved, or a change set is gone.
    """
    path, cloud = Path(file), session.connections.stacks
    saved = plan_files.read(path, environment=session.environment)
    to_deploy = diff.upload(session, digests)
    changes, location = diff.compare_contracts(session, to_deploy[0].released.template)
    release = diff.next_release(session, contracts=location, breaking=changes.breaking)
    described = {name: cloud.describe(name) for name in session.scope.stack_names}
    # What is decided now belongs into a new plan, so that no option can be added to this command.
    adoptions = adopting.find(replace(session, command=""), to_deploy, _saved_decisions(saved))
    present = plans.bound(
        session,
        to_deploy,
        described,
        release,
        change_sets={},
        assessment=saved.assessment,
        decisions={name: adopting.final_decisions(adoption) for name, adoption in adoptions.items()},
    )
    plan_files.require_unmoved(saved, now=present, path=path)

    stacks = []
    planned = {stack.stack_name: stack for stack in saved.stacks}
    for candidate in to_deploy:
        entry = planned[candidate.settings.stack_name]
        deployed = described[entry.stack_name]
        change_set = None
        if entry.change_set:
            stack_id = entry.stack_id or deployed.state.stack_id
            change_set = change_sets.reopen(entry.change_set, cloud, stack_id=stack_id, environment=saved.environment)
        adoption = adoptions.get(entry.stack_name, Adoption())
        after = Expanded(candidate.template)
        stacks.append(PlannedStack(candidate, deployed, None, after, (), change_set, adoption=adoption))
    return Plan(session, release, tuple(stacks), saved.assessment)


def _saved_decisions(saved: SavedPlan) -> dict[str, str]:
    """Return what a saved plan adopts, as a person would type it."""
    decisions: dict[str, str] = {}
    for stack in saved.stacks:
        decisions |= {f"{stack.stack}/{name}": value for name, value in stack.adopt.items()}
    return decisions
