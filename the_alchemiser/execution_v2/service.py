"""Executes a requested trade: orders, ledger entries, then TradeExecuted or TradeFailed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from the_alchemiser.execution_v2.order_sequence import OrderSequence, OrderUnknownError
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.errors import RETRIES_EXHAUSTED
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.ledger.order_entries import TradeFacts, entries_of_trade
from the_alchemiser.shared.messaging.messages import Fill, TradeExecuted, TradeFailed, TradeRequested, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Refusal

MODULE = "execution_v2"
_ZERO = Decimal(0)
_PRICE_PLACES = Decimal("0.000000001")


class Executor(Frozen):
    """Executes one trade at a time. Idempotent: every attempt at the same trade has the same outcome."""

    orders: OrderSequence
    ledger: Ledger

    def handle(self, trade: TradeRequested) -> Reaction:
        """Trade, record the fills, and publish the outcome.

        Raises:
            AlchemiserError, ClientError: broker or ledger cannot answer now; the next attempt resumes.
        """
        book = _Book(trade, self.ledger)
        refusal = self.orders.execute(trade, book.enter)
        if refusal is None:
            return Reaction((_executed(trade, book.fills),))
        return Reaction((_failed(trade, book.fills, refusal),))

    def give_up(self, trade: TradeRequested, error: Exception) -> Reaction:
        """React when the last attempt failed too: cancel resting orders, record the fills, publish the outcome.

        `unsettled` is set when an order may still rest or appear at the broker, or a fill may be missing in the ledger.
        The sweep settles all of it after the run has ended.
        """
        book = _Book(trade, self.ledger)
        detail = f"gave up after: {error}"
        try:
            orders = self.orders.wind_up(trade, book.enter)
        except Exception as wind_up_error:  # the failure must be published, whatever stops the winding up
            detail += f"; orders of this trade may still rest at the broker: {wind_up_error}"
            unsettled = True
        else:
            unsettled = _may_appear(error, orders)
            if _filled(book.fills) >= trade.quantity:
                return Reaction((_executed(trade, book.fills),))

        refusal = Refusal(reason=RETRIES_EXHAUSTED, detail=detail)
        return Reaction((_failed(trade, book.fills, refusal, unsettled=unsettled),))


class _Book:
    """The fills of one attempt, recorded in the ledger as they become final."""

    def __init__(self, trade: TradeRequested, ledger: Ledger) -> None:
        self._facts = TradeFacts(
            trade_id=trade.trade_id,
            run_id=trade.run_id,
            symbol=trade.symbol,
            side=trade.side,
            quantity=trade.quantity,
            deltas=trade.deltas,
            planning_price=trade.planning_price,
        )
        self._ledger = ledger
        self.fills: list[Fill] = []

    def enter(self, orders: Sequence[Order]) -> None:
        """Record what is new; `orders` are all final ones of the trade, by step."""
        entries = entries_of_trade(self._facts, orders)
        for entry in entries[len(self.fills) :]:
            # The ledger ignores a fill that an earlier attempt recorded: its key is the same in every attempt.
            self._ledger.record(entry)
            self.fills.append(_fill(entry))


def _may_appear(error: Exception, orders: Sequence[Order]) -> bool:
    """Return whether an order was sent that the broker has not shown since."""
    if not isinstance(error, OrderUnknownError):
        return False
    return all(order.client_order_id != error.client_order_id for order in orders)


def _fill(entry: LedgerEntry) -> Fill:
    return Fill(
        order_id=entry.order_id,
        client_order_id=entry.client_order_id,
        quantity=entry.quantity,
        price=entry.price,
        filled_at=entry.filled_at,
    )


def _occurred_at(trade: TradeRequested, fills: Sequence[Fill]) -> datetime:
    # Business time without another request: the same attempt gives the same message again.
    return max((fill.filled_at for fill in fills), default=trade.occurred_at)


def _executed(trade: TradeRequested, fills: Sequence[Fill]) -> TradeExecuted:
    at = _occurred_at(trade, fills)
    return TradeExecuted(
        **envelope(TradeExecuted, trade.run_id, trade.trade_id, occurred_at=at, caused_by=trade.message_id),
        trade_id=trade.trade_id,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        filled_quantity=_filled(fills),
        avg_price=_average(fills),
        fills=tuple(fills),
    )


def _failed(trade: TradeRequested, fills: Sequence[Fill], refusal: Refusal, *, unsettled: bool = False) -> TradeFailed:
    at = _occurred_at(trade, fills)
    return TradeFailed(
        **envelope(TradeFailed, trade.run_id, trade.trade_id, occurred_at=at, caused_by=trade.message_id),
        trade_id=trade.trade_id,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        reason=refusal.reason,
        detail=refusal.detail,
        filled_quantity=_filled(fills),
        fills=tuple(fills),
        unsettled=unsettled,
    )


def _filled(fills: Sequence[Fill]) -> Decimal:
    return sum((fill.quantity for fill in fills), _ZERO)


def _average(fills: Sequence[Fill]) -> Decimal:
    prices = {fill.price for fill in fills}
    if len(prices) == 1:
        return prices.pop()
    cost = sum((fill.quantity * fill.price for fill in fills), _ZERO)
    return (cost / _filled(fills)).quantize(_PRICE_PLACES)
