"""Faults of a day as findings: who, what, and what mends it. Pure."""

from collections.abc import Iterable

from automation.system.errors import Finding
from sandbox.evidence import Backlog
from sandbox.function_logs import FunctionLog

_TEXT_AT_MOST = 300


def log_findings(logs: Iterable[FunctionLog]) -> tuple[Finding, ...]:
    """What went wrong inside the functions, each fault once."""
    return tuple(sorted({finding for log in logs for finding in _of_log(log)}))


def dead_letter_findings(backlogs: Iterable[Backlog]) -> tuple[Finding, ...]:
    """The dead-letter queues that are not empty."""
    return tuple(
        Finding(backlog.module, f"{len(backlog.receives)} message(s) in its dead-letter queue {backlog.queue}", _READ)
        for backlog in backlogs
        if backlog.is_dead_letter and backlog.receives
    )


def backlog_findings(backlogs: Iterable[Backlog]) -> tuple[Finding, ...]:
    """The inboxes that are not empty."""
    return tuple(
        Finding(backlog.module, f"{len(backlog.receives)} message(s) left in its inbox {backlog.queue}", _READ)
        for backlog in backlogs
        if not backlog.is_dead_letter and backlog.receives
    )


_READ = "read the function's log; inv sandbox.reset starts over"
_SILENT = "see .sandbox/logs/emulator.log for why it did not start"


def _of_log(log: FunctionLog) -> Iterable[Finding]:
    if log.is_silent:
        yield Finding(log.module, f"{log.function} was invoked and logged nothing: it did not come to work", _SILENT)
    for error in log.errors:
        if error.denied:
            mend = f"grant {error.denied} to the function's role in the template"
            yield Finding(log.module, f"{log.function} may not call {error.denied}", mend)
    # What was refused explains what failed after it; the rest is told only where nothing was refused.
    if not any(error.denied for error in log.errors):
        for error in log.errors:
            yield Finding(log.module, f"{log.function}: {error.text[:_TEXT_AT_MOST]}", _READ)
