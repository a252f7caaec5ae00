"""`inv bootstrap`: show what an account needs once for an environment, ask for exactly that, and do it. Idempotent."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from automation import preparing
from automation.deploying import asked_parameters, bootstrap_stack, consent, plans, sessions
from automation.deploying import scope as scopes
from automation.deploying.bootstrapping import alerts, github_environments, preparation, repositories
from automation.deploying.bootstrapping.preparation import Preparation
from automation.deploying.bootstrapping.provider import Providers
from automation.deploying.changes.model import Verdict
from automation.deploying.checks import setup
from automation.deploying.checks.hooks import Step, StepState
from automation.deploying.connections import Connections
from automation.deploying.deploy_options import allow_words
from automation.deploying.remarks import Level
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution
from automation.deploying.stacks.execution import Operator
from automation.deploying.views import plan_text
from automation.project.environments import Environment
from automation.system import console
from automation.system.accounts import CallError, DeployedStack
from automation.system.errors import Finding, UsageError

_CHANGES = 7


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        repository: the repository at GitHub that may deploy, as `owner/name`; empty for the known one, or git's origin.
        alerts: the address that gets alarms; empty for no change.
        set: values of parameters that deployments would ask for, as `NAME=VALUE`.
        allow: names of dangers, such as `widen:DeployRole`.
        yes: ordinary changes are confirmed in advance.
        dry_run: show the plan, and change nothing.
    """

    repository: str = ""
    alerts: str = ""
    set: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    yes: bool = False
    dry_run: bool = False


def connect_providers(scope: Scope) -> Providers:
    """Return the identity providers of an environment's account; no call is made yet."""
    from automation.system.identity_providers import IdentityProviders  # noqa: PLC0415 - boto3 is slow to import

    return IdentityProviders(scope.target)


def bootstrap(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    start_target: Callable[[], None] = lambda: None,
    connect: Callable[[Scope], Connections] | None = None,
    connect_providers: Callable[[Scope], Providers] = connect_providers,
) -> int:
    """Prepare the account of the environment `name`, or of all environments of a pattern.

    Args:
        variables: the process's environment variables.
        start_target: called before the first call to the target.
        connect, connect_providers: open the connections.

    Returns:
        The exit code: 7 when a dry run shows changes, 0 otherwise.

    Raises:
        AutomationError: a step failed; the message says what was changed, and what to type next.
    """
    scope = scopes.read(root, name, variables=variables, takes_pattern=True)
    _require_whole(scope.environment)
    chosen = {**alerts.values(scope, options.alerts), **asked_parameters.parse(options.set)}
    asked_parameters.require_settable(scope, chosen)
    if not options.dry_run:
        consent.require_possible(
            scope.environment, yes=options.yes, is_interactive=console.is_interactive(), command="bootstrap"
        )

    start_target()
    connections, providers = preparing.open_connections(scope, connect), connect_providers(scope)
    with execution.explain_interrupt("nothing was changed", where=f"bootstrap --env {name}"):
        session = _begin(scope, connections, chosen)
        operator = replace(session.operator(lambda: None), command=_command(name, options))
        _attach(session, operator, options)
        session = _with_answers(session, options)
        planned = preparation.plan(session, providers, repository=options.repository, allow=options.allow)
        if options.dry_run or planned.is_empty:
            return _only_show(planned)
        _confirm(planned, options)

    rest = f"the rest is done by the same command: {operator.attach_command}"
    with execution.explain_interrupt(rest, where=f"bootstrap --env {name}"):
        steps = preparation.carry_out(planned, providers, operator)
    console.result(f"the account is prepared for {name}", style="bold green")
    _report(session, steps)
    return 0


def _require_whole(environment: Environment) -> None:
    """Refuse one environment of a pattern: the role is for all of them, and would lose the others.

    Raises:
        UsageError: it is one.
    """
    if environment.is_temporary and not environment.is_pattern:
        command = shlex.join(["inv", "bootstrap", "--env", environment.pattern])
        raise UsageError(
            f"{environment.name} has no role of its own; prepare all of its kind: {command}", where="--env"
        )


