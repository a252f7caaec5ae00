"""`inv invoke`: send one event to a deployed function, or run its built artifact here, and print what it answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from automation import coldstart_logs
from automation.building import builder, built, source_copies
from automation.deploying import consent
from automation.deploying import scope as scopes
from automation.deploying.checks import credentials, hooks
from automation.deploying.scope import Scope
from automation.lambda_runtime import invocation, places, runtime
from automation.lambda_runtime.invocation import Limits, LocalInvocation
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.runtime import Allowance
from automation.operating import events, invocation_texts
from automation.operating.invocation_texts import Outcome
from automation.project import function_names, model
from automation.project.model import Function, Project, Stack
from automation.system import aws, console, tools
from automation.system.account_checks import Account
from automation.system.accounts import Identity
from automation.system.errors import CheckFailedError, UsageError
from automation.system.invocations import Configuration, LoggedInvocation
from automation.system.targets import Target

_WHERE = "invoke"
_DEBUGGER = "debugpy"


class Cloud(coldstart_logs.Functions, Protocol):
    """The calls to AWS; aws.Cloud is the real one."""

    def invoke_with_log(self, function: str, payload: str) -> LoggedInvocation:
        """Send one event to a function."""
        ...

    def configuration(self, function: str) -> Configuration:
        """Return the environment variables and limits of a function."""
        ...

    def credentials(self) -> Mapping[str, str]:
        """Return the credentials as environment variables."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """The connections to an environment."""

    identify: Callable[[], Identity]
    cloud: Cloud


@dataclass(frozen=True, slots=True)
class _Connection:
    """An environment, and the connections to it."""

    scope: Scope
    sources: Sources

    def physical_name(self, function: Function) -> str:
        """Return the name of a deployed function, with the alias that its event sources use."""
        deployed = coldstart_logs.find_deployed(self.scope, self.sources.cloud)
        names, environment = frozenset({function.logical_id}), self.scope.environment.name
        chosen = coldstart_logs.select(deployed, names, environment=environment, where=_WHERE)
        alias = function.properties.get("AutoPublishAlias")
        return f"{chosen[0].physical_name}:{alias}" if isinstance(alias, str) else chosen[0].physical_name


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        event: a file with the event; empty for none.
        message: the name of a message of the registry; empty for none.
        is_local: run the built artifact on this machine.
        debug_port: wait for a debugger on this port; 0 for none.
        yes: the event is confirmed.
        json: print JSON.
    """

    event: str = ""
    message: str = ""
    is_local: bool = False
    debug_port: int = 0
    yes: bool = False
    json: bool = False


def connect(scope: Scope) -> Sources:
    """Open the connections to an environment; no call is made yet."""
    return Sources(Account(scope.target).identity, aws.Cloud(scope.target))


def invoke(
    root: Path,
    name: str,
    env: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    connect: Callable[[Scope], Sources] = connect,
) -> None:
    """Send one event to a function, and print its log and its answer.

    Without an event and a message it is the message of the smoke test, which changes nothing.

    Args:
        name: the function, by logical id or code folder.
        env: the environment; empty for a local invocation that reaches no network.
        variables: the process's environment variables.

    Raises:
        UsageError: the options exclude each other, the function or message does not exist, or it was not confirmed.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
        CheckFailedError: the function failed, or the credentials cannot be used for this environment.
    """
    _require_consistent(env, options)
    connection = _connected(root, env, variables, connect) if env else None
    project = connection.scope.project if connection else model.load(root)
    function, stack = _find(project, name)
    event = _event(function, stack, project, connection, options)
    if connection:
        _require_confirmed(connection, function, options)

    if connection and not options.is_local:
        outcome = invocation_texts.of_deployed(_invoke_deployed(connection, function, event))
    else:
        outcome = invocation_texts.of_local(_invoke_here(project, function, event, connection, options))
    _show(outcome, function, is_json=options.json)


def _connected(
    root: Path, env: str, variables: Mapping[str, str], connect: Callable[[Scope], Sources]
) -> "_Connection":
    scope = scopes.read(root, env, variables=variables)
    return _Connection(scope, connect(scope))


