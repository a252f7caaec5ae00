"""Evaluating a range of days gives the same results as evaluating each day by itself."""

import re
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.decision_series import DecisionSeries, evaluate_day, evaluate_days, first_decided_day, session_after
from tests.the_alchemiser.strategy_v2.cases import START, asset, market
from tests.the_alchemiser.strategy_v2.symphonies import FILES, SESSIONS, file_of, histories, without_cache
from the_alchemiser.shared.symphony import Symphony, parse
from the_alchemiser.shared.symphony.errors import EvaluationError
from the_alchemiser.shared.symphony.options import Decide, StrategyOptions
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, NotStartedError
from the_alchemiser.strategy_v2.history import DAY, PriceHistory

A, B = map(asset, "AB")
HALVES = f"(weight-equal [{A} {B}])"
RISING = market(A=[100, 150, 200, 300, 400, 500], B=[10] * 6)


def days_of(
    node: str, history: PriceHistory, *, first: date, last: date, rule: str = ":rebalance-frequency :daily"
) -> DecisionSeries:
    return evaluate_days(parse(file_of(node, rule)), history, first=first, last=last, inception=START)


def failure_on(strategy: Symphony, history: PriceHistory, day: date, inception: date) -> EvaluationError | None:
    try:
        evaluate_day(strategy, without_cache(history), as_of=day, inception=inception)
    except EvaluationError as error:
        return error
    return None


@settings(max_examples=100)
@given(FILES, histories(), st.integers(0, SESSIONS - 1), st.integers(0, SESSIONS - 1), st.integers(0, SESSIONS - 1))
def test_evaluate_days_equals_single_days_or_raises_the_first_error(
    text: str, history: PriceHistory, first: int, last: int, begin: int
) -> None:
    days = history.dates.tolist()
    strategy, inception = parse(text), days[begin]
    failures = [failure_on(strategy, history, day, inception) for day in days[first : last + 1]]
    expected = next((failure for failure in failures if failure), None)

    if expected:
        with pytest.raises(type(expected), match=f"^{re.escape(str(expected))}$"):
            evaluate_days(strategy, history, first=days[first], last=days[last], inception=inception)
        return
    series = evaluate_days(strategy, history, first=days[first], last=days[last], inception=inception)

    assert series.dates.tolist() == days[first : last + 1]
    for day in days[first : last + 1]:
        single = evaluate_day(strategy, without_cache(history), as_of=day, inception=inception)
        assert (series.on(day), series.decided_on(day)) == (single.weights, single.decided_on)


@settings(max_examples=60)
@given(FILES, histories(), st.integers(0, SESSIONS - 1), st.integers(0, SESSIONS - 1))
def test_evaluate_days_later_bars_change_no_earlier_weight(
    text: str, history: PriceHistory, last: int, begin: int
) -> None:
    days = history.dates.tolist()
    strategy, inception = parse(text), days[begin]
    first = first_decided_day(strategy, history.through(days[last]), inception=inception)
    if first is None:
        return

    known = evaluate_days(
        strategy, without_cache(history).through(days[last]), first=first, last=days[last], inception=inception
    )
    later = evaluate_days(strategy, history, first=first, last=days[last], inception=inception)

    assert known.weights.tobytes() == later.weights.tobytes()
    np.testing.assert_array_equal(known.decided, later.decided)


@settings(max_examples=60)
@given(FILES, histories(), st.integers(0, SESSIONS - 1))
def test_first_decided_day_follows_the_last_failing_day(text: str, history: PriceHistory, begin: int) -> None:
    days = history.dates.tolist()
    strategy, inception = parse(text), days[begin]
    failing = [number for number, day in enumerate(days) if failure_on(strategy, history, day, inception)]
    after = failing[-1] + 1 if failing else 0

    assert first_decided_day(strategy, history, inception=inception) == (days[after] if after < SESSIONS else None)


def test_evaluate_days_short_range_after_long_is_the_same() -> None:
    rising = f'(if (> (rsi "A" {{:window 2}}) 50) [{A}] [{B}])'
    days: list[date] = RISING.dates.tolist()
    single = days_of(rising, without_cache(RISING), first=days[2], last=days[3])

    days_of(rising, RISING, first=days[2], last=days[5])
    after = days_of(rising, RISING, first=days[2], last=days[3])

    assert after.weights.tobytes() == single.weights.tobytes()


def test_evaluate_days_long_range_after_short_is_the_same() -> None:
    rising = f'(if (> (rsi "A" {{:window 2}}) 50) [{A}] [{B}])'
    days: list[date] = RISING.dates.tolist()
    history = without_cache(RISING)
    single = days_of(rising, without_cache(RISING), first=days[2], last=days[5])

    days_of(rising, history, first=days[2], last=days[3])
    after = days_of(rising, history, first=days[2], last=days[5])

    assert after.weights.tobytes() == single.weights.tobytes()


