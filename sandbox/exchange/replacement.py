"""Turn a change of a resting order (PATCH) into a request for the order that replaces it."""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.exchange.orders import Order, OrderRequest, TimeInForce
from sandbox.exchange.refusals import invalid


@dataclass(frozen=True, slots=True)
class OrderChange:
    """The fields to change; None keeps the order's value. `qty` includes the shares already filled."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None


def replacement_request(order: Order, change: OrderChange) -> OrderRequest:
    """Return the request for the unfilled part of the order, with the changes applied.

    Raises:
        Refusal: the order is notional, nothing changes, or the quantity is already filled.
    """
    if order.qty is None:
        raise invalid("cannot replace notional orders")

    qty = order.qty if change.qty is None else change.qty
    limit_price = order.limit_price if change.limit_price is None else change.limit_price
    stop_price = order.stop_price if change.stop_price is None else change.stop_price
    time_in_force = change.time_in_force or order.time_in_force
    terms = order.qty, order.limit_price, order.stop_price, order.time_in_force
    if (qty, limit_price, stop_price, time_in_force) == terms:
        raise invalid("order parameters are not changed")
    if qty <= order.filled_qty:
        raise invalid("qty must be > filled_qty")

    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=time_in_force,
        qty=qty - order.filled_qty,
        limit_price=limit_price,
        stop_price=stop_price,
        position_intent=order.position_intent,
        client_order_id=change.client_order_id,
        extended_hours=order.extended_hours,
    )
