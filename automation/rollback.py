"""`inv rollback`: restore an earlier release, with exactly its artifacts, planned and confirmed like a deployment."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from automation import deploy, preparing, releasing
from automation.deploying import applying, candidates, consent, recovery, sessions
from automation.deploying import scope as scopes
from automation.deploying.checks.visits import Intent
from automation.deploying.checks.work_tree import DIRTY, UNPUSHED
from automation.deploying.connections import Connections
from automation.deploying.deploy_options import allow_words
from automation.deploying.releases import records as releases
from automation.deploying.releases import rollbacks
from automation.deploying.releases.records import Release, Smoke
from automation.deploying.remarks import Level
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution
from automation.deploying.stacks.execution import Operator
from automation.system import console, git
from automation.system.errors import DeploymentError


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        to: the release to restore, such as `r7`; empty for the last good one.
        yes: ordinary changes are confirmed in advance.
        allow: names of dangers, such as `replace:Ledger`.
    """

    to: str = ""
    yes: bool = False
    allow: tuple[str, ...] = ()


def rollback(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    connect: Callable[[Scope], Connections] | None = None,
) -> Release:
    """Restore a release of the environment `name`, and test it.

    Args:
        variables: the process's environment variables.
        connect: opens the connections.

    Raises:
        AutomationError: a step failed; the message says what was changed, and what to type next.
    """
    number = releases.parse_number(options.to) if options.to else 0
    scope = scopes.read(root, name, variables=variables)
    consent.require_possible(
        scope.environment, yes=options.yes, is_interactive=console.is_interactive(), command="rollback"
    )
    # The working copy does not matter: what is deployed comes from the bucket.
    intent = Intent(
        now=datetime.now(UTC),
        tree=git.read_work_tree(root),
        allow=frozenset((*options.allow, DIRTY, UNPUSHED)),
        unknown_parameters=Level.INFO,
    )
    session = deploy.enter(scope, preparing.open_connections(scope, connect), intent, checks_tree=False)
    with deploy.hold_lock(session) as renew:
        return _restore(sessions.refresh(session), number, options, session.operator(renew))


def _restore(session: Session, number: int, options: Options, operator: Operator) -> Release:
    store = session.connections.store
    choice = rollbacks.plan_rollback(
        session.known,
        number,
        session.running,
        environment=session.environment,
        is_replaced=bool(session.watched.replaced),
        missing=lambda release: candidates.missing_artifacts(release, store),
    )
    for kept in choice.kept:
        console.warning(f"{kept} was not deployed by {choice.release.name}, and is left alone")

    operator = replace(operator, command=session.rollback_command(choice.release))
    with execution.explain_interrupt("nothing was changed", where=f"rollback --env {session.environment}"):
        plan = recovery.plan_restoration(session, choice.release, allow=options.allow)
        releasing.confirm(plan, yes=options.yes, command=_command(session.environment, options))
    release = applying.carry_out(plan, operator)

    proven = recovery.prove(sessions.refresh(session), release)
    if proven.smoke == Smoke.FAILED:
        recovery.pause(session)
        message = f"{choice.release.name} was restored as {proven.name}, and fails its test"
        advice = f"choose another one: inv releases --env {session.environment}"
        raise DeploymentError(f"{message}; {advice}", where=session.environment)
    console.result(
        f"{choice.release.name} runs again in {session.environment}, as {proven.name}: smoke test {proven.smoke}",
        style="bold green",
    )
    return proven


def _command(environment: str, options: Options) -> str:
    """Return the command to which --allow must be added."""
    to, yes = ["--to", options.to] if options.to else [], ["--yes"] if options.yes else []
    return shlex.join(["inv", "rollback", "--env", environment, *to, *yes, *allow_words(options.allow)])
