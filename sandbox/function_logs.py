"""Read a function's log: its invocations, the messages it handled, its failures and warnings. Pure.

Failures are expected now and then: a worker is killed, the broker does not answer. The queue then delivers the message
again. So a failure counts as survived once the same message was handled later. On a busy machine the emulator loses a
line of a log now and then, so the queues have the last word: a message that is in none of them was handled.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, pairwise
from typing import Any

from sandbox.denials import denied_action

RETRIED = "will be tried again"
_HANDLED, _DUPLICATE, _GAVE_UP = "handled", "duplicate", "gave up"
_SUCCESSES = frozenset({_HANDLED, _DUPLICATE})
_ERROR_LEVELS = frozenset({"ERROR", "CRITICAL"})
_START, _PLATFORM = "START RequestId:", ("START RequestId:", "END RequestId:", "REPORT RequestId:")
_UNCAUGHT = "Traceback (most recent call last)"
_KILLED = ("Worker process died", "Worker returned no response", "Task timed out")
_SILENT = "logged nothing: its worker was killed, or failed to start"


class FailureKind(StrEnum):
    """How an attempt failed: it said so, its worker was killed or timed out, or it logged nothing at all."""

    RETRY = "retry"
    CRASH = "crash"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class LogFailure:
    """A failed attempt at a message.

    Attributes:
        denied: the IAM action that was denied, if that was the cause. Trying again does not help until it is granted.
        is_survived: the same message was handled later. A crash does not say which message it had, so any later one
            counts.
    """

    text: str
    denied: str | None = None
    kind: FailureKind = FailureKind.RETRY
    is_survived: bool = False


@dataclass(frozen=True, slots=True)
class FunctionLog:
    """One function's log of the day.

    Attributes:
        module: the module of the product, as in the handler's name.
        function: the name of the deployed function.
        handled: how many messages and commands of each kind were handled, without duplicates.
        failures: the failed attempts, in order of time.
        warnings: what it refused or gave up on, and why; without failures that it will try again.
        duplicates: how many messages it dropped because it had handled them before.
    """

    module: str
    function: str
    invocations: int
    handled: Mapping[str, int]
    failures: tuple[LogFailure, ...] = ()
    warnings: tuple[str, ...] = ()
    duplicates: int = 0

    @property
    def errors(self) -> tuple[LogFailure, ...]:
        """Return the failures that somebody has to act on."""
        return tuple(failure for failure in self.failures if not failure.is_survived)

    @property
    def survived(self) -> tuple[LogFailure, ...]:
        """Return the failures that a later attempt made good."""
        return tuple(failure for failure in self.failures if failure.is_survived)

    def without_messages_left(self) -> "FunctionLog":
        """Return the log of a function whose queues are empty: it has survived every failure but a denied call."""
        survived = (
            replace(failure, is_survived=failure.is_survived or not failure.denied) for failure in self.failures
        )
        return replace(self, failures=tuple(survived))

    def survived_faults(self) -> Iterator[str]:
        """Yield how often this function survived what: `1 crash of data_v2`, `2 retries of execution_v2`."""
        counts = Counter(failure.kind for failure in self.survived)
        crashes, retries, silences = (
            counts[kind] for kind in (FailureKind.CRASH, FailureKind.RETRY, FailureKind.SILENCE)
        )
        if crashes:
            yield f"{count_text(crashes, 'crash', 'crashes')} of {self.module}"
        if retries:
            yield f"{count_text(retries, 'retry', 'retries')} of {self.module}"
        if silences:
            yield f"{count_text(silences, 'invocation')} of {self.module} without a line in its log"
        if self.duplicates:
            yield f"{count_text(self.duplicates, 'message')} delivered twice to {self.module}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the log; `entry` has its fields when it is JSON."""

    text: str
    entry: Mapping[str, Any]

    @property
    def message(self) -> str:
        return str(self.entry.get("message", ""))

    @property
    def is_failure(self) -> bool:
        is_error = self.entry.get("level") in _ERROR_LEVELS and self.message != _GAVE_UP
        return is_error or self.message == RETRIED


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A failed attempt, its position in the log, and the key of its message; the key is None when nobody knows it."""

    failure: LogFailure
    position: int
    key: str | None = None


def count_text(number: int, singular: str, plural: str = "") -> str:
    """Format a count with its noun: `1 trade`, `2 trades`, `2 strategies`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def read_log(module: str, function: str, lines: Iterable[str]) -> FunctionLog:
    """Read the log of one function from its lines, in order of time."""
    parsed = [_Line(line, _entry(line)) for line in lines]
    invocations = tuple(_invocations(parsed))
    attempts = chain.from_iterable(_attempts(parsed[start:end], start) for start, end in invocations)
    handled = Counter(str(line.entry.get("kind")) for line in parsed if line.message == _HANDLED)

    return FunctionLog(
        module=module,
        function=function,
        invocations=sum(line.text.startswith("REPORT RequestId:") for line in parsed),
        handled=dict(handled),
        failures=tuple(_judged(attempt, parsed) for attempt in attempts),
        warnings=tuple(_warning(line.entry) for line in parsed if _is_warning(line)),
        duplicates=sum(line.message == _DUPLICATE for line in parsed),
    )


