"""The checks against the run and the position."""

from decimal import Decimal

import pytest

from tests.the_alchemiser.execution_v2.stage import BUY, SELL
from the_alchemiser.execution_v2.checks import is_too_small, refuse_run, size_sale
from the_alchemiser.shared.broker.models import Position
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Refusal

TEN = Decimal(10)
CHEAP = BUY.changed(planning_price=Decimal(2))
CHEAP_SALE = SELL.changed(planning_price=Decimal(2))


def position(quantity: str, available: str) -> Position:
    price = Decimal(100)
    return Position("SPY", Decimal(quantity), Decimal(available), price, price, price, Decimal(quantity) * price)


@pytest.mark.parametrize(("trade", "state"), [(BUY, RunState.BUYING), (SELL, RunState.SELLING)])
def test_refuse_run_in_the_trades_phase_allows(trade: TradeRequested, state: RunState) -> None:
    assert refuse_run(trade, state) is None


@pytest.mark.parametrize("trade", [BUY, SELL])
@pytest.mark.parametrize("state", [*RunState, None])
def test_refuse_run_in_every_other_state_refuses(trade: TradeRequested, state: RunState | None) -> None:
    if state is (RunState.BUYING if trade is BUY else RunState.SELLING):
        return

    refusal = refuse_run(trade, state)

    assert refusal is not None
    assert refusal.reason == "run_ended"


def test_refuse_run_names_the_state() -> None:
    assert refuse_run(BUY, RunState.FAILED) == Refusal(
        reason="run_ended", detail="local-2024-03-15 is FAILED; its buys are over"
    )
    assert refuse_run(SELL, None) == Refusal(
        reason="run_ended", detail="local-2024-03-15 does not exist; its sells are over"
    )


@pytest.mark.parametrize(("available", "expected"), [("20", "10"), ("10", "10"), ("9.5", "9.5")])
def test_size_sale_is_at_most_what_is_available(available: str, expected: str) -> None:
    assert size_sale(SELL, TEN, position("20", available)) == Decimal(expected)


@pytest.mark.parametrize("held", [None, position("0", "0"), position("-5", "-5")])
def test_size_sale_without_shares_refuses(held: Position | None) -> None:
    assert size_sale(SELL, TEN, held) == Refusal(
        reason="no_position",
        detail="no SPY is held any more: something else sold it; 10 shares were left",
    )


def test_size_sale_of_reserved_shares_refuses() -> None:
    assert size_sale(SELL, TEN, position("20", "0")) == Refusal(
        reason="insufficient_quantity", detail="other orders reserve all 20 shares of SPY"
    )


@pytest.mark.parametrize(
    ("remaining", "expected"), [("0.4999", True), ("0.5", False), ("1", False), ("0.000001", True)]
)
def test_is_too_small_under_a_dollar(remaining: str, *, expected: bool) -> None:
    assert is_too_small(CHEAP, Decimal(remaining)) is expected


def test_is_too_small_never_for_whole_shares() -> None:
    penny_stock = BUY.changed(planning_price=Decimal("0.01"))

    assert not is_too_small(penny_stock, Decimal(3))
    assert is_too_small(penny_stock, Decimal("3.5"))


@pytest.mark.parametrize(("held", "expected"), [("0.1", False), ("0.05", False), ("0.11", True)])
def test_is_too_small_of_a_whole_position_may_be_sold(held: str, *, expected: bool) -> None:
    assert is_too_small(CHEAP_SALE, Decimal("0.1"), Decimal(held)) is expected
