"""The terms of an order that need no look at the account's money: prices, time in force, position intent."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from sandbox.exchange.account import Account
from sandbox.exchange.market import Quote
from sandbox.exchange.money import decimal_text, tick_size
from sandbox.exchange.orders import OrderRequest, OrderType, PositionIntent, Side, TimeInForce
from sandbox.exchange.refusals import invalid, malformed
from sandbox.exchange.sessions import NEW_YORK, at_new_york, session_on

_AUCTIONS_REOPEN = time(19, 0)
_BEFORE_OPEN = timedelta(minutes=2)
_BEFORE_CLOSE = timedelta(minutes=10)


def check_terms(request: OrderRequest, now: datetime) -> None:
    """Check the prices and the time in force of a new order.

    Raises:
        Refusal: for the first rule that the order breaks.
    """
    force = request.time_in_force
    if request.is_fractional and force is not TimeInForce.DAY:
        raise invalid("fractional orders must be DAY orders")
    if request.extended_hours and (request.type, force) != (OrderType.LIMIT, TimeInForce.DAY):
        raise invalid("extended hours order must be DAY limit orders")

    _check_price("limit", request.limit_price, request.type, is_needed=request.type.has_limit)
    _check_price("stop", request.stop_price, request.type, is_needed=request.type.has_stop)
    if force in {TimeInForce.OPG, TimeInForce.CLS}:
        _check_auction(request, now)


def check_stop(request: OrderRequest, quote: Quote) -> None:
    """Check that a stop order does not trigger at once.

    Raises:
        Refusal: 422, its stop price is on the wrong side of the last price.
    """
    if request.stop_price is None:
        return
    if request.side is Side.SELL and request.stop_price >= quote.last:
        raise invalid("stop price must be less than current price")
    if request.side is Side.BUY and request.stop_price <= quote.last:
        raise invalid("stop price must be greater than current price")


def intent_of(request: OrderRequest, account: Account, qty: Decimal) -> PositionIntent:
    """Return the position intent of an order; without one, the one that the broker fills in.

    Raises:
        Refusal: 422, the intent does not go with the side, with an account without short positions, or it opens a
            position while the order would close one.
    """
    side, intent = request.side, request.position_intent
    if intent is None:
        return _filled_in(side, account, is_closing=qty <= account.free_qty(request.symbol, side))
    if intent.side is not side:
        raise invalid(f"position_intent {intent} does not go with side {side}")
    if not account.may_short and intent in {PositionIntent.SELL_TO_OPEN, PositionIntent.BUY_TO_CLOSE}:
        raise invalid(f"position_intent {intent} does not go with side {side} in an account without shorts")
    if not intent.closes and account.closable_qty(request.symbol, side) > 0:
        inferred = PositionIntent.BUY_TO_CLOSE if side is Side.BUY else PositionIntent.SELL_TO_CLOSE
        raise invalid(f"position intent mismatch, inferred: {inferred}, specified: {intent}")
    return intent


def _filled_in(side: Side, account: Account, *, is_closing: bool) -> PositionIntent:
    if side is Side.BUY:
        return PositionIntent.BUY_TO_CLOSE if is_closing else PositionIntent.BUY_TO_OPEN
    return PositionIntent.SELL_TO_CLOSE if is_closing or not account.may_short else PositionIntent.SELL_TO_OPEN


def _check_price(name: str, price: Decimal | None, kind: OrderType, *, is_needed: bool) -> None:
    if not is_needed:
        if price is not None:
            raise malformed(f"{kind.replace('_', ' ')} orders require no {name} price")
        return
    if price is None or price <= 0:
        raise malformed(f"{kind.replace('_', ' ')} orders require a {name} price > 0")
    if price % tick_size(price):
        raise invalid(
            f"invalid {name}_price {decimal_text(price)}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _check_auction(request: OrderRequest, now: datetime) -> None:
    """Check that an order for an auction arrives in time, before it or from 19:00 New York time on the evening before.

    Source: the broker's documentation of orders: OPG until 9:28, CLS until 15:50.
    """
    force = request.time_in_force
    if request.type not in {OrderType.MARKET, OrderType.LIMIT}:
        raise invalid(f"{force} orders must be market or limit orders")

    today = now.astimezone(NEW_YORK).date()
    session = session_on(today)
    if session is None:
        return
    ends = session.opens - _BEFORE_OPEN if force is TimeInForce.OPG else session.closes - _BEFORE_CLOSE
    if ends <= now < at_new_york(today, _AUCTIONS_REOPEN):
        raise invalid(f"{force} orders are not accepted from {ends.astimezone(NEW_YORK):%H:%M} to 19:00 New York time")
