"""Rounding weights to 1e-9 so that they sum to exactly 1."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.symphony.weight_rounding import round_weights


def test_round_weights_thirds_give_the_last_unit_to_the_first() -> None:
    assert round_weights({"C": 1 / 3, "A": 1 / 3, "B": 1 / 3}) == {
        "A": Decimal("0.333333334"),
        "B": Decimal("0.333333333"),
        "C": Decimal("0.333333333"),
    }


def test_round_weights_omits_weights_that_round_to_zero() -> None:
    assert round_weights({"A": 1.0, "B": 1e-12, "C": 0.0}) == {"A": Decimal(1)}


def test_round_weights_arithmetic_noise_does_not_decide_a_tie() -> None:
    assert round_weights({"A": 0.1 + 0.2, "B": 0.3, "C": 0.3}) == round_weights({"A": 0.3, "B": 0.3, "C": 0.1 + 0.2})


@given(st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(1e-9, 1), min_size=1))
def test_round_weights_sum_to_one_and_stay_within_a_unit(weights: dict[str, float]) -> None:
    rounded = round_weights(weights)

    total = sum(weights.values())
    assert sum(rounded.values()) == 1
    assert all(abs(float(rounded.get(symbol, 0)) - weight / total) < 1.01e-9 for symbol, weight in weights.items())
