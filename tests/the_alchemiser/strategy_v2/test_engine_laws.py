"""What holds for every strategy on every history."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.the_alchemiser.strategy_v2.naive import NaiveEvaluator, StillError, UndefinedError
from tests.the_alchemiser.strategy_v2.symphonies import FILES, SESSIONS, histories, sessions
from the_alchemiser.shared.symphony import parse
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError
from the_alchemiser.strategy_v2.history import PriceHistory

DAYS = sessions(SESSIONS)
INCEPTION = 12
NANO = Decimal("0.000000001")

Outcome = dict[str, Decimal] | type[Exception]


def outcome(text: str, history: PriceHistory, day: date) -> Outcome:
    try:
        return dict(evaluate(parse(text), history, as_of=day, inception=DAYS[INCEPTION]).weights)
    except (InsufficientHistoryError, ZeroVolatilityError) as error:
        return type(error)


def naive_outcome(text: str, history: PriceHistory, number: int) -> dict[str, float] | type[Exception]:
    prices = {
        symbol: {DAYS.index(day): close for day, close in zip(history.dates.tolist(), closes, strict=True) if close > 0}
        for symbol, closes in history.closes.items()
    }
    try:
        return NaiveEvaluator(parse(text), prices, DAYS).holding(number, inception=INCEPTION)
    except UndefinedError:
        return InsufficientHistoryError
    except StillError:
        return ZeroVolatilityError


def assert_agree(ours: Outcome, naive: dict[str, float] | type[Exception]) -> None:
    if isinstance(ours, type) or isinstance(naive, type):
        assert ours == naive
    else:
        kept = {symbol: weight for symbol, weight in naive.items() if weight > 2e-9}
        assert ours == {symbol: pytest.approx(Decimal(weight), abs=2 * NANO) for symbol, weight in kept.items()}


@settings(max_examples=100)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 1))
def test_engine_any_strategy_any_day_agrees_with_the_naive_evaluator(
    text: str, history: PriceHistory, number: int
) -> None:
    ours = outcome(text, history, DAYS[number])

    assert_agree(ours, naive_outcome(text, history, number))


@settings(max_examples=40)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 1))
def test_engine_weights_are_positive_and_sum_to_exactly_one(text: str, history: PriceHistory, number: int) -> None:
    ours = outcome(text, history, DAYS[number])

    if not isinstance(ours, type):
        assert sum(ours.values()) == 1
        assert all(weight > 0 and weight % NANO == 0 for weight in ours.values())


@settings(max_examples=40)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 2))
def test_engine_later_bars_appended_change_nothing(text: str, history: PriceHistory, number: int) -> None:
    alone = outcome(text, history.through(DAYS[number]), DAYS[number])

    assert outcome(text, history, DAYS[number]) == alone


@settings(max_examples=20)
@given(FILES, histories())
def test_engine_symbols_that_are_not_needed_change_nothing(text: str, history: PriceHistory) -> None:
    more = PriceHistory(history.dates, {**history.closes, "ZZZ": np.full(history.dates.shape, 7.0)})

    assert outcome(text, more, DAYS[-1]) == outcome(text, history, DAYS[-1])
