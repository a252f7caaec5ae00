"""Near the close nothing is sold that could not be bought back the same day; every trade says why it was not sent."""

from datetime import date, timedelta

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.trade_aggregator.trading_day import BUYS, SELLS, Day, outcomes_of, two_phases
from the_alchemiser.shared.run.progress import releases_of
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

BOTH_PHASES = timedelta(seconds=60 + 2 * 60 + 4 * 1.8)
BUYS_ONLY = timedelta(seconds=60 + 60 + 2 * 1.8)
MOMENT = timedelta(milliseconds=1)


def reasons(day: Day) -> list[str | None]:
    return [outcome.reason for outcome in day.result().outcomes]


def test_plan_with_just_enough_time_for_both_phases_is_sold() -> None:
    day = two_phases()
    day.broker.left = BOTH_PHASES

    day.start()

    assert day.requested(Side.SELL) == ["GLD", "TLT"]


def test_plan_without_time_for_both_phases_sends_no_trade() -> None:
    day = two_phases()
    day.broker.left = BOTH_PHASES - MOMENT

    day.start()

    assert day.requests() == []
    assert day.state is RunState.COMPLETED
    assert reasons(day) == ["too_late_to_trade"] * 4
    assert day.result().degraded


def test_plan_refused_as_a_whole_is_not_bought_either() -> None:
    """The money for these purchases would have come from the sales."""
    day = two_phases()
    day.broker.left = BUYS_ONLY

    day.start()

    assert day.requests() == []
    assert [list(release.refused) for release in releases_of(make.loaded(day.store))] == [list(day.plan.by_trade_id())]


def test_buys_without_sells_need_the_time_of_one_phase() -> None:
    day, late = Day(make.plan(*BUYS)), Day(make.plan(*BUYS))
    day.broker.left, late.broker.left = BUYS_ONLY, BUYS_ONLY - MOMENT

    day.start()
    late.start()

    assert day.requested(Side.BUY) == ["BIL", "SPY"]
    assert reasons(late) == ["too_late_to_trade"] * 2


def test_buys_after_sells_that_took_long_are_refused() -> None:
    day = two_phases()
    day.start()
    day.broker.left = BUYS_ONLY - MOMENT

    day.receive(*outcomes_of(SELLS))

    assert day.requested(Side.BUY) == []
    assert reasons(day) == [None, None, "too_late_to_trade", "too_late_to_trade"]
    assert [len(release.refused) for release in releases_of(make.loaded(day.store))] == [0, 2]


def test_buys_after_sells_in_time_are_released() -> None:
    day = two_phases()
    day.start()
    day.broker.left = BUYS_ONLY

    day.receive(*outcomes_of(SELLS))

    assert day.requested(Side.BUY) == ["BIL", "SPY"]


@pytest.mark.parametrize(("left", "on"), [(timedelta(0), make.DAY), (timedelta(hours=6), date(2022, 3, 17))])
def test_plan_that_arrives_after_its_session_sends_no_trade(left: timedelta, on: date) -> None:
    day = two_phases()
    day.broker.left, day.broker.date = left, on

    day.start()

    assert day.requests() == []
    assert reasons(day) == ["too_late_to_trade"] * 4


def test_plan_refused_late_twice_completes_once() -> None:
    day = two_phases()
    day.broker.left = MOMENT

    day.start()
    day.start()

    assert len(day.published) == 1


def test_plan_without_trades_completes_however_late() -> None:
    day = Day(make.plan(make.decision("SPY", None)))
    day.broker.left = timedelta(0)

    day.start()

    assert not day.result().degraded
