"""A wrong signal is named before anything is read or planned."""

from decimal import Decimal

import pytest

from tests.the_alchemiser.portfolio_v2.brokerage import AS_OF, NOW
from the_alchemiser.portfolio_v2.signal_check import EmptySignalError, InvalidWeightsError, check_signal
from the_alchemiser.shared.messaging.messages import SignalGenerated


def signal(
    weights: dict[str, str], parts: dict[str, dict[str, str]] | None = None, *, cash: str = "0"
) -> SignalGenerated:
    contributions = {"trend": weights} if parts is None else parts
    return SignalGenerated(
        message_id="r/SignalGenerated/run",
        run_id="r",
        occurred_at=NOW,
        weights={symbol: Decimal(weight) for symbol, weight in weights.items()},
        contributions={name: {s: Decimal(w) for s, w in part.items()} for name, part in contributions.items()},
        closes={},
        as_of=AS_OF,
        cash=Decimal(cash),
    )


@pytest.mark.parametrize(
    "weights",
    [{"SPY": "1"}, {"SPY": "0.4", "TLT": "0.6", "GLD": "0"}, {"SPY": "1.000000"}, {"SPY": "0.4", "TLT": "0.600001"}],
)
def test_check_signal_of_a_whole_portfolio_passes(weights: dict[str, str]) -> None:
    check_signal(signal(weights))


@pytest.mark.parametrize("weights", [{}, {"SPY": "0"}])
def test_check_signal_without_weights_is_named(weights: dict[str, str]) -> None:
    with pytest.raises(EmptySignalError, match=r"^the signal has no weight above zero; nothing is planned$") as raised:
        check_signal(signal(weights))

    assert (raised.value.reason, raised.value.retryable) == ("empty_signal", False)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"SPY": "1.2", "TLT": "-0.2"}, "SPY: weight 1.2 is not in [0, 1]; nothing is planned"),
        ({"SPY": "0.9", "TLT": "-0.1", "GLD": "0.2"}, "TLT: weight -0.1 is not in [0, 1]; nothing is planned"),
        ({"SPY": "0.4", "TLT": "0.6000011"}, "the weights and cash sum to 1.0000011, not to 1; nothing is planned"),
        ({"SPY": "0.5"}, "the weights and cash sum to 0.5, not to 1; nothing is planned"),
    ],
)
def test_check_signal_of_wrong_weights_names_the_fault(weights: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidWeightsError) as raised:
        check_signal(signal(weights))

    assert (str(raised.value), raised.value.reason) == (message, "invalid_weights")


@pytest.mark.parametrize(("weights", "cash"), [({"SPY": "0.4"}, "0.6"), ({}, "1"), ({"SPY": "0"}, "1")])
def test_check_signal_with_cash_passes(weights: dict[str, str], cash: str) -> None:
    check_signal(signal(weights, cash=cash))


def test_check_signal_of_negative_cash_names_it() -> None:
    with pytest.raises(InvalidWeightsError, match=r"^cash: weight -0.1 is not in \[0, 1\]; nothing is planned$"):
        check_signal(signal({"SPY": "0.6", "TLT": "0.5"}, cash="-0.1"))


def test_check_signal_of_too_little_cash_names_the_sum() -> None:
    with pytest.raises(InvalidWeightsError, match=r"^the weights and cash sum to 0.9, not to 1; nothing is planned$"):
        check_signal(signal({"SPY": "0.4"}, cash="0.5"))


def test_check_signal_adds_the_strategies_parts() -> None:
    parts = {"trend": {"SPY": "0.4"}, "rotation": {"SPY": "0.000001", "TLT": "0.6"}}

    check_signal(signal({"SPY": "0.4", "TLT": "0.6"}, parts))


def test_check_signal_of_parts_that_are_not_its_weights_names_the_symbol() -> None:
    parts = {"trend": {"SPY": "0.4"}, "rotation": {"TLT": "0.5"}}

    with pytest.raises(InvalidWeightsError) as raised:
        check_signal(signal({"SPY": "0.4", "TLT": "0.6"}, parts))

    assert str(raised.value) == "TLT: the strategies' parts sum to 0.5, its weight is 0.6; nothing is planned"
