"""Each state lasts long enough for the slowest function, and for 150 trades at the broker's limit of requests."""

from datetime import timedelta
from pathlib import Path

import pytest

from automation.project import templates
from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.run.deadlines import STAYS_AT_MOST, deadline
from the_alchemiser.shared.run.runs import RunState

TRADES, REQUESTS_PER_MINUTE = 150, 200
RECEIVES = 3


@pytest.fixture(scope="module")
def visibilities() -> dict[str, timedelta]:
    root = Path(__file__).parents[4]
    parameters = templates.read(root / "template.yaml", name="template.yaml").parameters
    return {name: timedelta(seconds=parameters[name]["Default"]) for name in parameters if name.endswith("VisibilityS")}


@pytest.mark.parametrize(
    ("state", "visibility"),
    [
        (RunState.EVALUATING, "StrategyVisibilityS"),
        (RunState.AGGREGATED, "InboxVisibilityS"),
        (RunState.PLANNED, "InboxVisibilityS"),
    ],
)
def test_state_lasts_for_three_receives(visibilities: dict[str, timedelta], state: RunState, visibility: str) -> None:
    assert STAYS_AT_MOST[state] >= RECEIVES * visibilities[visibility] + timedelta(seconds=30)


@pytest.mark.parametrize("state", [RunState.SELLING, RunState.BUYING])
def test_phase_lasts_for_150_trades_at_the_brokers_limit(visibilities: dict[str, timedelta], state: RunState) -> None:
    filled_at_once = timedelta(minutes=TRADES * 6 / REQUESTS_PER_MINUTE)
    at_worst = timedelta(minutes=TRADES * 16 / REQUESTS_PER_MINUTE)
    one_trade = visibilities["ExecutionVisibilityS"]

    assert STAYS_AT_MOST[state] >= filled_at_once + RECEIVES * one_trade
    assert STAYS_AT_MOST[state] >= at_worst + one_trade


def test_deadline_is_the_limit_of_the_state_entered() -> None:
    assert deadline(RunState.EVALUATING, make.WALL) == make.WALL + timedelta(minutes=7)
    assert deadline(RunState.AGGREGATED, make.WALL) == make.WALL + timedelta(minutes=3)
    assert deadline(RunState.PLANNED, make.WALL) == make.WALL + timedelta(minutes=3)
    assert deadline(RunState.SELLING, make.WALL) == make.WALL + timedelta(minutes=15)
    assert deadline(RunState.BUYING, make.WALL) == make.WALL + timedelta(minutes=15)
    assert deadline(RunState.FAILED, make.WALL) == make.WALL
