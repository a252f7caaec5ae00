"""Trades on the paper exchange and its faults: cash agrees to the cent, shares to the last place."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.fakes import InMemoryLedger
from tests.the_alchemiser.paper import Paper
from the_alchemiser.execution_v2.calls import Stopwatch
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.order_sequence import OrderSequence
from the_alchemiser.execution_v2.orders import OrderUnsettledError, Timing
from the_alchemiser.execution_v2.service import Executor
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.messaging.messages import Message, TradeExecuted, TradeFailed, TradeRequested
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket

AT = datetime(2023, 11, 22, 20, 45, tzinfo=UTC)


class Runs:
    """A run that is in this state."""

    def __init__(self, state: RunState) -> None:
        self._state = state

    def state_of(self, _run_id: str) -> RunState:
        return self._state


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


def _execute(paper: Paper, ledger: InMemoryLedger, trade: TradeRequested, *, time_s: float = 3.0) -> Message:
    phase = RunState.SELLING if trade.side is Side.SELL else RunState.BUYING
    orders = OrderSequence(paper.broker, Runs(phase), Enabled(), Limits(), Timing.within(time_s), Stopwatch())
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


@pytest.mark.parametrize(
    "faults",
    [
        {"rest": {}},
        {"partial_fill": {}},
        {"commit_then_504": {}},
        {"rest": {}, "cancel_ignored": {}},
    ],
    ids=" and ".join,
)
def test_buy_with_planted_faults_fills_completely(paper: Paper, faults: Mapping[str, Mapping[str, object]]) -> None:
    ledger = InMemoryLedger()
    for fault, settings in faults.items():
        paper.control.plant(fault, **settings)

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


@pytest.mark.parametrize("condition", [{"spread": 0.4}, {"empty_side": "bid"}], ids=["wide", "one-sided"])
def test_buy_in_doubtful_market_is_limited_near_the_last_sale(paper: Paper, condition: Mapping[str, object]) -> None:
    paper.control.put_condition("SPY", **condition)
    paper.control.plant("rest", times=3)

    outcome = _execute(paper, InMemoryLedger(), _trade(Side.BUY, "SPY", "2"))

    assert isinstance(outcome, TradeFailed)
    assert (outcome.reason, outcome.unsettled) == ("spread_too_wide", False)
    assert paper.broker.positions() == ()


@pytest.mark.parametrize(
    "faults",
    [
        {"partial_fill": {}, "cancel_slowly": {"seconds": 90}},
        {"odd_status": {"status_name": "under_review", "seconds": 90}, "cancel_ignored": {"times": 9}},
    ],
    ids=["pending_cancel", "unknown status"],
)
def test_order_that_is_not_final_ends_the_attempt_and_the_next_one_resumes(
    paper: Paper, faults: Mapping[str, Mapping[str, object]]
) -> None:
    ledger, trade = InMemoryLedger(), _trade(Side.BUY, "TLT", "33.333333")
    for fault, settings in faults.items():
        paper.control.plant(fault, **settings)
    with pytest.raises(OrderUnsettledError):
        _execute(paper, ledger, trade, time_s=0.4)
    posted = paper.control.state().orders

    paper.control.set_now(AT + timedelta(seconds=100))
    outcome = _execute(paper, ledger, trade)

    (position,) = paper.broker.positions()
    assert posted == 1
    assert isinstance(outcome, TradeExecuted)
    assert position.quantity == trade.quantity
    assert paper.broker.account().cash == Decimal(100_000) + _cash(ledger)


def test_sale_of_a_position_sold_by_hand_opens_no_short(paper: Paper) -> None:
    ledger = InMemoryLedger()
    _execute(paper, ledger, _trade(Side.BUY, "SPY", "3"))
    by_hand = OrderRequest("SPY", Side.SELL, Decimal(3), OrderType.MARKET, "by-hand")
    paper.broker.order(paper.broker.submit(by_hand).id)

    outcome = _execute(paper, ledger, _trade(Side.SELL, "SPY", "3"))

    assert isinstance(outcome, TradeFailed)
    assert outcome.reason == "no_position"
    assert paper.broker.positions() == ()


def test_same_trade_delivered_twice_trades_once(paper: Paper) -> None:
    ledger = InMemoryLedger()
    trade = _trade(Side.BUY, "QQQ", "5")

    first, second = _execute(paper, ledger, trade), _execute(paper, ledger, trade)

    assert first == second
    assert paper.control.state().orders == 1
    assert len(ledger.entries) == 1
