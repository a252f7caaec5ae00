"""`inv deploy`: check everything, plan, ask for exactly that, carry it out, prove that it works, or go back."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from automation import preparing
from automation.deploying import asked_parameters, candidates, consent, plan_files, sessions
from automation.deploying import scope as scopes
from automation.deploying.checks import hooks, preflight, work_tree
from automation.deploying.checks.visits import Intent
from automation.deploying.connections import Connections
from automation.deploying.deploy_options import Options, typed
from automation.deploying.releases import deployer_lock, expiry
from automation.deploying.releases.records import Release
from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution
from automation.deploying.stacks.execution import Operator
from automation.deploying.verdict.property_texts import HIDDEN
from automation.system import console, git
from automation.system.accounts import CallError
from automation.system.errors import CheckFailedError, DeploymentError

__all__ = ["Options", "attach_to_running", "deploy", "enter", "hold_lock"]

_TABLE_TAGS = {"created-by": "inv deploy"}


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

    ttl, chosen = expiry.chosen(scope.environment, options.ttl), asked_parameters.parse(options.set)
    asked_parameters.require_settable(scope, chosen)
    is_interactive = console.is_interactive()
    consent.require_possible(scope.environment, yes=options.yes, is_interactive=is_interactive)
    guards = scope.project.settings.hooks.guards
    with execution.explain_interrupt("nothing was changed", where=f"deploy --env {name}"):
        # The guards load the project's code, which takes long, while the target is asked who we are.
        with hooks.started(guards, root=root, target=scope.target) as run_guards:
            start_target()
            connections = preparing.open_connections(scope, connect)
            intent = Intent(
                now=datetime.now(UTC),
                tree=git.read_work_tree(root, apart_from=preparing.inside(root, options.plan)),
                allow=frozenset(options.allow),
                chosen={**_planned_values(options.plan, scope), **chosen},
                unknown_parameters=Level.INFO if is_interactive else Level.STOP,
                command=typed(name, options),
            )
            session = enter(scope, connections, intent, run_guards=run_guards)
        session = _with_answers(session)
        preparing.prepare(session.scope)
        digests = candidates.digests(session.scope)
    if sessions.is_up_to_date(session, digests) and session.running is not None and session.running.is_proven:
        expiry.extend(scope.environment, connections.table, ttl, now=session.now)
        return preparing.report_unchanged(session, session.running)
    return _release(session, digests, options, ttl=ttl)


def _release(session: Session, digests: Mapping[str, str], options: Options, *, ttl: timedelta | None) -> Release:
    from automation import releasing  # noqa: PLC0415 - slow to import, and not needed when nothing has changed

    with hold_lock(session) as renew:
        # Before the first change, so that what a failed deployment leaves expires too.
        expiry.extend(session.scope.environment, session.connections.table, ttl, now=session.now)
        return releasing.release(sessions.refresh(session), digests, options, session.operator(renew))


def enter(
    scope: Scope,
    connections: Connections,
    intent: Intent,
    *,
    checks_tree: bool = True,
    run_guards: Callable[..., tuple[Remark, ...]] = hooks.run,
) -> Session:
    """Follow a change that still runs, check everything that a deployment needs, and begin a session.

    Args:
        checks_tree: whether the working copy is what will be deployed.
        run_guards: runs the guards of pyproject.toml; by default in a process that is started when they are due.

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
        run_hooks=run_guards,
    )
    for warning in results.warnings:
        if checks_tree or warning.where != work_tree.WHERE:
            preparing.warn(warning)
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
    table.create(tags={**_TABLE_TAGS, **expiry.tags(session.scope.environment.ttl, session.now)})
    return deployer_lock.hold(table, session.deployer(), environment=session.environment)


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