def _require_consistent(env: str, options: Options) -> None:
    if not env and not options.is_local:
        raise UsageError("add --env ENV, or --local to run the built artifact on this machine", where=_WHERE)
    if options.event and options.message:
        raise UsageError("--event and --message exclude each other; leave one out", where=_WHERE)
    if options.debug_port and not options.is_local:
        raise UsageError("--debug-port is for an invocation on this machine; add --local", where=_WHERE)
    if not 0 <= options.debug_port < 2**16:
        raise UsageError(f"--debug-port must be between 1 and 65535, got {options.debug_port}", where=_WHERE)


def _find(project: Project, name: str) -> tuple[Function, Stack]:
    function = function_names.find(name, project.functions, where=_WHERE)
    stacks = {stack.name: stack for stack in project.stacks}
    return function, stacks[function.stack]


def _event(function: Function, stack: Stack, project: Project, connection: _Connection | None, options: Options) -> str:
    if options.event:
        return events.of_file(options.event)
    if not options.message:
        return json.dumps(dict(project.settings.smoke or {}))

    routes = events.read_routes(project)
    target = connection.scope.target if connection else Target(runtime.REGION)
    context = hooks.Context(connection.scope.environment.name if connection else "", target.region)
    samples = hooks.documents("samples", project.settings.hooks.samples, context, root=project.root, target=target)
    return events.of_message(options.message, function, stack, project, events.Samples(routes, samples))


def _require_confirmed(connection: _Connection, function: Function, options: Options) -> None:
    """Check the account, and ask for a confirmation of an event that may change something."""
    scope = connection.scope
    is_harmless = not (options.event or options.message)
    yes, command = options.yes or is_harmless, f"{_WHERE} {function.logical_id}"
    consent.require_possible(scope.environment, yes=yes, is_interactive=console.is_interactive(), command=command)
    credentials.require_account(scope, connection.sources.identify, datetime.now(UTC))
    if not yes:
        what = options.message or options.event
        effect = f"send {what} to {function.logical_id} in {scope.environment.name}"
        consent.confirm(effect, scope.environment, ask=console.ask)


def _invoke_deployed(connection: _Connection, function: Function, event: str) -> LoggedInvocation:
    name = connection.physical_name(function)
    with console.progress(f"invoking {function.logical_id}"):
        return connection.sources.cloud.invoke_with_log(name, event)


def _invoke_here(
    project: Project, function: Function, event: str, connection: _Connection | None, options: Options
) -> LocalInvocation:
    mount = _built_mount(project, function, connection)
    if why := runtime.why_not_importable(mount, project.root):
        raise UsageError(f"{function.logical_id} cannot run here: {why}", where=_WHERE)

    limits, allowance = invocation.limits_of(mount), Allowance()
    if connection:
        limits, allowance = _as_deployed(connection, function)
    if port := options.debug_port:
        allowance = replace(allowance, debugger=(str(tools.ensure(_DEBUGGER, root=project.root).site), str(port)))
    with places.opened(project.root) as new_places, new_places.of(mount) as place:
        if port:
            console.results(invocation_texts.debugger_lines(port, project, place))
            console.flush()
        return invocation.invoke(place, event, root=project.root, limits=limits, allowance=allowance)


def _as_deployed(connection: _Connection, function: Function) -> tuple[Limits, Allowance]:
    """Return the limits and the variables of a deployed function, and let it use our credentials."""
    cloud, target = connection.sources.cloud, connection.scope.target
    known = cloud.configuration(connection.physical_name(function))
    variables = {**known.variables, **target.variables(), **cloud.credentials()}
    return Limits(known.memory_mb, known.timeout_s), Allowance(variables=variables, has_network=True)


def _built_mount(project: Project, function: Function, connection: _Connection | None) -> Mount:
    """Build what is stale, and return what Lambda would mount for a function."""
    stacks = connection.scope.stacks if connection else ()
    source_copies.sync(project)
    builder.build(project, parameters={settings.stack.name: settings.parameters for settings in stacks})

    key = function.stack, function.logical_id
    for mount in built.mounts_of_project(built.as_built(project)):
        if (mount.function.stack, mount.function.logical_id) == key:
            return mount
    raise UsageError(f"{function.logical_id} has no code that inv build builds", where=_WHERE)


def _show(outcome: Outcome, function: Function, *, is_json: bool) -> None:
    if is_json:
        console.result_json(outcome.record(function.logical_id))
    else:
        console.results(outcome.lines())
    if outcome.failure:
        raise CheckFailedError(outcome.failure, where=function.logical_id)
