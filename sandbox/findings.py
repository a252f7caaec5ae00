"""Faults in the functions' logs and queues, as findings; and what a day waits for. Pure.

A finding is something that a person has to act on. A failure that a later attempt made good is none.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from automation.system.errors import Finding
from sandbox.evidence import Backlog
from sandbox.function_logs import FunctionLog, count_text

_MAX_TEXT = 300
_READ_LOG = "read the log with inv logs --env local --function {module}, and fix the cause"
_SHOW = "inv dlq.list --env local names it, inv dlq.show QUEUE shows why, and inv dlq.redrive QUEUE sends it back"
_RESUME = "run inv run-day again: it waits for what is left"


def log_findings(logs: Iterable[FunctionLog]) -> tuple[Finding, ...]:
    """Return the faults that the functions logged and did not survive, each once, sorted."""
    return tuple(sorted(set(chain.from_iterable(_findings_of(log) for log in logs))))


def denial_findings(logs: Iterable[FunctionLog]) -> tuple[Finding, ...]:
    """Return the calls that the functions' roles do not allow, each once, sorted. No attempt changes that."""
    return tuple(sorted(set(chain.from_iterable(_denials(log) for log in logs))))


def dead_letter_findings(backlogs: Iterable[Backlog]) -> tuple[Finding, ...]:
    """Return one finding per dead-letter queue that is not empty."""
    return tuple(
        Finding(backlog.module, f"{_messages(backlog)} in its dead-letter queue {backlog.queue}", _SHOW)
        for backlog in backlogs
        if backlog.is_dead_letter and backlog.messages
    )


def backlog_findings(backlogs: Iterable[Backlog]) -> tuple[Finding, ...]:
    """Return one finding per inbox that is not empty."""
    return tuple(
        Finding(backlog.module, f"{_messages(backlog)} left in its inbox {backlog.queue}", _RESUME)
        for backlog in backlogs
        if not backlog.is_dead_letter and backlog.messages
    )


def describe_waiting(backlog: Backlog, now: datetime, *, max_receives: int) -> str:
    """Describe what an inbox waits for: its messages, and when those that were received return.

    Args:
        now: wall-clock time, UTC.
        max_receives: how often a message is received before it becomes a dead letter.
    """
    hidden = [message for message in backlog.messages if message.receives and message.visible_at > now]
    if not hidden:
        return f"{backlog.module}: {_messages(backlog)} to be received"

    seconds = (min(message.visible_at for message in hidden) - now).total_seconds()
    attempt = max(message.receives for message in hidden)
    count = count_text(len(hidden), "message")
    verb = "returns" if len(hidden) == 1 else "return"
    return (
        f"{backlog.module}: {count} in work, or {verb} in about {seconds:.0f} s (attempt {attempt} of {max_receives})"
    )


def _messages(backlog: Backlog) -> str:
    return count_text(len(backlog.messages), "message")


def _findings_of(log: FunctionLog) -> Iterator[Finding]:
    denials = tuple(_denials(log))
    yield from denials

    # A denied call explains the errors that follow it, so those are reported only without one.
    if not denials:
        for error in log.errors:
            fix = _READ_LOG.format(module=log.module)
            yield Finding(log.module, f"{log.function}: {error.text[:_MAX_TEXT]}", fix)


def _denials(log: FunctionLog) -> Iterator[Finding]:
    for action in {error.denied for error in log.errors if error.denied}:
        fix = f"grant {action} to the function's role in its template, then run inv deploy --env local"
        yield Finding(log.module, f"{log.function} is not allowed to call {action}", fix)
