"""From the broker's orders of a trade to its entries in the ledger. Pure.

Execution records with these functions while a trade is worked on, and the sweep after its run has ended. So the same
orders give the same entries, at any time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from the_alchemiser.shared.broker.models import Order, OrderStatus
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.ledger.attribution import attribute, cash_of
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED, LedgerEntry
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Side

THE_FILL = "1"  # an order is entered once, when it is final, as one fill
_ZERO = Decimal(0)


class FillPriceMissingError(AlchemiserError):
    """The broker reports filled shares without their price; it has not finished booking the fill."""

    retryable: ClassVar[bool] = True


class TradeFacts(Frozen):
    """A trade, as the ledger needs it.

    Attributes:
        quantity: shares of the whole trade, positive.
        deltas: signed shares that each strategy wants to trade.
        planning_price: USD per share that the plan was made with.
    """

    trade_id: str
    run_id: str
    symbol: str
    side: Side
    quantity: Decimal
    deltas: Mapping[str, Decimal]
    planning_price: Decimal | None = None


def client_order_id(trade_id: str, step: int) -> str:
    """Return the id of a step's order: deterministic, so that the broker accepts each step once."""
    return f"{trade_id}-{step}"


def orders_by_step(trade_id: str, orders: Iterable[Order]) -> Mapping[int, Order]:
    """Return a trade's orders in a listing by their step, ascending; successors of replaced orders are not steps."""
    numbered = {_step_of(trade_id, order): order for order in orders}
    return {step: numbered[step] for step in sorted(step for step in numbered if step is not None)}


def orders_of_trade(trade_id: str, orders: Iterable[Order]) -> tuple[Order, ...]:
    """Select a trade's orders from a listing: by step, and each replaced order followed by its successors.

    An order that somebody replaced has a successor under another client order id, so `replaced_by` is followed.
    """
    listed = tuple(orders)
    by_id = {order.id: order for order in listed}
    selected: dict[str, Order] = {}
    for first in orders_by_step(trade_id, listed).values():
        selected |= {order.id: order for order in _chain(first, by_id)}
    return tuple(selected.values())


def open_order_ids(orders: Iterable[Order]) -> tuple[str, ...]:
    """Return the broker's ids of what may still fill: orders that are not done, and successors not among the orders."""
    listed = tuple(orders)
    known = {order.id for order in listed}
    may_fill = (_may_fill(order, known) for order in listed)
    return tuple(order_id for order_id in may_fill if order_id is not None)


def entries_of_trade(trade: TradeFacts, orders: Sequence[Order]) -> tuple[LedgerEntry, ...]:
    """Return one entry for each order that has filled.

    The attribution of a fill depends on what the earlier steps filled, so a caller passes every order of the trade.

    Args:
        orders: final, in the order of `orders_of_trade`.

    Raises:
        FillPriceMissingError: an order has filled shares, but no price yet.
    """
    entries: list[LedgerEntry] = []
    before = _ZERO
    for order in orders:
        if order.filled_quantity:
            entries.append(_entry(trade, order, before=before))
            before += order.filled_quantity
    return tuple(entries)


def _may_fill(order: Order, known: Set[str]) -> str | None:
    if order.status is not OrderStatus.REPLACED:
        return None if order.is_done else order.id
    # Without the id of its successor the order must be read again: somewhere its remaining shares may still rest.
    successor = order.replaced_by or order.id
    return None if order.replaced_by in known else successor


def _step_of(trade_id: str, order: Order) -> int | None:
    """Return the number behind `<trade_id>-`; None for an order of something else, such as a longer trade id."""
    prefix, _, step = order.client_order_id.rpartition("-")
    return int(step) if prefix == trade_id and step.isdecimal() else None


def _chain(order: Order, by_id: Mapping[str, Order]) -> Iterator[Order]:
    following: Order | None = order
    seen: set[str] = set()
    while following is not None and following.id not in seen:
        yield following
        seen.add(following.id)
        following = by_id.get(following.replaced_by or "")


def _entry(trade: TradeFacts, order: Order, *, before: Decimal) -> LedgerEntry:
    price = order.filled_avg_price
    if price is None:
        raise FillPriceMissingError(f"{order.client_order_id} filled {order.filled_quantity} shares without a price")

    return LedgerEntry(
        symbol=trade.symbol,
        filled_at=_filled_at(order),
        order_id=order.id,
        fill=THE_FILL,
        client_order_id=order.client_order_id,
        trade_id=trade.trade_id,
        run_id=trade.run_id,
        side=trade.side,
        quantity=order.filled_quantity,
        price=price,
        cash=cash_of(trade.side, order.filled_quantity, price),
        attribution=_attribution(trade, order.filled_quantity, before=before),
        planning_price=trade.planning_price,
    )


def _attribution(trade: TradeFacts, filled: Decimal, *, before: Decimal) -> Mapping[str, Decimal]:
    """Split the fill over the strategies; shares beyond the trade were added by hand and belong to no strategy."""
    sign = 1 if trade.side is Side.BUY else -1
    wanted = min(filled, max(trade.quantity - before, _ZERO))
    extra = filled - wanted

    split = dict(attribute(sign * wanted, before=sign * before, ordered=sign * trade.quantity, deltas=trade.deltas))
    if extra:
        split[UNATTRIBUTED] = split.get(UNATTRIBUTED, _ZERO) + sign * extra
    return split


def _filled_at(order: Order) -> datetime:
    """Return the time of the last fill, or the closest later or earlier time that the broker reports for good."""
    return (order.filled_at or order.canceled_at or order.submitted_at).astimezone(UTC)
