"""TradeRequested in; orders, ledger entries, and TradeExecuted or TradeFailed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from the_alchemiser.execution_v2.attribution import attribute, cash_of
from the_alchemiser.execution_v2.limits import Refusal
from the_alchemiser.execution_v2.walk import Walk
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import Fill, Side, TradeExecuted, TradeFailed, TradeRequested, message_id

MODULE = "execution_v2"
_ZERO = Decimal(0)
_PRICE_PLACES = Decimal("0.000000001")
THE_FILL = "1"  # an order is entered once, when it is done, as one fill


@dataclass(frozen=True, slots=True)
class Executor:
    """Executes one trade at a time; every attempt at the same trade comes to the same end."""

    walk: Walk
    ledger: Ledger

    def handle(self, trade: TradeRequested) -> Reaction:
        """Trade, enter the fills, tell the outcome.

        Raises:
            AlchemiserError, ClientError: broker or ledger cannot be asked now; the next attempt resumes.
        """
        book = _Book(trade, self.ledger)
        refusal = self.walk.execute(trade, book.enter)
        return Reaction((_outcome(trade, book.fills, refusal),))

    def give_up(self, trade: TradeRequested, error: Exception) -> Reaction:
        """The last attempt failed too: cancel what rests, enter what filled, and say so."""
        book = _Book(trade, self.ledger)
        detail = f"gave up after: {error}"
        try:
            self.walk.wind_up(trade, book.enter)
        except Exception as unknown:  # the failure must be told, whatever stops the winding up
            detail += f"; what the broker still holds of it is not known: {unknown}"
        return Reaction((_outcome(trade, book.fills, Refusal("retries_exhausted", detail)),))


class _Book:
    """The fills of one attempt, entered into the ledger as they become final."""

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
    # Business time without asking anyone again: the same attempt told twice is the same message.
    occurred_at = max((fill.filled_at for fill in fills), default=trade.occurred_at)
    if filled >= trade.quantity:
        return TradeExecuted(
            message_id=message_id(trade.run_id, TradeExecuted, trade.trade_id),
            run_id=trade.run_id,
            caused_by=trade.message_id,
            occurred_at=occurred_at,
            trade_id=trade.trade_id,
            symbol=trade.symbol,
            side=trade.side,
            quantity=trade.quantity,
            filled_quantity=filled,
            avg_price=_average(fills),
            fills=tuple(fills),
        )
    told = refusal or Refusal("not_filled", "the fills do not add up to the trade")
    return TradeFailed(
        message_id=message_id(trade.run_id, TradeFailed, trade.trade_id),
        run_id=trade.run_id,
        caused_by=trade.message_id,
        occurred_at=occurred_at,
        trade_id=trade.trade_id,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        reason=told.reason,
        detail=told.detail,
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
    """Final once the order is done, and so the same in every attempt: it is part of the ledger's key."""
    return (order.filled_at or order.canceled_at or order.submitted_at).astimezone(UTC)
