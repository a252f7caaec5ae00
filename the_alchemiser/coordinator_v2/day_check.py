"""The check of a day: has its session ended without a completed run? Pure."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from the_alchemiser.coordinator_v2.admission import TradingDay
from the_alchemiser.shared.gauges import Gauge
from the_alchemiser.shared.run.runs import Run, RunState

# A run that starts at the last moment may take 43 minutes (shared/run/deadlines.py), and the sweep comes every 5.
OVER_AFTER_CLOSE = timedelta(minutes=50)


def is_without_run(day: TradingDay, runs: Iterable[Run]) -> bool:
    """Return whether a run of this day should have completed by now, and none has."""
    is_over = day.to_close <= -OVER_AFTER_CLOSE
    return is_over and all(run.state is not RunState.COMPLETED for run in runs)


def days_without_run(*, is_missing: bool) -> Gauge:
    """Return the figure that an alarm of the template watches."""
    return Gauge("DaysWithoutRun", Decimal(is_missing), "Count")


def books_differing(*, are_differing: bool) -> Gauge:
    """Return the figure of the latest check of the books, which another alarm watches."""
    return Gauge("BooksDiffering", Decimal(are_differing), "Count")