def test_evaluate_days_weekly_reports_which_session_decided() -> None:
    series = days_of(
        HALVES, RISING, first=date(2021, 1, 6), last=date(2021, 1, 12), rule=":rebalance-frequency :weekly"
    )

    assert series.decided_on(date(2021, 1, 6)) == date(2021, 1, 4)
    assert series.decided_on(date(2021, 1, 11)) == date(2021, 1, 11)
    np.testing.assert_allclose(series.weights[0], [2 / 3, 1 / 3])


def test_evaluate_days_between_two_sessions_is_empty() -> None:
    series = days_of(HALVES, RISING, first=date(2021, 1, 9), last=date(2021, 1, 10))

    assert series.weights.shape == (0, 2)


def test_evaluate_days_end_between_sessions_is_the_session_before() -> None:
    series = days_of(HALVES, RISING, first=date(2021, 1, 7), last=date(2021, 1, 10))

    assert series.dates.tolist() == [date(2021, 1, 7), date(2021, 1, 8)]


def test_series_day_that_is_not_a_session_raises_key_error() -> None:
    series = days_of(HALVES, RISING, first=START, last=date(2021, 1, 8))

    with pytest.raises(KeyError, match="2021-01-09 is not a session of the series"):
        series.on(date(2021, 1, 9))


def test_evaluate_days_names_the_first_undecided_day() -> None:
    history = market(A=[1, 2, None, 4], B=[1, None, 1, 1])

    with pytest.raises(InsufficientHistoryError, match=r"^B: 1 bars, the last of 2021-01-04, none of 2021-01-05") as at:
        days_of(HALVES, history, first=START, last=date(2021, 1, 7))
    assert at.value.as_of == date(2021, 1, 5)


def test_evaluate_days_before_a_thresholds_inception_raises() -> None:
    strategy = parse(file_of(HALVES, ":rebalance-threshold 0.1"))

    with pytest.raises(NotStartedError, match="2021-01-04 is before its inception, 2021-01-05"):
        evaluate_days(strategy, RISING, first=START, last=date(2021, 1, 8), inception=date(2021, 1, 5))


def test_first_decided_day_of_an_empty_history_is_none() -> None:
    assert first_decided_day(parse(file_of(A)), PriceHistory.from_series({}), inception=START) is None


NO_BARS = PriceHistory.from_series({})


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2022, 4, 14), date(2022, 4, 18)),  # Good Friday
        (date(2022, 4, 15), date(2022, 4, 18)),
        (date(2022, 12, 30), date(2023, 1, 3)),
        (date(2001, 9, 10), date(2001, 9, 17)),
        (date(2036, 12, 30), date(2036, 12, 31)),
        (date(2036, 12, 31), date(2037, 1, 1)),  # the shipped calendar has ended
        (date(2040, 6, 1), date(2040, 6, 4)),
        (date(2040, 6, 2), date(2040, 6, 4)),
    ],
)
def test_session_after_the_last_bar_is_that_of_the_exchange(day: date, following: date) -> None:
    assert session_after(NO_BARS, day) == following


@pytest.mark.parametrize(("day", "following"), [(date(2021, 1, 3), START), (START, date(2021, 1, 5))])
def test_session_after_takes_a_later_bar(day: date, following: date) -> None:
    assert session_after(RISING, day) == following


@pytest.mark.parametrize(
    ("last", "rule", "decides"),
    [
        ("2022-04-13", ":weekly", False),
        ("2022-04-14", ":weekly", True),  # Good Friday follows
        ("2022-12-30", ":monthly", True),
        ("2021-05-28", ":monthly", True),  # Memorial Day is the last weekday of the month
        ("2021-05-27", ":monthly", False),
    ],
)
def test_before_period_decides_on_the_last_close_before_a_holiday(last: str, rule: str, *, decides: bool) -> None:
    day = date.fromisoformat(last)
    first = day - timedelta(days=3)
    dates = np.array([first + timedelta(days=number) for number in range(4)], dtype=DAY)
    history = PriceHistory(dates, {"A": np.array([1.0, 2.0, 3.0, 4.0]), "B": np.ones(4)})
    strategy = parse(file_of(HALVES, f":rebalance-frequency {rule}"))
    options = StrategyOptions(decide=Decide.BEFORE_PERIOD)

    decision = evaluate_day(strategy, history, as_of=day, inception=first, options=options)

    assert decision.decided_on == (day if decides else first)
    series = evaluate_days(strategy, history, first=day, last=day, inception=first, options=options)
    assert series.decided_on(day) == decision.decided_on
