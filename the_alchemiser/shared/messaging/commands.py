"""The commands of schedules and people: the exact bodies that the scheduler puts into an inbox."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from the_alchemiser.shared.values import Symbol, Value


class Command(Value, forbid_unknown_fields=True):
    """A request without an id: the service that handles it must be idempotent.

    People type commands, so `read` refuses fields that it does not know.
    """


class StartRun(Command):
    """Start today's run.

    Attributes:
        force: start `<run_id>-r<n>`, at any time of the session.
        replaces: the day's run, which must have ended and be settled; a day that has a run starts no other without it.
            It forces the start, too.
    """

    command: Literal["start-run"]
    force: bool = False
    replaces: str | None = None

    @property
    def is_forced(self) -> bool:
        """Return whether a person asked for this start, so that it may come at any time and must get an answer."""
        return self.force or self.replaces is not None


class SweepRuns(Command):
    """Fail overdue runs and publish unsent messages."""

    command: Literal["sweep-runs"]


class CheckDay(Command):
    """Publish whether today's session has ended without a completed run."""

    command: Literal["check-day"]


class RefreshMarketData(Command):
    """Refresh the lake: these symbols, or the book's universe when there are none."""

    command: Literal["refresh-market-data"]
    symbols: tuple[Symbol, ...] = ()


class CheckDataQuality(Command):
    """Check the lake and write the verdict.

    Attributes:
        as_of: the session through which to check, unless a later one was checked; None for the last completed session.
    """

    command: Literal["check-data-quality"]
    as_of: date | None = None


COMMANDS: Mapping[str, type[Command]] = {
    "start-run": StartRun,
    "sweep-runs": SweepRuns,
    "check-day": CheckDay,
    "refresh-market-data": RefreshMarketData,
    "check-data-quality": CheckDataQuality,
}
