"""Faults in the functions' logs and queues, as findings. Pure."""

from collections.abc import Iterable, Iterator
from itertools import chain

from automation.system.errors import Finding
from sandbox.evidence import Backlog
from sandbox.function_logs import FunctionLog

_MAX_TEXT = 300
_READ_LOG = "read the function's log and fix the cause; inv sandbox.reset starts over"
_READ_EMULATOR_LOG = "see .sandbox/logs/emulator.log for the reason"


def log_findings(logs: Iterable[FunctionLog]) -> tuple[Finding, ...]:
    """Return the faults that the functions logged, each once, sorted."""
    return tuple(sorted(set(chain.from_iterable(_findings_of(log) for log in logs))))


def dead_letter_findings(backlogs: Iterable[Backlog]) -> tuple[Finding, ...]:
    """Return one finding per dead-letter queue that is not empty."""
    return tuple(
        Finding(backlog.module, f"{_messages(backlog)} in its dead-letter queue {backlog.queue}", _READ_LOG)
        for backlog in backlogs
        if backlog.is_dead_letter and backlog.receives
    )


def backlog_findings(backlogs: Iterable[Backlog]) -> tuple[Finding, ...]:
    """Return one finding per inbox that is not empty."""
    return tuple(
        Finding(backlog.module, f"{_messages(backlog)} left in its inbox {backlog.queue}", _READ_LOG)
        for backlog in backlogs
        if not backlog.is_dead_letter and backlog.receives
    )


def count_text(number: int, singular: str, plural: str = "") -> str:
    """Format a count with its noun: `1 trade`, `2 trades`, `2 strategies`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def _messages(backlog: Backlog) -> str:
    return count_text(len(backlog.receives), "message")


def _findings_of(log: FunctionLog) -> Iterator[Finding]:
    if log.is_silent:
        yield Finding(
            log.module, f"{log.function} was invoked but logged nothing: it failed to start", _READ_EMULATOR_LOG
        )

    denied = {error.denied for error in log.errors if error.denied}
    for action in denied:
        fix = f"grant {action} to the function's role in its template, then run inv deploy --env local"
        yield Finding(log.module, f"{log.function} is not allowed to call {action}", fix)

    # A denied call explains the errors that follow it, so those are reported only without one.
    if not denied:
        for error in log.errors:
            yield Finding(log.module, f"{log.function}: {error.text[:_MAX_TEXT]}", _READ_LOG)
