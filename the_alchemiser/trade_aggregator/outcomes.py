"""Computes the day's result from the outcomes recorded in a run and the broker's account at its end. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from the_alchemiser.shared.broker.models import Account, Position
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Mark,
    Message,
    RunCompleted,
    SignalGenerated,
    TradeExecuted,
    TradeFailed,
    TradeOutcome,
    envelope,
)
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.runs import SIGNAL, TRADE, Run

PRICE_STEP = Decimal("0.000001")


class Closing(Frozen):
    """The account and positions when the last trade is done; `at` is business time, UTC."""

    account: Account
    positions: tuple[Position, ...]
    at: datetime


def outcome_of(message: Message) -> TradeOutcome:
    """Return the result of one trade; the price of a trade that filled in part is the average of its fills.

    Raises:
        TypeError: the message is neither TradeExecuted nor TradeFailed.
    """
    if isinstance(message, TradeExecuted):
        price: Decimal | None = message.avg_price
        reason, unsettled = None, False
    elif isinstance(message, TradeFailed):
        price = _average(message)
        reason, unsettled = message.reason, message.unsettled
    else:
        raise TypeError(f"{type(message).__name__} is not the outcome of a trade")

    return TradeOutcome(
        trade_id=message.trade_id,
        symbol=message.symbol,
        side=message.side,
        quantity=message.quantity,
        filled_quantity=message.filled_quantity,
        avg_price=price,
        reason=reason,
        unsettled=unsettled,
    )


def run_completed(run: Run, plan: RebalancePlan, closing: Closing, *, caused_by: str) -> RunCompleted:
    """Return the result of a run whose trades all have an outcome, sells first."""
    recorded = run.items_of(TRADE)
    outcomes = tuple(outcome_of(outbox.decode(recorded[trade_id].body)) for trade_id in plan.by_trade_id())
    signal = outbox.decode(run.items[SIGNAL].body)

    return RunCompleted(
        **envelope(RunCompleted, run.run_id, occurred_at=closing.at, caused_by=caused_by),
        trading_date=run.trading_date,
        as_of=run.as_of,
        weights=signal.weights if isinstance(signal, SignalGenerated) else {},
        outcomes=outcomes,
        positions=_marks(closing.positions),
        equity_before=plan.equity,
        equity_after=closing.account.equity,
        cash_after=closing.account.cash,
        degraded=_is_degraded(plan, outcomes),
        quarantined=plan.quarantined,
        untradable=plan.untradable,
        cash=signal.cash if isinstance(signal, SignalGenerated) else Decimal(0),
    )


def _is_degraded(plan: RebalancePlan, outcomes: Iterable[TradeOutcome]) -> bool:
    is_incomplete = any(outcome.reason is not None for outcome in outcomes)
    return is_incomplete or bool(plan.quarantined or plan.untradable)


def _average(trade: TradeFailed) -> Decimal | None:
    shares = sum((fill.quantity for fill in trade.fills), Decimal(0))
    if shares == 0:
        return None
    paid = sum((fill.quantity * fill.price for fill in trade.fills), Decimal(0))
    return (paid / shares).quantize(PRICE_STEP)


def _marks(positions: Iterable[Position]) -> tuple[Mark, ...]:
    return tuple(
        Mark(symbol=position.symbol, quantity=position.quantity, price=position.current_price)
        for position in sorted(positions, key=lambda position: position.symbol)
        if position.current_price is not None
    )
