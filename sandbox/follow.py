"""Watching the deployed functions until what is waited for has happened and nothing is under way any more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from automation.system.errors import CheckFailedError
from sandbox.cloud import Cloud
from sandbox.findings import backlog_findings, dead_letter_findings, log_findings


class HandlersFailedError(CheckFailedError):
    """A function logged an error, or a message lies in a dead-letter queue; the findings name them."""


@dataclass(frozen=True, slots=True)
class Wall:
    """The wall clock, in seconds: to read it, and to let it pass."""

    read: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, in seconds.

    Attributes:
        poll_s: between two looks at the queues.
        logs_s: between two looks into the logs; they cost more.
        settled_s: so long must all queues stay empty before that counts: a message may be between two of them.
        idle_s: so long must nothing happen before what is waited for will not come.
        patience_s: the whole wait.
    """

    poll_s: float = 0.12
    logs_s: float = 1.0
    settled_s: float = 0.25
    idle_s: float = 2.0
    patience_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched: every function, in its log since that moment of wall-clock time, UTC."""

    cloud: Cloud
    since: datetime
    wall: Wall
    pace: Pace = Pace()

    def until(self, is_done: Callable[[], bool], *, doing: str) -> bool:
        """Wait until it is done and all queues are empty.

        Args:
            is_done: is asked at every look, so it may also tell of progress.

        Returns:
            False when the queues stay empty and it is not done: nothing is left that could do it.

        Raises:
            HandlersFailedError: a function failed meanwhile; told within about a second.
            CheckFailedError: it takes too long; the findings say in which queues messages lie.
        """
        began = self.wall.read()
        empty_since, logs_read_at = began, began
        while True:
            now, done = self.wall.read(), is_done()
            if self._is_busy():
                empty_since = now
            if now - logs_read_at >= self.pace.logs_s:
                self.raise_on_errors()
                logs_read_at = now
            empty_for = now - empty_since
            if empty_for >= self.pace.settled_s and done:
                return True
            if empty_for >= self.pace.idle_s:
                self.raise_on_errors()
                return is_done()
            if now - began > self.pace.patience_s:
                raise self._too_slow(doing)
            self.wall.sleep(self.pace.poll_s)

    def raise_on_errors(self, modules: Iterable[str] | None = None) -> None:
        """Read the logs and the dead-letter queues.

        Args:
            modules: whose logs are read; None for all.

        Raises:
            HandlersFailedError: they tell of a failure.
        """
        names = self.cloud.deployment.functions if modules is None else modules
        found = log_findings(self.cloud.log_of(module, self.since) for module in names)
        found = found or dead_letter_findings(self.cloud.backlogs())
        if found:
            worst = "; ".join(f"{finding.where}: {finding.what}" for finding in found)
            raise HandlersFailedError(f"the day has failed: {worst}", findings=found)

    def _is_busy(self) -> bool:
        backlogs = self.cloud.backlogs()
        return any(backlog.receives for backlog in backlogs if not backlog.is_dead_letter)

    def _too_slow(self, doing: str) -> CheckFailedError:
        left = backlog_findings(self.cloud.backlogs())
        where = ", ".join(sorted({finding.where for finding in left})) or "no queue"
        return CheckFailedError(
            f"{doing} takes longer than {self.pace.patience_s:.0f} s; messages lie in: {where}", findings=left
        )
