"""How long a run may stay in each state, in wall-clock time; past that the sweep fails it.

A run starts 15 minutes before the close. Each figure covers three receives of the slowest function that works in
the state (timeout and visibility in the templates) and the queues between.
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
    """When a run that enters a state at this moment is overdue; both are wall-clock, UTC.

    A final state has no deadline: the moment itself is returned, and the sweep asks only of runs that still move.
    """
    return at + STAYS_AT_MOST[entering]
