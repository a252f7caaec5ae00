"""Watch the deployed functions until an expected result is there and no message is left to process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from automation.system.errors import CheckFailedError, Finding
from sandbox.cloud import Cloud
from sandbox.evidence import Backlog
from sandbox.findings import (
    backlog_findings,
    dead_letter_findings,
    denial_findings,
    describe_waiting,
    log_findings,
)
from sandbox.function_logs import FunctionLog
from sandbox.outages import WallClock


class DeniedError(CheckFailedError):
    """A function's role does not allow a call; the findings name function and action."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look and how long to wait, in seconds.

    Attributes:
        poll_s: between two looks at the queues.
        logs_s: between two looks at the logs, which cost more.
        settled_s: how long all queues must stay empty to count as empty: a message may be between two of them.
        idle_s: how long nothing may happen before the expected result counts as never coming.
        quiet_s: how long nothing may happen before a line of progress says what is awaited.
        spare_s: how long after the longest visibility time-out a message may still return: the machine may be busy.
    """

    poll_s: float = 0.12
    logs_s: float = 1.0
    settled_s: float = 0.25
    idle_s: float = 2.0
    quiet_s: float = 10.0
    spare_s: float = 20.0


@dataclass(slots=True)
class _Sightings:
    """What the looks at the inboxes have seen, and for how long: of waiting, only the time between looks counts.

    A look that takes long was itself waiting, for a server that did not answer.
    """

    longest_look_s: float
    inboxes: tuple[Backlog, ...] = ()
    empty_s: float = 0.0
    unchanged_s: float = 0.0
    reported: set[tuple[object, ...]] = field(default_factory=set)

    def add(self, inboxes: tuple[Backlog, ...], elapsed_s: float) -> None:
        counted_s = min(elapsed_s, self.longest_look_s)
        self.empty_s = 0.0 if inboxes else self.empty_s + counted_s
        self.unchanged_s = self.unchanged_s + counted_s if inboxes == self.inboxes else 0.0
        self.inboxes = inboxes

    def unreported(self) -> tuple[Backlog, ...]:
        """Return the inboxes whose messages, as often as they were received, were not returned here before."""
        keys = {backlog: _receives(backlog) for backlog in self.inboxes}
        fresh = tuple(backlog for backlog, key in keys.items() if key not in self.reported)
        self.reported.update(keys.values())
        return fresh


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches the queues and logs of every function.

    Attributes:
        since: the logs are read from this moment on; wall-clock time, UTC.
        now: returns the wall-clock time, UTC.
        report: takes a line of progress.
    """

    cloud: Cloud
    since: datetime
    wall: WallClock
    now: Callable[[], datetime]
    report: Callable[[str], None]
    pace: Pace = Pace()

    def wait_until(self, is_done: Callable[[], bool], *, doing: str) -> bool:
        """Wait until `is_done` and all queues are empty, for as long as the deployed queues deliver messages again.

        Args:
            is_done: called at every look, so it may also report progress.
            doing: what is awaited, for the error message.

        Returns:
            False when the queues stay empty but `is_done` is not true: no message is left that could change that.

        Raises:
            DeniedError: a function was denied a call; raised within about a second.
            CheckFailedError: messages are not received; the findings name their queues.
        """
        seen = _Sightings(longest_look_s=self.pace.logs_s)
        looked_at = logs_read_at = self.wall.read()

        while True:
            now, done = self.wall.read(), is_done()
            seen.add(self._inboxes(), now - looked_at)
            looked_at = now
            if now - logs_read_at >= self.pace.logs_s:
                self.raise_on_denials()
                logs_read_at = now

            if seen.empty_s >= self.pace.settled_s and done:
                return True
            if seen.empty_s >= self.pace.idle_s:
                self.raise_on_denials()
                # The last handler may have finished between the two looks.
                return is_done()
            if seen.unchanged_s > self._longest_silence_s:
                raise self._stalled(doing)
            self._report_waiting(seen)
            # A look at a large run takes long; the functions need the machine more.
            took_s = min(self.wall.read() - now, self.pace.logs_s)
            self.wall.sleep(max(took_s, self.pace.poll_s))

    def raise_on_denials(self) -> None:
        """Check the logs for denied calls, which no further attempt changes.

        Raises:
            DeniedError: a function's role does not allow a call.
        """
        findings = denial_findings(self._logs())
        if findings:
            faults = "; ".join(f"{finding.where}: {finding.what}" for finding in findings)
            raise DeniedError(
                f"the day failed: {faults}; grant it, deploy, then run inv run-day again", findings=findings
            )

    def faults(self) -> tuple[Finding, ...]:
        """Return what the logs and the dead-letter queues say, when no message is left that could be handled."""
        return (*dead_letter_findings(self.cloud.backlogs()), *log_findings(self._logs()))

    def _logs(self) -> Iterator[FunctionLog]:
        return (self.cloud.log_of(module, self.since) for module in self.cloud.deployment.functions)

    def _inboxes(self) -> tuple[Backlog, ...]:
        """Return the inboxes that hold messages."""
        backlogs = self.cloud.backlogs()
        return tuple(backlog for backlog in backlogs if backlog.messages and not backlog.is_dead_letter)

    @property
    def _longest_silence_s(self) -> float:
        return self.cloud.deployment.longest_visibility_s + self.pace.spare_s

    def _report_waiting(self, seen: _Sightings) -> None:
        if seen.unchanged_s < self.pace.quiet_s:
            return
        queues = self.cloud.deployment.queues
        for backlog in seen.unreported():
            self.report(describe_waiting(backlog, self.now(), max_receives=queues[backlog.queue].max_receives))

    def _stalled(self, doing: str) -> CheckFailedError:
        findings = backlog_findings(self.cloud.backlogs())
        modules = ", ".join(sorted({finding.where for finding in findings})) or "no function"
        silence = f"nothing has changed for {self._longest_silence_s:.0f} s"
        return CheckFailedError(
            f"{doing} does not go on: {silence}; messages are waiting for: {modules}; read the log that "
            "inv sandbox.status names, then run inv run-day again to resume",
            findings=findings,
        )


def _receives(backlog: Backlog) -> tuple[object, ...]:
    return backlog.queue, *((message.message_id, message.receives) for message in backlog.messages)
