"""Send the message of `[tool.alchemiser] smoke` to every function of a deployment, and read what each answers.

The message changes nothing. It finds a handler that cannot be imported, or that does not reach something that it needs,
before the first real event does; and a function that has answered is warm.

A function fails when it raises, or answers `{"healthy": false}`. `checks` may say more: a mapping from the name of a
check to `ok`, or to what is wrong. It is incomplete when it answers `{"incomplete": ["a secret"]}`, a list of what a
person has not set up yet, or when each fault names a secret that is known to be missing: AWS denies access to a secret
that does not exist, so the function itself cannot always tell. Every other answer passes.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from automation.system import console
from automation.system.invocations import Invocation

# A changed role takes some seconds to reach every server of AWS, so a failed function is asked again after each pause.
PAUSES_S = (5.0, 10.0)
_CONCURRENT_CALLS = 4
_OK = "ok"


class Cloud(Protocol):
    """The calls to AWS that the smoke test needs; aws.Cloud is the real one."""

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """Return the physical name of each function of a stack, by logical id."""
        ...

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Invocation:
        """Send one message to a function and wait for its answer."""
        ...


class State(StrEnum):
    """The result of a smoke test, from the best to the worst."""

    PASSED = "passed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one function.

    Attributes:
        function: its logical id.
        detail: why it failed; empty otherwise.
        missing: what a person has not set up yet.
    """

    function: str
    state: State = State.PASSED
    detail: str = ""
    missing: tuple[str, ...] = ()


def ask_all(
    stack_names: Iterable[str],
    cloud: Cloud,
    payload: Mapping[str, Any],
    *,
    missing_secrets: Collection[str] = (),
    pauses_s: Sequence[float] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Answer, ...]:
    """Invoke every function of the stacks, a few at a time.

    Args:
        missing_secrets: the names of the secrets that the account is known to lack.
        pauses_s: functions that fail are asked again after each of these pauses, in seconds.

    Raises:
        DeploymentError: AWS did not answer.
    """
    physical_names: dict[str, str] = {}
    for stack_name in stack_names:
        physical_names |= cloud.functions(stack_name)

    def ask(logical_id: str) -> Answer:
        return read(logical_id, cloud.invoke(physical_names[logical_id], payload), missing_secrets)

    with console.progress(f"testing {len(physical_names)} functions"), ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        answers = {answer.function: answer for answer in pool.map(ask, sorted(physical_names))}
        for pause_s in pauses_s:
            failed = [answer.function for answer in answers.values() if answer.state is State.FAILED]
            if not failed:
                break
            sleep(pause_s)
            answers |= {answer.function: answer for answer in pool.map(ask, failed)}
    return tuple(answers.values())


def read(function: str, invocation: Invocation, missing_secrets: Collection[str] = ()) -> Answer:
    """Read what a function answered; the module's docstring has the rules."""
    answer = invocation.answer if isinstance(invocation.answer, Mapping) else {}
    faults = [invocation.error] if invocation.error else _faults(answer)
    unexplained = [fault for fault in faults if not any(secret in fault for secret in missing_secrets)]
    named = [secret for secret in missing_secrets if any(secret in fault for fault in faults)]

    missing = tuple(sorted({*_names(answer.get("incomplete")), *named}))
    if unexplained:
        return Answer(function, State.FAILED, "; ".join(unexplained), missing)
    return Answer(function, State.INCOMPLETE if missing else State.PASSED, missing=missing)


def state_of(answers: Iterable[Answer]) -> State:
    """Return the worst state among the answers; a deployment without functions passes."""
    states = {answer.state for answer in answers}
    return next((state for state in (State.FAILED, State.INCOMPLETE) if state in states), State.PASSED)


def missing_of(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Return what a person has not set up yet, without repetitions, ascending."""
    missing: set[str] = set()
    for answer in answers:
        missing |= set(answer.missing)
    return tuple(sorted(missing))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _faults(answer: Mapping[str, Any]) -> list[str]:
    """Return what is wrong, with the names of the checks; checks with the same fault together."""
    if answer.get("healthy", True) is not False:
        return []
    checks = answer.get("checks")
    names_by_fault: dict[str, list[str]] = {}
    for name, text in checks.items() if isinstance(checks, Mapping) else ():
        if text != _OK:
            names_by_fault.setdefault(str(text), []).append(str(name))
    faults = [f"{', '.join(names)}: {fault}" for fault, names in names_by_fault.items()]
    return faults or ["it answered that it is not healthy, but names no check that failed"]
