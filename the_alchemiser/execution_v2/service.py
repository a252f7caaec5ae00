"""Executes a requested trade: orders, ledger entries, then TradeExecuted or TradeFailed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from the_alchemiser.execution_v2.attribution import attribute, cash_of
from the_alchemiser.execution_v2.order_sequence import NOT_FILLED, OrderSequence
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.errors import RETRIES_EXHAUSTED
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.messaging.messages import Fill, TradeExecuted, TradeFailed, TradeRequested, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.values import Refusal, Side

MODULE = "execution_v2"
_ZERO = Decimal(0)
_PRICE_PLACES = Decimal("0.000000001")
THE_FILL = "1"  # an order is entered once, when it is done, as one fill


@dataclass(frozen=True, slots=True)
class Executor:
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
        return Reaction((_outcome(trade, book.fills, refusal),))

    def give_up(self, trade: TradeRequested, error: Exception) -> Reaction:
        """React when the last attempt failed too: cancel resting orders, record the fills, publish the failure."""
        book = _Book(trade, self.ledger)
        detail = f"gave up after: {error}"
        try:
            self.orders.wind_up(trade, book.enter)
        except Exception as wind_up_error:  # the failure must be published, whatever stops the winding up
            detail += f"; orders of this trade may still rest at the broker: {wind_up_error}"
        return Reaction((_outcome(trade, book.fills, Refusal(reason=RETRIES_EXHAUSTED, detail=detail)),))


class _Book:
    """The fills of one attempt, recorded in the ledger as they become final."""

    def __init__(self, trade: TradeRequested, ledger: Ledger) -> None:
        self._trade = trade
        self._ledger = ledger
        self.fills: list[Fill] = []

    def enter(self, order: Order) -> None:
        if order.filled_quantity == 0 or order.filled_avg_price is None:
            return

        fill = Fill(
            order_id=order.id,
            client_order_id=order.client_order_id,
            quantity=order.filled_quantity,
            price=order.filled_avg_price,
            filled_at=_filled_at(order),
        )
        # The ledger ignores a fill that an earlier attempt recorded: its key is the same in every attempt.
        self._ledger.record(_entry(self._trade, fill, before=_filled(self.fills)))
        self.fills.append(fill)


def _entry(trade: TradeRequested, fill: Fill, *, before: Decimal) -> LedgerEntry:
    sign = 1 if trade.side is Side.BUY else -1
    return LedgerEntry(
        symbol=trade.symbol,
        filled_at=fill.filled_at,
        order_id=fill.order_id,
        fill=THE_FILL,
        client_order_id=fill.client_order_id,
        trade_id=trade.trade_id,
        run_id=trade.run_id,
        side=trade.side,
        quantity=fill.quantity,
        price=fill.price,
        cash=cash_of(trade.side, fill.quantity, fill.price),
        attribution=attribute(
            sign * fill.quantity, before=sign * before, ordered=sign * trade.quantity, deltas=trade.deltas
        ),
    )


def _outcome(trade: TradeRequested, fills: Sequence[Fill], refusal: Refusal | None) -> TradeExecuted | TradeFailed:
    filled = _filled(fills)
    # Business time without another request: the same attempt gives the same message again.
    occurred_at = max((fill.filled_at for fill in fills), default=trade.occurred_at)

    if filled >= trade.quantity:
        return TradeExecuted(
            **envelope(
                TradeExecuted, trade.run_id, trade.trade_id, occurred_at=occurred_at, caused_by=trade.message_id
            ),
            trade_id=trade.trade_id,
            symbol=trade.symbol,
            side=trade.side,
            quantity=trade.quantity,
            filled_quantity=filled,
            avg_price=_average(fills),
            fills=tuple(fills),
        )

    reason = refusal or Refusal(reason=NOT_FILLED, detail="the fills do not add up to the trade")
    return TradeFailed(
        **envelope(TradeFailed, trade.run_id, trade.trade_id, occurred_at=occurred_at, caused_by=trade.message_id),
        trade_id=trade.trade_id,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        reason=reason.reason,
        detail=reason.detail,
        filled_quantity=filled,
        fills=tuple(fills),
    )


def _filled(fills: Sequence[Fill]) -> Decimal:
    return sum((fill.quantity for fill in fills), _ZERO)


def _average(fills: Sequence[Fill]) -> Decimal:
    prices = {fill.price for fill in fills}
    if len(prices) == 1:
        return prices.pop()
    cost = sum((fill.quantity * fill.price for fill in fills), _ZERO)
    return (cost / _filled(fills)).quantize(_PRICE_PLACES)


def _filled_at(order: Order) -> datetime:
    """Return a time that is final once the order is done: it is part of the ledger's key, the same in every attempt."""
    return (order.filled_at or order.canceled_at or order.submitted_at).astimezone(UTC)
