"""Laws that hold for every strategy on every history."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk.decision_series import evaluate_day
from tests.the_alchemiser.strategy_v2.agreement import Failure, difference, disagreement
from tests.the_alchemiser.strategy_v2.naive import Weights
from tests.the_alchemiser.strategy_v2.symphonies import FILES, OPTIONS, SESSIONS, histories, without_cache
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.errors import EvaluationError
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError
from the_alchemiser.strategy_v2.history import PriceHistory

INCEPTION = 12
NANO = Decimal("0.000000001")
# On a busy machine the time to generate examples means nothing.
UNTIMED = [HealthCheck.too_slow]
BEGINS = st.sampled_from((0, INCEPTION))

Outcome = dict[str, Decimal] | str


def outcome(text: str, history: PriceHistory, number: int) -> Outcome:
    days = history.dates.tolist()
    try:
        return dict(evaluate_day(parse(text), history, as_of=days[number], inception=days[INCEPTION]).weights)
    except EvaluationError as error:
        return str(error)


@pytest.mark.parametrize(
    ("engine", "naive", "expected"),
    [
        ({"A": Decimal(1)}, {"A": 1.0}, ""),
        ({"A": Decimal(1)}, {"B": 1.0}, "'B': (0.0, 1.0)"),
        ({"A": Decimal("0.5")}, {"A": 0.5, None: 0.5}, ""),
        ({"A": Decimal("0.5")}, {"A": 0.5}, "None: (0.5, 0.0)"),
        ({"A": Decimal("0.50000001"), "B": Decimal("0.49999999")}, {"A": 0.5, "B": 0.5}, "'A': (0.50000001, 0.5)"),
        ({"A": Decimal(1)}, (ZeroVolatilityError, ""), "naive: ("),
        ((InsufficientHistoryError, "A"), (InsufficientHistoryError, "B"), "engine: ("),
        ((InsufficientHistoryError, "A"), {"A": 1.0}, "engine: ("),
        ((InsufficientHistoryError, "A"), (InsufficientHistoryError, ""), ""),
    ],
)
def test_difference_describes_outcomes_that_disagree(
    engine: dict[str, Decimal] | Failure, naive: Weights | Failure, expected: str
) -> None:
    mismatch = difference(engine, naive)

    assert expected in mismatch
    assert bool(mismatch) == bool(expected)


@settings(max_examples=500, suppress_health_check=UNTIMED)
@given(FILES, histories(), OPTIONS, BEGINS)
def test_engine_agrees_with_the_naive_evaluator(
    text: str, history: PriceHistory, options: StrategyOptions, begin: int
) -> None:
    assert disagreement(text, history, options, begin) == ""


@pytest.mark.slow
@settings(max_examples=20_000, suppress_health_check=UNTIMED)
@given(FILES, histories(), OPTIONS, BEGINS)
def test_engine_agrees_with_the_naive_evaluator_on_many_more(
    text: str, history: PriceHistory, options: StrategyOptions, begin: int
) -> None:
    assert disagreement(text, history, options, begin) == ""


@settings(max_examples=60)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 1))
def test_engine_weights_are_positive_and_sum_with_cash_to_one(text: str, history: PriceHistory, number: int) -> None:
    weights = outcome(text, history, number)

    if isinstance(weights, dict):
        assert 0 <= sum(weights.values()) <= 1
        assert all(weight > 0 and weight % NANO == 0 for weight in weights.values())


@settings(max_examples=60)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 2))
def test_engine_later_bars_appended_change_nothing(text: str, history: PriceHistory, number: int) -> None:
    without_later_bars = outcome(text, without_cache(history).through(history.dates[number].item()), number)

    assert outcome(text, history, number) == without_later_bars


@settings(max_examples=20)
@given(FILES, histories())
def test_engine_unneeded_symbols_change_nothing(text: str, history: PriceHistory) -> None:
    more = PriceHistory(history.dates, {**history.closes, "ZZZ": np.full(history.dates.shape, 7.0)})

    assert outcome(text, more, SESSIONS - 1) == outcome(text, history, SESSIONS - 1)