def _begin(scope: Scope, connections: Connections, chosen: Mapping[str, str]) -> Session:
    if scope.environment.is_pattern:
        return sessions.begin_of_pattern(scope, connections)
    return sessions.begin(scope, connections, None, chosen=chosen)


def _attach(session: Session, operator: Operator, options: Options) -> None:
    """Follow the change that an interrupted run has left running until it is finished."""
    if not options.dry_run:
        name = bootstrap_stack.name_of(session.scope.name_patterns)
        execution.attach(name, session.connections.stacks, operator)


def _with_answers(session: Session, options: Options) -> Session:
    """Ask for the values that no file has and that may be shown; without a terminal say how to give them."""
    questions = [question for question in asked_parameters.questions(session.scope) if not question.is_hidden]
    if options.dry_run or options.yes or not console.is_interactive():
        if questions:
            words = shlex.join(asked_parameters.set_words(questions))
            names = ", ".join(question.name for question in questions)
            console.warning(f"{names}: no value yet; inv deploy asks for it, or give it here: {words}")
        return session
    answers = asked_parameters.ask(
        questions, prompt=console.ask, hidden_prompt=console.ask_hidden, where=session.environment
    )
    return replace(session, scope=asked_parameters.fill(session.scope, {}, answers))


def _only_show(planned: Preparation) -> int:
    """Show a plan that is not carried out, and return the exit code."""
    plans.discard(planned.plan)
    if not planned.is_empty:
        plan_text.show(preparation.view(planned))
        return _CHANGES
    console.result(f"nothing to change: the account is prepared for {planned.plan.session.environment}")
    _report(planned.plan.session, planned.steps)
    return 0


def _confirm(planned: Preparation, options: Options) -> None:
    """Show a plan and ask for its confirmation; without it no change set is left behind.

    Raises:
        CheckFailedError: the plan is forbidden.
        UsageError: the user did not confirm.
    """
    assessment, environment = planned.assessment, planned.plan.session.scope.environment
    try:
        plan_text.show(preparation.view(planned), with_dangers=assessment.verdict is not Verdict.FORBIDDEN)
        consent.require_allowed(assessment, command=_command(environment.name, options))
        ask = console.ask if console.is_interactive() else None
        consent.ask(assessment, environment, yes=options.yes, ask=ask)
    except BaseException:
        plans.discard(planned.plan)
        raise


def _report(session: Session, steps: tuple[Step, ...]) -> None:
    """Print what a person sets in GitHub, and what else only a person can do."""
    outputs = bootstrap_stack.outputs(session.scope.name_patterns, session.connections.stacks)
    key = session.scope.environment.key
    console.results(github_environments.lines(outputs[bootstrap_stack.REPOSITORY], key, outputs))
    for step in steps:
        if step.state is StepState.PERSON:
            preparing.warn(Finding(step.where, step.what, step.fix))
    for finding in _missing(session):
        preparing.warn(finding)


def _missing(session: Session) -> list[Finding]:
    """Return what else a person has to set up, such as a secret; with an error of AWS in its place."""
    account, scope = session.connections.account, session.scope
    if scope.environment.is_temporary:
        return []
    try:
        deployed: list[DeployedStack] = [account.stack(name) for name in scope.stack_names]
    except CallError as cause:
        return [Finding(scope.environment.name, f"what must be set up could not be checked: {cause.detail}")]
    remarks = setup.look(scope, account, deployed, now=session.now)
    return [remark.finding for remark in remarks if remark.level is Level.WARN]


def _command(environment: str, options: Options) -> str:
    """Return the command that the user typed."""
    words = ["inv", "bootstrap", "--env", environment]
    words += [repositories.OPTION, options.repository] if options.repository else []
    words += [alerts.OPTION, options.alerts] if options.alerts else []
    for value in options.set:
        words += ["--set", value]
    words += ["--yes"] if options.yes else []
    return shlex.join([*words, *allow_words(options.allow)])
