"""Weights at 1e-9 that sum to exactly 1."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.strategy_v2.weights import exact_weights


def test_exact_weights_thirds_give_the_last_unit_to_the_first_symbol() -> None:
    assert exact_weights({"C": 1 / 3, "A": 1 / 3, "B": 1 / 3}) == {
        "A": Decimal("0.333333334"),
        "B": Decimal("0.333333333"),
        "C": Decimal("0.333333333"),
    }


def test_exact_weights_nothing_left_of_a_weight_leaves_it_out() -> None:
    assert exact_weights({"A": 1.0, "B": 1e-12, "C": 0.0}) == {"A": Decimal(1)}


def test_exact_weights_noise_of_the_arithmetic_decides_no_tie() -> None:
    assert exact_weights({"A": 0.1 + 0.2, "B": 0.3, "C": 0.3}) == exact_weights({"A": 0.3, "B": 0.3, "C": 0.1 + 0.2})


@given(st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(1e-9, 1), min_size=1))
def test_exact_weights_any_sum_to_one_and_lie_within_a_unit(weights: dict[str, float]) -> None:
    exact = exact_weights(weights)

    total = sum(weights.values())
    assert sum(exact.values()) == 1
    assert all(abs(float(exact.get(symbol, 0)) - weight / total) < 1.01e-9 for symbol, weight in weights.items())
