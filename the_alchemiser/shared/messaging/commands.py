"""What a schedule or a person may ask of a function: the exact bodies that the scheduler puts into an inbox."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from the_alchemiser.shared.messaging.messages import Symbol


class Command(BaseModel):
    """A request without an identity: doing it twice must change nothing, whoever sends it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class StartRun(Command):
    """Start today's run; `force` starts another, `<run_id>-r<n>`, and ignores the time to the close."""

    command: Literal["start-run"]
    force: bool = False


class SweepRuns(Command):
    """Fail overdue runs and publish what was left unsent."""

    command: Literal["sweep-runs"]


class RefreshMarketData(Command):
    """Refresh the lake: the book's universe, or the symbols given."""

    command: Literal["refresh-market-data"]
    symbols: tuple[Symbol, ...] = ()


class CheckDataQuality(Command):
    """Check the lake as it is and write the verdict."""

    command: Literal["check-data-quality"]


COMMANDS: Mapping[str, type[Command]] = {
    "start-run": StartRun,
    "sweep-runs": SweepRuns,
    "refresh-market-data": RefreshMarketData,
    "check-data-quality": CheckDataQuality,
}
