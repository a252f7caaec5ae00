"""What holds for every strategy on every history."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.the_alchemiser.strategy_v2.agreement import Failure, difference, disagreement
from tests.the_alchemiser.strategy_v2.symphonies import FILES, OPTIONS, SESSIONS, apart, histories
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.errors import EvaluationError
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError
from the_alchemiser.strategy_v2.history import PriceHistory

INCEPTION = 12
NANO = Decimal("0.000000001")
# How long examples take to make says nothing on a busy machine.
UNTIMED = [HealthCheck.too_slow]
BEGINS = st.sampled_from((0, INCEPTION))

Outcome = dict[str, Decimal] | str


def outcome(text: str, history: PriceHistory, number: int) -> Outcome:
    days = history.dates.tolist()
    try:
        return dict(evaluate(parse(text), history, as_of=days[number], inception=days[INCEPTION]).weights)
    except EvaluationError as error:
        return str(error)


@pytest.mark.parametrize(
    ("ours", "naive", "finds"),
    [
        ({"A": Decimal(1)}, {"A": 1.0}, ""),
        ({"A": Decimal(1)}, {"B": 1.0}, "'B': (0.0, 1.0)"),
        ({"A": Decimal("0.50000001"), "B": Decimal("0.49999999")}, {"A": 0.5, "B": 0.5}, "'A': (0.50000001, 0.5)"),
        ({"A": Decimal(1)}, (ZeroVolatilityError, ""), "there"),
        ((InsufficientHistoryError, "A"), (InsufficientHistoryError, "B"), "here"),
        ((InsufficientHistoryError, "A"), {"A": 1.0}, "here"),
        ((InsufficientHistoryError, "A"), (InsufficientHistoryError, ""), ""),
    ],
)
def test_difference_of_outcomes_that_are_not_the_same_is_found(
    ours: dict[str, Decimal] | Failure, naive: dict[str, float] | Failure, finds: str
) -> None:
    found = difference(ours, naive)

    assert finds in found
    assert bool(found) == bool(finds)


@settings(max_examples=500, suppress_health_check=UNTIMED)
@given(FILES, histories(), OPTIONS, BEGINS)
def test_engine_any_strategy_agrees_with_the_naive_evaluator(
    text: str, history: PriceHistory, options: StrategyOptions, begin: int
) -> None:
    assert disagreement(text, history, options, begin) == ""


@pytest.mark.slow
@settings(max_examples=20_000, suppress_health_check=UNTIMED)
@given(FILES, histories(), OPTIONS, BEGINS)
def test_engine_any_of_very_many_strategies_agrees_with_the_naive_evaluator(
    text: str, history: PriceHistory, options: StrategyOptions, begin: int
) -> None:
    assert disagreement(text, history, options, begin) == ""


@settings(max_examples=60)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 1))
def test_engine_weights_are_positive_and_sum_to_exactly_one(text: str, history: PriceHistory, number: int) -> None:
    ours = outcome(text, history, number)

    if isinstance(ours, dict):
        assert sum(ours.values()) == 1
        assert all(weight > 0 and weight % NANO == 0 for weight in ours.values())


@settings(max_examples=60)
@given(FILES, histories(), st.integers(INCEPTION, SESSIONS - 2))
def test_engine_later_bars_appended_change_nothing(text: str, history: PriceHistory, number: int) -> None:
    alone = outcome(text, apart(history).through(history.dates[number].item()), number)

    assert outcome(text, history, number) == alone


@settings(max_examples=20)
@given(FILES, histories())
def test_engine_symbols_that_are_not_needed_change_nothing(text: str, history: PriceHistory) -> None:
    more = PriceHistory(history.dates, {**history.closes, "ZZZ": np.full(history.dates.shape, 7.0)})

    assert outcome(text, more, SESSIONS - 1) == outcome(text, history, SESSIONS - 1)
