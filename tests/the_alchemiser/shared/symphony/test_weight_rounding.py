"""Rounding weights to 1e-9 so that they sum to exactly 1."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.symphony.weight_rounding import cash_beside, round_weights


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


def test_round_weights_with_cash_leave_the_rest() -> None:
    rounded = round_weights({"A": 1.0, "B": 2.0}, cash=1.0)

    assert rounded == {"A": Decimal("0.25"), "B": Decimal("0.5")}
    assert cash_beside(rounded) == Decimal("0.25")


def test_round_weights_give_cash_the_last_unit_only_by_remainder() -> None:
    assert round_weights({"A": 1 / 3, "B": 1 / 3}, cash=1 / 3) == {
        "A": Decimal("0.333333334"),
        "B": Decimal("0.333333333"),
    }
    # Remainders of 0.25, 0.25 and 0.5 of a unit.
    assert round_weights({"A": 0.25000000025, "B": 0.25000000025}, cash=0.4999999995) == {
        "A": Decimal("0.25"),
        "B": Decimal("0.25"),
    }


def test_round_weights_of_nothing_but_cash_are_empty() -> None:
    assert round_weights({}, cash=0.5) == {}
    assert cash_beside({}) == 1


@given(st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(1e-9, 1)), st.floats(1e-9, 1))
def test_round_weights_with_cash_never_exceed_one(weights: dict[str, float], cash: float) -> None:
    rounded = round_weights(weights, cash)

    total = sum(weights.values()) + cash
    assert abs(float(cash_beside(rounded)) - cash / total) < 1.01e-9
    assert 0 <= cash_beside(rounded) <= 1


@given(st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(1e-9, 1), min_size=1))
def test_round_weights_sum_to_one_and_stay_within_a_unit(weights: dict[str, float]) -> None:
    rounded = round_weights(weights)

    total = sum(weights.values())
    assert sum(rounded.values()) == 1
    assert all(abs(float(rounded.get(symbol, 0)) - weight / total) < 1.01e-9 for symbol, weight in weights.items())
