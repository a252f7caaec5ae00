"""Read a function's log: its invocations, the messages it handled, its errors and warnings. Pure."""

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
    """One error that a function logged; `denied` is the IAM action it was denied, if that was the cause."""

    text: str
    denied: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionLog:
    """One function's log of the day.

    Attributes:
        module: the module of the product, as in the handler's name.
        function: the name of the deployed function.
        handled: how many messages and commands of each kind were handled, without duplicates.
        warnings: what it refused or gave up on, and why.
        is_silent: it was invoked but logged no line of its own. Every handler logs a line per message, so it never
            started.
    """

    module: str
    function: str
    invocations: int
    handled: Mapping[str, int]
    errors: tuple[LogError, ...]
    warnings: tuple[str, ...] = ()
    is_silent: bool = False


def read_log(module: str, function: str, lines: Iterable[str]) -> FunctionLog:
    """Read the log of one function from its lines, in order of time."""
    entries = [(line, _entry(line)) for line in lines]
    handled = Counter(str(entry.get("kind")) for _, entry in entries if entry.get("message") == "handled")
    errors = [_error(line, entry) for line, entry in entries]
    invocations = sum(line.startswith("REPORT RequestId:") for line, _ in entries)

    return FunctionLog(
        module=module,
        function=function,
        invocations=invocations,
        handled=dict(handled),
        errors=tuple(error for error in errors if error is not None),
        warnings=tuple(_warning(entry) for _, entry in entries if entry.get("level") == "WARNING"),
        is_silent=bool(invocations) and all(line.startswith(_PLATFORM) for line, _ in entries),
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
    """Join the message and the last line of the exception, which says more than the message."""
    parts = [str(entry[key]).strip().splitlines()[-1] for key in ("message", "exception") if entry.get(key)]
    return ": ".join(parts) if parts else line.strip()
