"""How long a run may stay in each state, in wall-clock time; after that the sweep fails it.

A run starts 15 minutes before the close. Each limit covers three receives by the slowest function that works in the
state (its timeout and visibility are in the templates), and the time in the queues between them. The broker answers 200
requests a minute, so 150 trades take 4.5 minutes when the first order of each fills (6 requests), and 12 minutes at
worst (16 requests); SELLING and BUYING leave time for both. The limits are the same in every environment.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from the_alchemiser.shared.run.runs import RunState

STAYS_AT_MOST: Mapping[RunState, timedelta] = {
    RunState.EVALUATING: timedelta(minutes=7),
    RunState.AGGREGATED: timedelta(minutes=3),
    RunState.PLANNED: timedelta(minutes=3),
    RunState.SELLING: timedelta(minutes=15),
    RunState.BUYING: timedelta(minutes=15),
    RunState.COMPLETED: timedelta(0),
    RunState.FAILED: timedelta(0),
}


def deadline(entering: RunState, at: datetime) -> datetime:
    """Return when a run that enters a state at this moment becomes overdue; both are wall-clock times, UTC.

    A final state has no deadline: the result is the moment itself, and the sweep ignores it.
    """
    return at + STAYS_AT_MOST[entering]
