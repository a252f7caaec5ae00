"""Send the message of `[tool.alchemiser] smoke` to every function of a deployment, and check that each answers.

The message changes nothing. It finds a handler that cannot be imported, or whose environment lacks something, before
the first real event does; and a function that has answered is warm.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from automation.system import console
from automation.system.errors import DeploymentError

_CONCURRENT_CALLS = 4


class Cloud(Protocol):
    """The calls to AWS that the smoke test needs; aws.Cloud is the real one."""

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """Return the physical name of each function of a stack, by logical id."""
        ...

    def invoke(self, function: str, payload: Mapping[str, Any]) -> str:
        """Send one message to a function and wait; return its error, empty for success."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one function; `error` is empty when it works."""

    function: str
    error: str = ""


def ask_all(stack_names: Iterable[str], cloud: Cloud, payload: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Invoke every function of the stacks, a few at a time.

    Raises:
        DeploymentError: AWS did not answer.
    """
    physical_names: dict[str, str] = {}
    for stack_name in stack_names:
        physical_names |= cloud.functions(stack_name)

    def ask(logical_id: str) -> Answer:
        return Answer(logical_id, cloud.invoke(physical_names[logical_id], payload))

    with console.progress(f"testing {len(physical_names)} functions"), ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        return tuple(pool.map(ask, sorted(physical_names)))


def require_success(answers: Iterable[Answer]) -> None:
    """Raise DeploymentError naming each function that failed."""
    failures = [f"{answer.function} failed: {answer.error}" for answer in answers if answer.error]
    if failures:
        message = f"{'; '.join(failures)}. The stacks are deployed; fix the function and deploy again"
        raise DeploymentError(message, where="smoke test")
