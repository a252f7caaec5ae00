"""Parse the JSON bodies of order requests."""

from collections.abc import Mapping
from enum import StrEnum

from sandbox.exchange.orders import OrderRequest, OrderType, PositionIntent, Side, TimeInForce
from sandbox.exchange.parameters import decimal_of, text_of
from sandbox.exchange.refusals import invalid, malformed
from sandbox.exchange.replacement import OrderChange

Body = Mapping[str, object]

_UNSUPPORTED = ("trail_price", "trail_percent", "legs", "take_profit", "stop_loss")


def read_order(body: Body) -> OrderRequest:
    """Parse the body of POST /v2/orders.

    Raises:
        Refusal: a field is missing, cannot be read, or is not supported by this exchange.
    """
    symbol = text_of("symbol", body.get("symbol"))
    if not symbol:
        raise malformed("symbol is required")
    side = _member(Side, "side", body.get("side"))
    _check_simple(body)
    intent = body.get("position_intent")

    return OrderRequest(
        symbol=symbol.upper(),
        side=side,
        type=_member(OrderType, "type", body.get("type")),
        time_in_force=_member(TimeInForce, "time_in_force", body.get("time_in_force")),
        qty=decimal_of("qty", body.get("qty")),
        notional=decimal_of("notional", body.get("notional")),
        limit_price=decimal_of("limit_price", body.get("limit_price")),
        client_order_id=text_of("client_order_id", body.get("client_order_id")) or None,
        extended_hours=body.get("extended_hours") is True,
        stop_price=decimal_of("stop_price", body.get("stop_price")),
        position_intent=_member(PositionIntent, "position_intent", intent) if intent else None,
    )


def read_change(body: Body) -> OrderChange:
    """Parse the body of PATCH /v2/orders/{id}.

    Raises:
        Refusal: a field cannot be read, or is not supported by this exchange.
    """
    _check_unsupported(body)
    if body.get("trail") is not None:
        raise invalid("trail is not supported by the paper exchange")
    time_in_force = body.get("time_in_force")
    return OrderChange(
        qty=decimal_of("qty", body.get("qty")),
        limit_price=decimal_of("limit_price", body.get("limit_price")),
        stop_price=decimal_of("stop_price", body.get("stop_price")),
        time_in_force=None if time_in_force is None else _member(TimeInForce, "time_in_force", time_in_force),
        client_order_id=text_of("client_order_id", body.get("client_order_id")) or None,
    )


def _check_simple(body: Body) -> None:
    _check_unsupported(body)
    order_class = body.get("order_class") or "simple"
    if order_class != "simple":
        raise invalid(f"order_class {order_class} is not supported by the paper exchange; only simple orders")


def _check_unsupported(body: Body) -> None:
    for name in _UNSUPPORTED:
        if body.get(name) is not None:
            raise invalid(f"{name} is not supported by the paper exchange")


def _member[E: StrEnum](kind: type[E], name: str, value: object) -> E:
    text = text_of(name, value)
    if not text:
        raise malformed(f"{name} is required")
    try:
        return kind(text)
    except ValueError:
        raise invalid(f"{name} {text} is not supported; one of {', '.join(kind)}") from None
