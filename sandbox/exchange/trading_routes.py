"""Endpoints for orders and positions."""

from datetime import datetime
from decimal import Decimal

from sandbox.exchange.account import Position
from sandbox.exchange.admission import parse_order_id
from sandbox.exchange.money import decimal_text, shares_down
from sandbox.exchange.order_parsing import read_change, read_order
from sandbox.exchange.orders import Order, OrderRequest, OrderType, Side, TimeInForce
from sandbox.exchange.parameters import Params, choice_of, count_of, decimal_of, is_true, moment_of, symbols_of
from sandbox.exchange.refusals import Refusal, malformed, not_found
from sandbox.exchange.rendering import Json, render_order, render_position
from sandbox.exchange.service import Answer, Call, Endpoint, Venue

_DEFAULT_ROWS, _MOST_ROWS = 50, 500
_HUNDRED = Decimal(100)


def submit_order(venue: Venue, call: Call) -> Answer:
    order = venue.exchange.submit(read_order(call.body), fill_fraction=call.fill_fraction)
    return Answer(render_order(order))


def list_orders(venue: Venue, call: Call) -> Answer:
    query = call.query
    rows = count_of("limit", query.get("limit"), default=_DEFAULT_ROWS, most=_MOST_ROWS)
    orders = [order for order in venue.exchange.account.orders.values() if _matches(order, query)]
    if choice_of("direction", query.get("direction"), default="desc", of=("asc", "desc")) == "desc":
        orders.reverse()
    return Answer([render_order(order) for order in orders[:rows]])


def get_order(venue: Venue, call: Call) -> Answer:
    return Answer(render_order(venue.exchange.order(parse_order_id(call.path["order_id"]))))


def get_order_by_client_id(venue: Venue, call: Call) -> Answer:
    client_order_id = call.query.get("client_order_id", "")
    order = venue.exchange.account.order_by_client_id(client_order_id)
    if order is None:
        raise not_found(f"order not found for {client_order_id}")
    return Answer(render_order(order))


def change_order(venue: Venue, call: Call) -> Answer:
    order = venue.exchange.change(parse_order_id(call.path["order_id"]), read_change(call.body))
    return Answer(render_order(order))


def cancel_order(venue: Venue, call: Call) -> Answer:
    venue.exchange.cancel(parse_order_id(call.path["order_id"]))
    return Answer(status=204)


def cancel_orders(venue: Venue, _: Call) -> Answer:
    canceled = _cancel_open(venue)
    return Answer([{"id": str(order.id), "status": 200} for order in canceled], status=207)


def list_positions(venue: Venue, _: Call) -> Answer:
    held = venue.exchange.account.positions
    return Answer([_position_row(venue, held[symbol]) for symbol in sorted(held)])


def get_position(venue: Venue, call: Call) -> Answer:
    return Answer(_position_row(venue, _position(venue, call)))


def close_position(venue: Venue, call: Call) -> Answer:
    """Sell a position at the market: all of it, `qty` shares, or `percentage` of it."""
    position = _position(venue, call)
    order = venue.exchange.submit(_closing_order(position, call.query), fill_fraction=call.fill_fraction)
    return Answer(render_order(order))


def close_positions(venue: Venue, call: Call) -> Answer:
    if is_true(call.query.get("cancel_orders")):
        _cancel_open(venue)
    held = venue.exchange.account.positions
    return Answer([_close_and_render(venue, held[symbol]) for symbol in sorted(held)], status=207)


def _close_and_render(venue: Venue, position: Position) -> Json:
    try:
        order = venue.exchange.submit(_closing_order(position, {}))
    except Refusal as refusal:
        return {"symbol": position.symbol, "status": refusal.status, "body": refusal.body()}
    return {"symbol": position.symbol, "status": 200, "body": render_order(order)}


def _closing_order(position: Position, query: Params) -> OrderRequest:
    return OrderRequest(
        symbol=position.symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        qty=_closing_qty(position, query),
    )


def _closing_qty(position: Position, query: Params) -> Decimal:
    qty, percentage = (decimal_of(name, query.get(name)) for name in ("qty", "percentage"))
    if qty is not None and percentage is not None:
        raise malformed("only one of qty or percentage is accepted")
    if percentage is None:
        return position.qty if qty is None else qty
    if not 0 < percentage <= _HUNDRED:
        raise malformed(f"percentage must be between 0 and 100: {decimal_text(percentage)}")
    return shares_down(position.qty * percentage / _HUNDRED)


def _cancel_open(venue: Venue) -> list[Order]:
    return [venue.exchange.cancel(order.id) for order in venue.exchange.account.open_orders()]


def _position(venue: Venue, call: Call) -> Position:
    asset = venue.exchange.market.asset(call.path["symbol_or_id"])
    position = None if asset is None else venue.exchange.account.positions.get(asset.symbol)
    if position is None:
        raise not_found("position does not exist")
    return position


def _position_row(venue: Venue, position: Position) -> Json:
    exchange = venue.exchange
    return render_position(position, exchange.account, exchange.market, exchange.now)


def _matches(order: Order, query: Params) -> bool:
    status = choice_of("status", query.get("status"), default="open", of=("open", "closed", "all"))
    side, symbols = query.get("side"), symbols_of(query.get("symbols"))
    after, until = (moment_of(name, query.get(name)) for name in ("after", "until"))
    return (
        (status == "all" or order.is_open == (status == "open"))
        and (not side or order.side == side.lower())
        and (not symbols or order.symbol in symbols)
        and _is_between(order.submitted_at, after, until)
    )


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
