"""Run the product's own functions, its hooks, in a process of their own: `package.module:function` in pyproject.toml.

A hook takes one mapping, the fields of `Context`, and returns a list of mappings with the keys `level` (stop, warn or
info), `where`, `what` and `fix`. A `contracts` hook returns JSON schemas by name, a `samples` hook messages by name. A
`bootstrap` hook returns the steps that prepare an account, as mappings with `state` (done; due: it does the step when
`applies` is set; person: only a person can do it), `where`, `what` and `fix`. It changes nothing unless `applies` is
set, and then returns the steps as they are afterwards.

A hook may call AWS: its process has the target's endpoint, region and credentials in its environment variables, so
boto3 needs no arguments.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.project import templates
from automation.project.environments import StackSettings
from automation.project.settings import TABLE
from automation.system import identity_tokens, processes
from automation.system.errors import ConfigurationError, ToolError
from automation.system.targets import Target

TIMEOUT_S = 30.0
_WORKER = Path(__file__).with_name("hooks_worker.py")
_HIDDEN = "****"  # what CloudFormation shows for a NoEcho parameter
_STEP_LINE = 'a bootstrap hook returns a list of {"state": "due", "where": "…", "what": "…", "fix": "…"}'
_LINE = 'a hook returns a list of {"level": "stop", "where": "…", "what": "…", "fix": "…"}'


class StepState(StrEnum):
    """Whether a step that prepares an account is done, and who does it otherwise."""

    DONE = "done"
    DUE = "due"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Step:
    """A step that prepares an account.

    Attributes:
        what: what is so, what would be done, or what a person has to do.
    """

    state: StepState
    where: str
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a hook may need to know.

    Attributes:
        endpoint: URL that replaces AWS; empty for AWS itself.
        account: the account id; empty when it is not known.
        stacks: the stacks' names in the account, by their names in pyproject.toml.
        outputs, parameters: of all deployed stacks together; without parameters that CloudFormation hides.
        breaking_contracts: the names of messages and items that the deployed or the new release cannot read.
        missing: what a person still has to set up, such as a secret; only for the status hooks.
        is_temporary: whether the environment has no secrets and is destroyed with its data.
        applies: whether a bootstrap hook does its steps.
        now: RFC 3339.
    """

    environment: str
    region: str
    endpoint: str = ""
    account: str = ""
    stacks: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    breaking_contracts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    is_temporary: bool = False
    applies: bool = False
    now: str = ""


def context_of(
    scope: Scope,
    *,
    now: datetime,
    account: str = "",
    outputs: Iterable[Mapping[str, str]] = (),
    parameters: Iterable[Mapping[str, str]] = (),
    breaking_contracts: Iterable[str] = (),
    missing: Iterable[str] = (),
    applies: bool = False,
) -> Context:
    """Return what hooks need to know about a scope.

    Args:
        account: the id of the account that the credentials belong to.
        outputs, parameters: of each deployed stack. What is not deployed yet has the parameters that it will get.
    """
    planned = (_visible(settings) for settings in scope.stacks)
    deployed = ({name: value for name, value in values.items() if value != _HIDDEN} for values in parameters)
    return Context(
        environment=scope.environment.name,
        region=scope.target.region,
        endpoint=scope.target.endpoint,
        account=account,
        stacks={settings.stack.name: settings.stack_name for settings in scope.stacks},
        outputs=_merged(outputs),
        parameters=_merged((*planned, *deployed)),
        breaking_contracts=tuple(breaking_contracts),
        missing=tuple(missing),
        is_temporary=scope.environment.is_temporary,
        applies=applies,
        now=now.isoformat(timespec="seconds"),
    )


def run(
    kind: str, functions: Sequence[str], context: Context, *, root: Path, target: Target, timeout_s: float = TIMEOUT_S
) -> tuple[Remark, ...]:
    """Run hooks that return remarks, in order.

    A hook that fails or does not answer in time is a remark itself: it stops a deployment when it is a guard, and
    otherwise warns.

    Args:
        kind: the key in pyproject.toml that names these functions, such as `guards`.
        root: the project, put on sys.path.
        timeout_s: for all of these hooks together.

    Raises:
        ConfigurationError: there is no such function.
    """
    with started(functions, root=root, target=target) as run_started:
        return run_started(kind, functions, context, timeout_s=timeout_s)


@contextmanager
def started(functions: Sequence[str], *, root: Path, target: Target) -> Iterator[Callable[..., tuple[Remark, ...]]]:
    """Start the process of hooks, which loads the project's code while the block goes on.

    What is yielded takes the place of `run` for these functions and this target, once. It calls the hooks; until then
    none has been called.
    """
    with _process(functions, root, target) as ask:

        def run_started(
            kind: str, _functions: Sequence[str], context: Context, *, timeout_s: float = TIMEOUT_S, **_place: object
        ) -> tuple[Remark, ...]:
            return _remarks_of(kind, ask(kind, context, timeout_s))

        yield run_started


def _remarks_of(kind: str, answers: Mapping[str, Mapping[str, Any]]) -> tuple[Remark, ...]:
    failure = Level.STOP if kind == "guards" else Level.WARN
    remarks: list[Remark] = []
    for function, answer in answers.items():
        try:
            remarks += _value(answer, _remarks)
        except _HookFailedError as cause:
            remarks.append(Remark(failure, function, str(cause), f"fix it, or remove it from {kind} in {TABLE}"))
    return tuple(remarks)


