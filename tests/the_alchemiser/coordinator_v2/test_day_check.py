"""A day is without a run once a run can no longer complete, and none has."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, day_at, run
from the_alchemiser.coordinator_v2.day_check import OVER_AFTER_CLOSE, books_differing, days_without_run, is_without_run
from the_alchemiser.shared.gauges import Gauge
from the_alchemiser.shared.run.deadlines import STAYS_AT_MOST
from the_alchemiser.shared.run.runs import RunState

SWEEP_EVERY = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("day", "clock", "is_missing"),
    [
        (MONDAY, "00:00", False),
        (MONDAY, "15:55", False),
        (MONDAY, "16:00", False),
        (MONDAY, "16:49", False),
        (MONDAY, "16:50", True),
        (MONDAY, "23:55", True),
        (HALF_DAY, "13:49", False),
        (HALF_DAY, "13:50", True),
    ],
)
def test_is_without_run_only_once_a_run_must_have_ended(day: date, clock: str, *, is_missing: bool) -> None:
    assert is_without_run(day_at(day, clock), []) is is_missing


@pytest.mark.parametrize("state", RunState)
def test_is_without_run_unless_a_run_completed(state: RunState) -> None:
    assert is_without_run(day_at(MONDAY, "16:55"), [run(state)]) is (state is not RunState.COMPLETED)


@pytest.mark.parametrize(
    ("first", "second"), [(RunState.FAILED, RunState.COMPLETED), (RunState.COMPLETED, RunState.FAILED)]
)
def test_is_without_run_counts_any_run_of_the_day(first: RunState, second: RunState) -> None:
    runs = [run(first), run(second, "local-2022-11-28-r1")]

    assert not is_without_run(day_at(MONDAY, "16:55"), runs)


def test_over_after_close_covers_the_longest_run_and_a_sweep() -> None:
    longest = sum(STAYS_AT_MOST.values(), timedelta(0))

    assert longest + SWEEP_EVERY < OVER_AFTER_CLOSE < timedelta(minutes=55)


@pytest.mark.parametrize(("is_missing", "value"), [(True, 1), (False, 0)])
def test_days_without_run_is_a_count(value: int, *, is_missing: bool) -> None:
    assert days_without_run(is_missing=is_missing) == Gauge("DaysWithoutRun", Decimal(value), "Count")


@pytest.mark.parametrize(("are_differing", "value"), [(True, 1), (False, 0)])
def test_books_differing_is_a_gauge_of_the_stage(value: int, *, are_differing: bool) -> None:
    assert books_differing(are_differing=are_differing) == Gauge("BooksDiffering", Decimal(value), "Count")
