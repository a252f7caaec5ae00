"""Endpoints for orders and positions."""

from datetime import datetime
from decimal import Decimal

from sandbox.exchange.admission import parse_order_id
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.money import decimal_text, shares_down
from sandbox.exchange.order_parsing import read_change, read_order
from sandbox.exchange.orders import Order, OrderRequest, OrderStatus, OrderType, PositionIntent, Side, TimeInForce
from sandbox.exchange.parameters import Params, choice_of, count_of, decimal_of, is_true, moment_of, symbols_of
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import Refusal, malformed, not_found
from sandbox.exchange.rendering import Json, render_order, render_position

_DEFAULT_ROWS, _MOST_ROWS = 50, 500
_HUNDRED = Decimal(100)


def submit_order(host: Host, call: Call) -> Answer:
    return _answered(host, host.exchange.submit(read_order(call.body), call.script))


def list_orders(host: Host, call: Call) -> Answer:
    query = call.query
    rows = count_of("limit", query.get("limit"), default=_DEFAULT_ROWS, most=_MOST_ROWS)
    orders = _selected(host, query)
    if choice_of("direction", query.get("direction"), default="desc", of=("asc", "desc")) == "desc":
        orders.reverse()
    return Answer([render_order(order, host.exchange.now) for order in orders[:rows]])


def get_order(host: Host, call: Call) -> Answer:
    return _answered(host, host.exchange.order(parse_order_id(call.path["order_id"])))


def get_order_by_client_id(host: Host, call: Call) -> Answer:
    client_order_id = call.query.get("client_order_id", "")
    order = host.exchange.account.orders.by_client_id(client_order_id)
    if order is None:
        raise not_found(f"order not found for {client_order_id}")
    return _answered(host, order)


def change_order(host: Host, call: Call) -> Answer:
    order_id = parse_order_id(call.path["order_id"])
    return _answered(host, host.exchange.change(order_id, read_change(call.body), delay_s=call.pending_s))


def cancel_order(host: Host, call: Call) -> Answer:
    order_id = parse_order_id(call.path["order_id"])
    if not call.ignores_cancel:
        host.exchange.cancel(order_id, delay_s=call.pending_s)
    return Answer(status=204)


def cancel_orders(host: Host, call: Call) -> Answer:
    canceled = [] if call.ignores_cancel else _cancel_open(host, call)
    return Answer([{"id": str(order.id), "status": 200} for order in canceled], status=207)


def list_positions(host: Host, _: Call) -> Answer:
    held = host.exchange.account.positions
    return Answer([_position_row(host, held[symbol]) for symbol in sorted(held)])


def get_position(host: Host, call: Call) -> Answer:
    return Answer(_position_row(host, _position(host, call)))


def close_position(host: Host, call: Call) -> Answer:
    """Close a position at the market: all of it, `qty` shares, or `percentage` of it."""
    order = _closing_order(_position(host, call), call.query)
    return _answered(host, host.exchange.submit(order, call.script))


def close_positions(host: Host, call: Call) -> Answer:
    if is_true(call.query.get("cancel_orders")):
        _cancel_open(host, call)
    held = host.exchange.account.positions
    return Answer([_close_and_render(host, held[symbol]) for symbol in sorted(held)], status=207)


def _close_and_render(host: Host, position: Position) -> Json:
    try:
        order = host.exchange.submit(_closing_order(position, {}))
    except Refusal as refusal:
        return {"symbol": position.symbol, "status": refusal.status, "body": refusal.body()}
    return {"symbol": position.symbol, "status": 200, "body": render_order(order, host.exchange.now)}


def _closing_order(position: Position, query: Params) -> OrderRequest:
    is_long = position.qty > 0
    return OrderRequest(
        symbol=position.symbol,
        side=Side.SELL if is_long else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        qty=_closing_qty(abs(position.qty), query),
        position_intent=PositionIntent.SELL_TO_CLOSE if is_long else PositionIntent.BUY_TO_CLOSE,
    )


def _closing_qty(held: Decimal, query: Params) -> Decimal:
    qty, percentage = (decimal_of(name, query.get(name)) for name in ("qty", "percentage"))
    if qty is not None and percentage is not None:
        raise malformed("only one of qty or percentage is accepted")
    if percentage is None:
        return held if qty is None else qty
    if not 0 < percentage <= _HUNDRED:
        raise malformed(f"percentage must be between 0 and 100: {decimal_text(percentage)}")
    return shares_down(held * percentage / _HUNDRED)


def _cancel_open(host: Host, call: Call) -> list[Order]:
    orders = [order for order in host.exchange.account.open_orders() if order.status is not OrderStatus.PENDING_CANCEL]
    return [host.exchange.cancel(order.id, delay_s=call.pending_s) for order in orders]


def _position(host: Host, call: Call) -> Position:
    name, held = call.path["symbol_or_id"], host.exchange.account.positions
    asset = host.exchange.market.asset(name)
    position = held.get(name if asset is None else asset.symbol)
    if position is None:
        raise not_found("position does not exist")
    return position


def _position_row(host: Host, position: Position) -> Json:
    exchange = host.exchange
    return render_position(position, exchange.account, exchange.market, exchange.now)


def _answered(host: Host, order: Order) -> Answer:
    return Answer(render_order(order, host.exchange.now))


def _selected(host: Host, query: Params) -> list[Order]:
    """Return the orders that a query selects, oldest first."""
    book = host.exchange.account.orders
    status = choice_of("status", query.get("status"), default="open", of=("open", "closed", "all"))
    side, symbols = (query.get("side") or "").lower(), symbols_of(query.get("symbols"))
    after, until = (moment_of(name, query.get(name)) for name in ("after", "until"))
    return [
        order
        for order in (book.open() if status == "open" else book.values())
        if (status == "all" or order.is_open == (status == "open"))
        and (not side or order.side == side)
        and (not symbols or order.symbol in symbols)
        and _is_between(order.submitted_at, after, until)
    ]


def _is_between(at: datetime, after: datetime | None, until: datetime | None) -> bool:
    return (after is None or at > after) and (until is None or at < until)


ENDPOINTS = (
    Endpoint("POST", "/v2/orders", submit_order, changes=True),
    Endpoint("GET", "/v2/orders", list_orders),
    Endpoint("DELETE", "/v2/orders", cancel_orders, changes=True),
    Endpoint("GET", "/v2/orders:by_client_order_id", get_order_by_client_id),
    Endpoint("GET", "/v2/orders/{order_id}", get_order),
    Endpoint("PATCH", "/v2/orders/{order_id}", change_order, changes=True),
    Endpoint("DELETE", "/v2/orders/{order_id}", cancel_order, changes=True),
    Endpoint("GET", "/v2/positions", list_positions),
    Endpoint("DELETE", "/v2/positions", close_positions, changes=True),
    Endpoint("GET", "/v2/positions/{symbol_or_id}", get_position),
    Endpoint("DELETE", "/v2/positions/{symbol_or_id}", close_position, changes=True),
)
