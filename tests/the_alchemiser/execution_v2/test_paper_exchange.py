"""Trades on the paper exchange and its faults: cash agrees to the cent, shares to the last place."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.fakes import InMemoryLedger
from tests.the_alchemiser.paper import Paper
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.order_sequence import OrderSequence
from the_alchemiser.execution_v2.orders import Stopwatch, Timing
from the_alchemiser.execution_v2.service import Executor
from the_alchemiser.shared.messaging.messages import Message, TradeExecuted, TradeFailed, TradeRequested
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket

AT = datetime(2023, 11, 22, 20, 45, tzinfo=UTC)


class Enabled:
    """A kill switch that is always enabled."""

    def is_enabled(self) -> bool:
        return True


def _trade(side: Side, symbol: str, quantity: str) -> TradeRequested:
    amount = Decimal(quantity)
    return TradeRequested(
        message_id=f"r/TradeRequested/r-{side}-{symbol}",
        run_id="r",
        occurred_at=AT,
        trade_id=f"r-{side}-{symbol}",
        symbol=symbol,
        side=side,
        quantity=amount,
        planning_price=Decimal(1),
        last_close=Decimal(1),
        deltas={"trend": amount if side is Side.BUY else -amount},
    )


def _execute(paper: Paper, ledger: InMemoryLedger, trade: TradeRequested) -> Message:
    orders = OrderSequence(paper.broker, Enabled(), Limits(), Timing.within(3.0), Stopwatch())
    (outcome,) = Executor(orders, ledger).handle(trade).messages
    return outcome


def _cash(ledger: InMemoryLedger) -> Decimal:
    return sum((entry.cash for entry in ledger.entries.values()), Decimal(0))


def test_buy_then_full_exit_leaves_no_dust_and_every_cent(paper: Paper) -> None:
    ledger = InMemoryLedger()

    bought = _execute(paper, ledger, _trade(Side.BUY, "SPY", "12.345678"))
    sold = _execute(paper, ledger, _trade(Side.SELL, "SPY", "12.345678"))

    assert isinstance(bought, TradeExecuted)
    assert isinstance(sold, TradeExecuted)
    assert paper.broker.positions() == ()
    assert paper.broker.account().cash == Decimal(100_000) + _cash(ledger)


@pytest.mark.parametrize("fault", ["rest", "partial_fill", "commit_then_504"])
def test_buy_with_planted_fault_fills_completely(paper: Paper, fault: str) -> None:
    ledger = InMemoryLedger()
    paper.control.plant(fault)

    outcome = _execute(paper, ledger, _trade(Side.BUY, "TLT", "33.333333"))

    (position,) = paper.broker.positions()
    assert isinstance(outcome, TradeExecuted)
    assert position.quantity == Decimal("33.333333")
    assert paper.broker.account().cash == Decimal(100_000) + _cash(ledger)
    assert len(ledger.entries) == len(outcome.fills)


def test_buy_beyond_the_cash_fails_with_its_reason(paper: Paper) -> None:
    outcome = _execute(paper, InMemoryLedger(), _trade(Side.BUY, "SPY", "1000"))

    assert isinstance(outcome, TradeFailed)
    assert outcome.reason == "insufficient_buying_power"


def test_same_trade_delivered_twice_trades_once(paper: Paper) -> None:
    ledger = InMemoryLedger()
    trade = _trade(Side.BUY, "QQQ", "5")

    first, second = _execute(paper, ledger, trade), _execute(paper, ledger, trade)

    assert first == second
    assert paper.control.state().orders == 1
    assert len(ledger.entries) == 1
