"""`inv destroy`: delete the stacks of an environment, and of its data exactly what was named.

Retained data stay in the account, and the next `inv deploy` adopts them.
"""

import shlex
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from automation import deploy, preparing, prune
from automation.deploying import bootstrap_stack, sessions
from automation.deploying import scope as scopes
from automation.deploying.checks import preflight
from automation.deploying.checks.visits import Intent
from automation.deploying.connections import Connections
from automation.deploying.destroying import inventory, steps, text
from automation.deploying.destroying import removal as removals
from automation.deploying.destroying.removal import Removal
from automation.deploying.pruning.survey import Leftovers
from automation.deploying.releases import expiry
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution
from automation.deploying.watching import replaced
from automation.project.environments import Environment
from automation.system import aws_commands, console
from automation.system.errors import CheckFailedError, Finding, UsageError
from automation.system.holdings import QUEUE


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        delete_data: what goes with its data, such as `Ledger`; also `all`, `releases` and `artifacts`.
        data_only: leave the stacks alone, and delete only what earlier stacks have left.
        yes: confirmed in advance, with `confirm`.
        confirm: the word that a person would type.
        dry_run: show what would be destroyed, and change nothing.
        only_expired: refuse an environment that has not expired when its lock is taken.
    """

    delete_data: tuple[str, ...] = ()
    data_only: bool = False
    yes: bool = False
    confirm: str = ""
    dry_run: bool = False
    only_expired: bool = False


def destroy(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    connect: Callable[[Scope], Connections] | None = None,
    find_leftovers: Callable[[Scope], Leftovers] = prune.find_leftovers,
) -> None:
    """Destroy the environment `name`; a temporary one with everything that belongs to it.

    Args:
        variables: the process's environment variables.
        connect, find_leftovers: open the connections.

    Raises:
        AutomationError: a step failed; the message says what was changed, and what to type next.
    """
    scope = scopes.read(root, name, variables=variables)
    _require_possible(scope, options)
    connections = preparing.open_connections(scope, connect)
    with execution.explain_interrupt("nothing was changed", where=f"destroy --env {name}"):
        session = _enter(scope, connections, options)
        removal = _plan(session, options)
        if removal.is_empty:
            _report_nothing(removal, name)
            return
        text.show(removal)
        if options.dry_run:
            return
        _confirm(removal, session, options)

    rest = f"the rest is still there; go on: {_command(name, options)}"
    with execution.explain_interrupt(rest, where=f"destroy --env {name}"):
        with _hold_lock(session) as renew:
            _carry_out(removal, session, options, renew, find_leftovers)
        # The lock has created the table again when it was missing.
        if removal.releases or scope.environment.is_temporary:
            connections.table.delete()
            console.result(f"releases: deleted {connections.table.name}")
    _report_rest(removal, session, is_data_only=options.data_only)


def _require_possible(scope: Scope, options: Options) -> None:
    """Refuse at once what must be confirmed when there is no terminal to confirm it on.

    Raises:
        UsageError: it must be confirmed.
    """
    environment, is_all = scope.environment, removals.ALL in options.delete_data
    if environment.is_sandbox or options.dry_run:
        return
    word = _word(environment, is_all=is_all)
    if options.yes and options.confirm != word:
        message = f"--yes needs the word that a person would type; add --confirm {shlex.quote(word)}"
        raise UsageError(message, where=f"destroy --env {environment.name}")
    if not options.yes and not console.is_interactive():
        message = "must be confirmed, and there is no terminal to confirm it on; run it in a terminal, or add"
        raise UsageError(f"{message} --yes --confirm {shlex.quote(word)}", where=f"destroy --env {environment.name}")


def _enter(scope: Scope, connections: Connections, options: Options) -> Session:
    """Follow a change that still runs, check what a deletion needs, and begin a session.

    Raises:
        CheckFailedError: something stops the deletion; nothing was changed.
        AutomationError: AWS did not answer, or the user left.
    """
    if not options.dry_run:
        deploy.attach_to_running(scope, connections, command=_command(scope.environment.name, options))
    intent = Intent(now=datetime.now(UTC))
    find_lock = preflight.lock_finder(scope, connections.table)
    results = preflight.check(scope, connections.account, intent, find_lock=find_lock, is_removal=True)
    for warning in (*results.warnings, *(results.stops if options.dry_run else ())):
        console.warning(f"{warning.where}: {warning.what}{f'; {warning.fix}' if warning.fix else ''}")
    if results.stops and not options.dry_run:
        message = f"{len(results.stops)} finding(s) stop this; nothing was changed"
        raise CheckFailedError(message, where=scope.environment.name, findings=results.stops)
    return sessions.begin(scope, connections, None)


def _plan(session: Session, options: Options) -> Removal:
    """Return what is destroyed.

    Raises:
        UsageError, CheckFailedError: as removal.plan.
        DeploymentError: AWS did not answer.
    """
    contents = inventory.gather(session)
    if options.data_only:
        contents = replace(contents, stacks=())
    is_temporary = session.scope.environment.is_temporary
    names = removals.EVERYTHING if is_temporary else options.delete_data
    return removals.plan(contents, names, command=_command(session.environment, options))


def _confirm(removal: Removal, session: Session, options: Options) -> None:
    """Ask for the environment's name, and for what is lost with its data.

    Raises:
        UsageError: the answer does not confirm; nothing was changed.
    """
    name = session.environment
    if session.scope.environment.is_sandbox or options.yes:
        return
    environment = session.scope.environment
    everything = " with all its data" if environment.is_temporary else ""
    _require(name, f"Type {name} to destroy {name}{everything}:", name)
    if environment.is_temporary:
        return
    if removal.is_all:
        word = _word(environment, is_all=True)
        _require(word, f"Type {word} to delete the data of {len(removal.data)} resource(s) for ever:", name)
        return
    for resource in removal.data:
        label = removals.label(resource, removal.inventory)
        _require(label, f"{resource.text} is deleted for ever. Type {label} to confirm:", name)


def _require(word: str, question: str, environment: str) -> None:
    # Exactly this word: an answer that merely resembles it must not destroy anything.
    if console.ask(question) != word:
        message = f"cancelled: nothing was changed (type {word} to confirm)"
        raise UsageError(message, where=f"destroy --env {environment}")


def _hold_lock(session: Session) -> AbstractContextManager[Callable[[], None]]:
    return deploy.hold_lock(session)


def _require_unmoved(removal: Removal, session: Session) -> None:
    """Refuse to destroy another content than the one that was shown.

    Raises:
        CheckFailedError: a stack was changed while the person was asked.
    """
    cloud = session.connections.stacks
    moved = [stack.state for stack in removal.inventory.stacks if cloud.stack_state(stack.state.name) != stack.state]
    if moved:
        fix = f"look again: inv destroy --env {session.environment} --dry-run"
        findings = [Finding(state.name, "the stack was changed in the meantime", fix) for state in moved]
        raise CheckFailedError("nothing was changed", where=session.environment, findings=findings)


def _carry_out(
    removal: Removal,
    session: Session,
    options: Options,
    renew: Callable[[], None],
    find_leftovers: Callable[[Scope], Leftovers],
) -> None:
    _require_unmoved(removal, session)
    if options.only_expired:
        # A deployment since the search may have given it more time.
        expiry.require_passed(session.connections.table, session.environment, now=session.now)
    operator = replace(session.operator(renew), command=_command(session.environment, options))
    steps.destroy_stacks(removal, session, operator)
    if session.watched.mark and not options.data_only:
        connections = session.connections
        replaced.forget(session.watched.functions, connections.code, connections.table, session.environment)
    if removal.artifacts:
        steps.delete_artifacts(session, find_leftovers(session.scope), renew)


def _report_nothing(removal: Removal, environment: str) -> None:
    if removal.staying:
        text.show(removal)
    advice = f"; delete what is left over: add {removals.OPTION} NAME" if removal.staying else ""
    console.result(f"nothing to destroy in {environment}{advice}")


def _report_rest(removal: Removal, session: Session, *, is_data_only: bool) -> None:
    name = session.environment
    what = f"what was named is deleted from {name}" if is_data_only else f"{name} is destroyed"
    console.result(what, style="bold green")
    if not session.scope.environment.is_sandbox and any(resource.type == QUEUE for resource in removal.data):
        console.warning(
            f"wait a minute before inv deploy --env {name}: SQS blocks the name of a deleted queue for so long"
        )
    if removal.staying and not is_data_only:
        advice = f"inv deploy --env {name} adopts them"
        console.result(f"{len(removal.staying)} resource(s) stay in the account; {advice}")
    if not (is_data_only or session.scope.environment.is_temporary):
        _report_bootstrap(session)


def _report_bootstrap(session: Session) -> None:
    """Say that the bootstrap stack stays, if there is one, and how to delete it."""
    stack = bootstrap_stack.name_of(session.scope.name_patterns)
    if not session.connections.stacks.stack_state(stack).exists:
        return
    what = f"{stack} stays, with the deploy role and the bucket for artifacts; to delete it, though not its bucket"
    words = ("--no-enable-termination-protection", "--stack-name", stack)
    unprotect = aws_commands.line(session.scope.target, "cloudformation", "update-termination-protection", *words)
    delete = aws_commands.line(session.scope.target, "cloudformation", "delete-stack", "--stack-name", stack)
    console.result(f"{what}: {unprotect} && {delete}")


def _word(environment: Environment, *, is_all: bool) -> str:
    """Return what a person types to confirm; the data of a temporary environment need no word of their own."""
    return f"{environment.name} and all data" if is_all and not environment.is_temporary else environment.name


def _command(environment: str, options: Options) -> str:
    """Return the command that the user typed."""
    words = ["inv", "destroy", "--env", environment]
    for name in options.delete_data:
        words += [removals.OPTION, name]
    words += ["--data-only"] if options.data_only else []
    words += ["--yes", "--confirm", options.confirm] if options.yes else []
    return shlex.join(words)
