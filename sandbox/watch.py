"""Watch the deployed functions until an expected result is there and no message is left to process."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from automation.system.errors import CheckFailedError
from sandbox.cloud import Cloud
from sandbox.findings import backlog_findings, dead_letter_findings, log_findings


class HandlersFailedError(CheckFailedError):
    """A function logged an error, or a message is in a dead-letter queue; the findings name them."""


@dataclass(frozen=True, slots=True)
class WallClock:
    """The wall clock in seconds: `read` returns the time, `sleep` waits."""

    read: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look and how long to wait, in seconds.

    Attributes:
        poll_s: between two looks at the queues.
        logs_s: between two looks at the logs, which cost more.
        settled_s: how long all queues must stay empty to count as empty: a message may be between two of them.
        idle_s: how long nothing may happen before the expected result counts as never coming.
        patience_s: the longest wait in all.
    """

    poll_s: float = 0.12
    logs_s: float = 1.0
    settled_s: float = 0.25
    idle_s: float = 2.0
    patience_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches the queues and logs of every function; logs are read from `since` on (wall-clock time, UTC)."""

    cloud: Cloud
    since: datetime
    wall: WallClock
    pace: Pace = Pace()

    def wait_until(self, is_done: Callable[[], bool], *, doing: str) -> bool:
        """Wait until `is_done` and all queues are empty.

        Args:
            is_done: called at every look, so it may also report progress.
            doing: what is awaited, for the error message.

        Returns:
            False when the queues stay empty but `is_done` is not true: no message is left that could change that.

        Raises:
            HandlersFailedError: a function failed meanwhile; raised within about a second.
            CheckFailedError: it takes too long; the findings name the queues that still hold messages.
        """
        started = self.wall.read()
        last_busy, logs_read_at = started, started

        while True:
            now, done = self.wall.read(), is_done()
            if self._is_busy():
                last_busy = now
            if now - logs_read_at >= self.pace.logs_s:
                self.raise_on_errors()
                logs_read_at = now

            empty_s = now - last_busy
            if empty_s >= self.pace.settled_s and done:
                return True
            if empty_s >= self.pace.idle_s:
                self.raise_on_errors()
                # The last handler may have finished between the two looks.
                return is_done()
            if now - started > self.pace.patience_s:
                raise self._too_slow(doing)
            self.wall.sleep(self.pace.poll_s)

    def raise_on_errors(self, modules: Iterable[str] | None = None) -> None:
        """Check the logs and the dead-letter queues.

        Args:
            modules: whose logs to read; None for all.

        Raises:
            HandlersFailedError: they report a failure.
        """
        names = self.cloud.deployment.functions if modules is None else modules
        findings = log_findings(self.cloud.log_of(module, self.since) for module in names)
        findings = findings or dead_letter_findings(self.cloud.backlogs())
        if findings:
            faults = "; ".join(f"{finding.where}: {finding.what}" for finding in findings)
            raise HandlersFailedError(f"the day failed: {faults}", findings=findings)

    def _is_busy(self) -> bool:
        backlogs = self.cloud.backlogs()
        return any(backlog.receives for backlog in backlogs if not backlog.is_dead_letter)

    def _too_slow(self, doing: str) -> CheckFailedError:
        findings = backlog_findings(self.cloud.backlogs())
        modules = ", ".join(sorted({finding.where for finding in findings})) or "no function"
        return CheckFailedError(
            f"{doing} takes longer than {self.pace.patience_s:.0f} s; messages are waiting for: {modules}",
            findings=findings,
        )
