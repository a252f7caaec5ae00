"""What a function's log tells of its work: invocations, and the errors among its lines. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.denials import denied_action

_ERROR_LEVELS = frozenset({"ERROR", "CRITICAL"})
_PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
_UNCAUGHT = ("Traceback (most recent call last)", "Task timed out")


@dataclass(frozen=True, slots=True)
class LogError:
    """One error a function logged; denied is the IAM action that was refused, if one was."""

    text: str
    denied: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionLog:
    """One function's log of the day.

    Attributes:
        module: the module of the product, as in the handler's name.
        is_silent: it was invoked, and not one line is its own; the shell logs a line a message, so it never began.
        function: the name of the deployed function.
        handled: messages and commands, by kind, that were handled; duplicates are not counted.
        warnings: what it refused or gave up on, and why.
    """

    module: str
    function: str
    invocations: int
    handled: Mapping[str, int]
    errors: tuple[LogError, ...]
    warnings: tuple[str, ...] = ()
    is_silent: bool = False


def read_log(module: str, function: str, lines: Iterable[str]) -> FunctionLog:
    """The log of one function from its lines, in order of time."""
    told = [(line, _entry(line)) for line in lines]
    handled = Counter(str(entry.get("kind")) for _, entry in told if entry.get("message") == "handled")
    errors = [_error(line, entry) for line, entry in told]
    invocations = sum(line.startswith("REPORT RequestId:") for line, _ in told)
    return FunctionLog(
        module=module,
        function=function,
        invocations=invocations,
        handled=dict(handled),
        errors=tuple(error for error in errors if error is not None),
        warnings=tuple(_warning(entry) for _, entry in told if entry.get("level") == "WARNING"),
        is_silent=bool(invocations) and all(line.startswith(_PLATFORM) for line, _ in told),
    )


def _entry(line: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _error(line: str, entry: Mapping[str, Any]) -> LogError | None:
    denied = denied_action(line)
    is_error = entry.get("level") in _ERROR_LEVELS or line.startswith(_UNCAUGHT)
    if denied is None and not is_error:
        return None
    return LogError(_text(line, entry), denied)


def _warning(entry: Mapping[str, Any]) -> str:
    return ": ".join(str(entry[key]) for key in ("message", "reason", "detail") if entry.get(key))


def _text(line: str, entry: Mapping[str, Any]) -> str:
    """The exception's own last line, where there is one: it says more than the message of the log entry."""
    told = [str(entry[key]).strip().splitlines()[-1] for key in ("message", "exception") if entry.get(key)]
    return ": ".join(told) if told else line.strip()
