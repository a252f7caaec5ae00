"""A release is refused unless all of its trades, and those that follow from it, finish before the close."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.values import Clock, Refusal
from the_alchemiser.trade_aggregator.time_needed import Pace, refuse_late

NOW = datetime(2022, 3, 16, 19, 45, tzinfo=UTC)
PACE = Pace(trade_s=60)


def clock(left_s: float, *, is_open: bool = True, now: datetime = NOW) -> Clock:
    return Clock(now, is_open=is_open, next_open=now + timedelta(days=1), next_close=now + timedelta(seconds=left_s))


def is_refused(phases: tuple[int, ...], left_s: float, pace: Pace = PACE) -> bool:
    return refuse_late(phases, clock(left_s), make.DAY, pace) is not None


@pytest.mark.parametrize(
    ("trades", "seconds"), [(0, 0), (1, 61.8), (10, 78), (150, 330)], ids=["none", "one", "ten", "a hundred and fifty"]
)
def test_time_of_a_phase_is_the_rate_limits_and_one_whole_trade(trades: int, seconds: float) -> None:
    assert PACE.time_of(trades) == timedelta(seconds=seconds)


def test_time_of_a_phase_has_the_configured_time_of_a_trade() -> None:
    assert Pace(trade_s=10).time_of(1) == timedelta(seconds=11.8)
    assert Pace().trade_s == 60


@pytest.mark.parametrize(
    ("phases", "needed_s"),
    [((1,), 121.8), ((1, 0), 121.8), ((0, 1), 121.8), ((1, 1), 183.6), ((10, 20), 234), ((150, 150), 720)],
)
def test_refuse_late_allows_exactly_the_time_needed(phases: tuple[int, ...], needed_s: float) -> None:
    assert not is_refused(phases, needed_s)
    assert is_refused(phases, needed_s - 0.001)


def test_refuse_late_says_what_is_needed_and_what_is_left() -> None:
    assert refuse_late((2, 1), clock(70), make.DAY, PACE) == Refusal(
        reason="too_late_to_trade", detail="3 trades need up to 185 s before the close, and 70 s are left"
    )


def test_refuse_late_allows_a_run_of_150_trades_that_starts_15_minutes_before_the_close() -> None:
    assert not is_refused((75, 75), 14 * 60)


@pytest.mark.parametrize(
    ("left_s", "is_open", "day"),
    [(18 * 3600, False, make.DAY), (900, True, date(2022, 3, 15)), (900, True, date(2022, 3, 17))],
    ids=["after the close", "the day after", "the day before"],
)
def test_refuse_late_outside_the_runs_own_session(left_s: float, day: date, *, is_open: bool) -> None:
    refusal = refuse_late((1,), clock(left_s, is_open=is_open), day, PACE)

    assert refusal is not None
    assert refusal.detail == "1 trades need up to 122 s before the close, and 0 s are left"


def test_refuse_late_takes_the_exchanges_date() -> None:
    late_in_utc = datetime(2022, 3, 17, 1, 0, tzinfo=UTC)

    assert refuse_late((1,), clock(900, now=late_in_utc), make.DAY, PACE) is None
