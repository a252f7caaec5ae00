"""After a deployment: does every function answer? One message to each, named in pyproject, that changes nothing.

`[tool.alchemiser] smoke` is that message. A handler that cannot be imported, or whose environment lacks something, is
found here and not by the first real event; and a function that has answered is warm.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from automation.project import model
from automation.system import console
from automation.system.errors import ConfigurationError, DeploymentError

_AT_ONCE = 4


class Cloud(Protocol):
    """What the smoke test asks of its target; aws.Cloud is the real one."""

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """The functions of a stack: physical names by logical id."""
        ...

    def invoke(self, function: str, payload: Mapping[str, Any]) -> str:
        """Send one message to a function and wait; its error, empty when it answered well."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What one function said; `error` is empty when it is well."""

    function: str
    error: str = ""


def message(root: Path) -> Mapping[str, Any] | None:
    """The message of `[tool.alchemiser] smoke`; None when the project names none.

    Raises:
        ConfigurationError: it is no table.
    """
    found = model.read_settings(root).get("smoke")
    if found is None or isinstance(found, Mapping):
        return found
    raise ConfigurationError("smoke is not a table, as in smoke = { health = true }", where="pyproject.toml")


def ask_all(stack_names: Iterable[str], cloud: Cloud, payload: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Invoke every function of the stacks, a few at a time."""
    functions = {name: physical for stack in stack_names for name, physical in cloud.functions(stack).items()}

    def ask(name: str) -> Answer:
        return Answer(name, cloud.invoke(functions[name], payload))

    with console.progress(f"asking {len(functions)} functions how they are"), ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(ask, sorted(functions)))


def require_well(answers: Iterable[Answer]) -> None:
    """Raises DeploymentError naming each function that failed."""
    ill = [answer for answer in answers if answer.error]
    if ill:
        told = "; ".join(f"{answer.function} failed: {answer.error}" for answer in ill)
        raise DeploymentError(f"{told}. The stacks are deployed; mend the function and deploy again", where="smoke")