def _invocations(lines: Sequence[_Line]) -> Iterator[tuple[int, int]]:
    """Yield where each invocation begins and ends; the emulator files the lines of an invocation together."""
    starts = {position for position, line in enumerate(lines) if line.text.startswith(_START)}
    bounds = sorted({0, *starts, len(lines)})
    yield from pairwise(bounds)


def _attempts(lines: Sequence[_Line], start: int) -> Iterator[_Attempt]:
    """Yield the failed attempts of one invocation, whose first line has the position `start`."""
    own = [(start + offset, line) for offset, line in enumerate(lines) if not line.text.startswith(_PLATFORM)]
    denied = next((denied_action(line.text) for _, line in own if denied_action(line.text)), None)

    failed = [(position, line) for position, line in own if line.is_failure]
    for position, line in failed:
        yield _Attempt(LogFailure(_text(line), denied), position, _key(line.entry))
    if failed:
        # The traceback that follows says only that every message of the batch failed.
        return

    killed = next((line.text for _, line in own if line.text.startswith(_KILLED)), None)
    end = start + len(lines)
    if killed:
        yield _Attempt(LogFailure(killed, denied, FailureKind.CRASH), end)
    elif denied or any(line.text.startswith(_UNCAUGHT) for _, line in own):
        yield _Attempt(LogFailure(own[-1][1].text.strip(), denied), end)
    elif not own:
        yield _Attempt(LogFailure(_SILENT, kind=FailureKind.SILENCE), end)


def _judged(attempt: _Attempt, lines: Sequence[_Line]) -> LogFailure:
    failure, key = attempt.failure, attempt.key
    later = [line.entry for line in lines[attempt.position :] if line.message in _SUCCESSES]
    if key is None:
        # Without the grant, a function may still handle messages, but not as it should.
        return replace(failure, is_survived=bool(later) and failure.denied is None)
    return replace(failure, is_survived=any(key in _keys(entry) for entry in later))


def _keys(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what identifies a message in the log: its own id, and that of the queue. A command has only the latter."""
    return entry.get("message_id"), entry.get("sqs_message_id")


def _key(entry: Mapping[str, Any]) -> str | None:
    return next((str(key) for key in _keys(entry) if key), None)


def _entry(line: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _is_warning(line: _Line) -> bool:
    return line.entry.get("level") == "WARNING" and line.message != RETRIED


def _warning(entry: Mapping[str, Any]) -> str:
    return ": ".join(str(entry[key]) for key in ("message", "reason", "detail") if entry.get(key))


def _text(line: _Line) -> str:
    """Join the message with the detail, or with the exception's last line, which says more than the message."""
    parts = [line.entry.get(key) for key in ("message", "detail", "exception")]
    return ": ".join(str(part).strip().splitlines()[-1] for part in parts if part)
