"""The commands of schedules and people: the exact bodies that the scheduler puts into an inbox."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from the_alchemiser.shared.values import Symbol


class Command(BaseModel):
    """A request without an id: the service that handles it must be idempotent."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class StartRun(Command):
    """Start today's run. `force` starts another one, `<run_id>-r<n>`, at any time of the session."""

    command: Literal["start-run"]
    force: bool = False


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
    """Check the lake and write the verdict."""

    command: Literal["check-data-quality"]


COMMANDS: Mapping[str, type[Command]] = {
    "start-run": StartRun,
    "sweep-runs": SweepRuns,
    "check-day": CheckDay,
    "refresh-market-data": RefreshMarketData,
    "check-data-quality": CheckDataQuality,
}