def documents(
    kind: str, functions: Sequence[str], context: Context, *, root: Path, target: Target, timeout_s: float = TIMEOUT_S
) -> Mapping[str, Any]:
    """Run the `contracts` or `samples` hooks and return their documents by name.

    Raises:
        ConfigurationError: there is no such function, it failed, or it does not return a mapping.
    """
    together: dict[str, Any] = {}
    with _process(functions, root, target) as ask:
        answers = ask(kind, context, timeout_s)
    for function, answer in answers.items():
        try:
            together |= _value(answer, _documents)
        except _HookFailedError as cause:
            raise ConfigurationError(f"{function}: {cause}", where=f"{TABLE} {kind}") from cause
    return together


def steps(functions: Sequence[str], context: Context, *, root: Path, target: Target) -> tuple[Step, ...]:
    """Run the `bootstrap` hooks and return their steps, in order.

    Raises:
        ConfigurationError: there is no such function, it failed, or it does not return steps.
    """
    together: list[Step] = []
    with _process(functions, root, target) as ask:
        answers = ask("bootstrap", context, TIMEOUT_S)
    for function, answer in answers.items():
        try:
            together += _value(answer, _steps)
        except _HookFailedError as cause:
            raise ConfigurationError(f"{function}: {cause}", where=f"{TABLE} bootstrap") from cause
    return tuple(together)


class _HookFailedError(Exception):
    """A hook failed, did not answer, or its answer has the wrong form; the text says which."""


@contextmanager
def _process(
    functions: Sequence[str], root: Path, target: Target
) -> Iterator[Callable[[str, Context, float], dict[str, Mapping[str, Any]]]]:
    """Start the worker; what is yielded returns its answer for each function: `value`, `error` or `silence`."""
    if not functions:
        yield lambda *_: {}
        return

    with tempfile.TemporaryDirectory() as folder:
        reply = Path(folder) / "reply.jsonl"
        # -P: the worker's own folder must not be on sys.path, because its modules could hide the project's.
        argv: list[str | Path] = [sys.executable, "-B", "-P", _WORKER, root, reply, *functions]
        identity_tokens.provide()
        env = processes.environment(target.variables(), without=target.hidden_variables())
        with processes.started(argv, cwd=root, env=env) as finish:

            def ask(kind: str, context: Context, timeout_s: float) -> dict[str, Mapping[str, Any]]:
                silence = _silence(finish, json.dumps(asdict(context)), timeout_s)
                return _answers(kind, functions, reply, silence)

            yield ask


def _answers(kind: str, functions: Sequence[str], reply: Path, silence: str) -> dict[str, Mapping[str, Any]]:
    answers: dict[str, Mapping[str, Any]] = {function: {"silence": silence} for function in functions}
    for line in reply.read_text().splitlines() if reply.exists() else []:
        with suppress(ValueError):  # the last line of a killed worker may be incomplete
            answer = json.loads(line)
            answers[answer["function"]] = answer
    for answer in answers.values():
        if "unknown" in answer:
            raise ConfigurationError(f"{answer['function']} {answer['unknown']}", where=f"{TABLE} {kind}")
    return answers


def _silence(finish: Callable[[str, float], processes.Finished], context: str, timeout_s: float) -> str:
    """Let the worker run every hook; return why a hook without an answer has none."""
    try:
        finished = finish(context, timeout_s)
    except ToolError:
        return f"did not answer within {timeout_s:g} s"
    return f"ended without an answer (exit code {finished.exit_code}): {finished.tail(1)}".rstrip(": ")


def _value[T](answer: Mapping[str, Any], parse: Callable[[Any], T]) -> T:
    """Return the parsed value of an answer.

    Raises:
        _HookFailedError: there is none, or it has the wrong form.
    """
    if "silence" in answer:
        raise _HookFailedError(answer["silence"])
    if "error" in answer:
        raise _HookFailedError(f"failed: {answer['error']}")
    return parse(answer["value"])


def _visible(settings: StackSettings) -> dict[str, str]:
    """Return the values of the parameters that a log may show."""
    hidden = {name for name, table in settings.stack.template.parameters.items() if templates.is_no_echo(table)}
    return {name: value for name, value in settings.values().items() if name not in hidden}


def _merged(values: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Merge mappings; a later one replaces an earlier one."""
    together: dict[str, str] = {}
    for mapping in values:
        together |= mapping
    return together


def _remarks(value: Any) -> list[Remark]:
    if not isinstance(value, list):
        raise _HookFailedError(f"returned {json.dumps(value)}; {_LINE}")
    return [_remark(line) for line in value]


def _remark(line: Any) -> Remark:
    match line:
        case {"level": "stop" | "warn" | "info" as level, "what": str() as what}:
            return Remark(Level(level), str(line.get("where", "")), what, str(line.get("fix", "")))
    raise _HookFailedError(f"returned the line {json.dumps(line)}; {_LINE}")


def _steps(value: Any) -> list[Step]:
    if not isinstance(value, list):
        raise _HookFailedError(f"returned {json.dumps(value)}; {_STEP_LINE}")
    return [_step(line) for line in value]


def _step(line: Any) -> Step:
    match line:
        case {"state": "done" | "due" | "person" as state, "where": str() as where, "what": str() as what}:
            return Step(StepState(state), where, what, str(line.get("fix", "")))
    raise _HookFailedError(f"returned the step {json.dumps(line)}; {_STEP_LINE}")


def _documents(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _HookFailedError(f"returned {json.dumps(value)}; it must return a mapping by name")
    return value
