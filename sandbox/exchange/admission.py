"""Admit or refuse orders: all checks of a new or replacing order, in the order in which the broker makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sandbox.exchange.account import Account
from sandbox.exchange.market import Market, Quote
from sandbox.exchange.money import SHARE, ZERO, decimal_text, shares_down, to_cents
from sandbox.exchange.order_terms import check_stop, check_terms, intent_of
from sandbox.exchange.orders import Order, OrderRequest, PositionIntent, Side
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import Refusal, forbidden, invalid, malformed
from sandbox.exchange.sessions import latest_opened

_MINIMUM_COST = Decimal(1)
_CLIENT_ID_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that passed all checks, its intent, and the USD per share at which it reserves buying power."""

    request: OrderRequest
    reserve_price: Decimal
    intent: PositionIntent


def admit(request: OrderRequest, account: Account, market: Market, now: datetime) -> Admitted:
    """Check a new order and return it with its reserve price and intent.

    Raises:
        Refusal: for the first rule that the order breaks.
    """
    _check_client_id(request, account)
    _check_amounts(request)
    check_terms(request, now)
    _check_asset(request, account, market, now)
    quote = market.quote(request.symbol, now)
    if quote is None:
        raise _not_tradable(request.symbol)

    check_stop(request, quote)
    _check_wash_trade(request, account)
    reserve_price = _reserve_price(request, quote)
    qty = request.qty if request.qty is not None else shares_down((request.notional or ZERO) / reserve_price)
    intent = intent_of(request, account, qty)
    _check_holding(request, account, intent, qty)
    _check_cost(request, account, _opened(request, account, qty), reserve_price, prices_of(account, market, now))
    return Admitted(request, reserve_price, intent)


def prices_of(account: Account, market: Market, now: datetime) -> Mapping[str, Decimal]:
    """Return the price of every held symbol, USD per share; zero for a symbol without a price."""
    day = latest_opened(now).date
    return {symbol: price_of(position, market, day) or ZERO for symbol, position in account.positions.items()}


def price_of(position: Position, market: Market, day: date) -> Decimal | None:
    """Return the price of a position since the open of a day, USD per share; None when the broker knows none."""
    return market.close(position.symbol, day) if position.is_quoted else position.fixed_price


def _check_client_id(request: OrderRequest, account: Account) -> None:
    if request.client_order_id is None:
        return
    if len(request.client_order_id) > _CLIENT_ID_LENGTH:
        raise invalid(f"client_order_id must be no more than {_CLIENT_ID_LENGTH} characters")
    if account.orders.by_client_id(request.client_order_id) is not None:
        raise malformed("client_order_id must be unique")


def _check_amounts(request: OrderRequest) -> None:
    if request.qty is not None and request.notional is not None:
        raise malformed("only one of qty or notional is accepted")
    if request.qty is None and request.notional is None:
        raise malformed("qty is required")

    if request.qty is not None and (request.qty <= 0 or request.qty != request.qty.quantize(SHARE)):
        raise invalid("qty must be > 0 and limited to 9 decimal places")
    if request.notional is not None and (request.notional <= 0 or request.notional != to_cents(request.notional)):
        raise invalid("notional must be > 0 and limited to 2 decimal places")


def _check_asset(request: OrderRequest, account: Account, market: Market, now: datetime) -> None:
    if request.symbol not in market.assets:
        raise invalid(f"asset not found for {request.symbol}")
    if not market.is_tradable(request.symbol, now):
        raise _not_tradable(request.symbol)
    if request.is_fractional and request.symbol in account.whole_shares:
        raise forbidden(f'asset "{request.symbol}" is not fractionable')


def _not_tradable(symbol: str) -> Refusal:
    return invalid(f'asset "{symbol}" is not tradable')


def _check_wash_trade(request: OrderRequest, account: Account) -> None:
    for order in account.open_orders():
        if (
            not order.is_waiting
            and order.symbol == request.symbol
            and order.side is not request.side
            and _would_cross(order, request)
        ):
            raise forbidden(
                "potential wash trade detected. use complex orders",
                reject_reason=f"opposite side {order.type} order exists",
                existing_order_id=str(order.id),
            )


def _would_cross(order: Order, request: OrderRequest) -> bool:
    if order.limit_price is None or request.limit_price is None:
        return True
    bid, ask = order.limit_price, request.limit_price
    return bid >= ask if order.side is Side.BUY else ask >= bid


def _reserve_price(request: OrderRequest, quote: Quote) -> Decimal:
    if request.limit_price is not None:
        return request.limit_price
    touch = quote.ask if request.side is Side.BUY else quote.bid
    return max(touch or quote.last, request.stop_price or ZERO)


def _opened(request: OrderRequest, account: Account, qty: Decimal) -> Decimal:
    """Return the shares by which the order opens or enlarges a position; the rest closes one."""
    return max(qty - account.free_qty(request.symbol, request.side), ZERO)


def _check_holding(request: OrderRequest, account: Account, intent: PositionIntent, qty: Decimal) -> None:
    """Check that the shares which the order is to close are there and free, and that it may open a short."""
    opened = _opened(request, account, qty)
    if not opened or (request.side is Side.BUY and not intent.closes):
        return
    is_free_to_short = account.may_short and not intent.closes
    if is_free_to_short and (account.fractional_shorts or not request.is_fractional):
        return
    closable = account.closable_qty(request.symbol, request.side)
    if is_free_to_short or (not closable and not account.may_short):
        subject = "fractional orders are" if request.is_fractional else "account is"
        raise forbidden(f"{subject} not allowed to short")
    raise _insufficient_qty(request, account, qty)


def _check_cost(
    request: OrderRequest, account: Account, opened: Decimal, price: Decimal, prices: Mapping[str, Decimal]
) -> None:
    if not opened:
        return
    whole = request.notional if request.notional is not None else to_cents((request.qty or ZERO) * price)
    if request.is_fractional and whole < _MINIMUM_COST:
        raise forbidden(
            f"cost basis must be >= minimal amount of order {_MINIMUM_COST}", cost_basis=decimal_text(whole)
        )
    cost = min(whole, to_cents(opened * price)) if account.free_qty(request.symbol, request.side) else whole
    buying_power = account.buying_power(prices)
    if cost > buying_power:
        raise forbidden(
            "insufficient buying power", buying_power=decimal_text(buying_power), cost_basis=decimal_text(cost)
        )


def _insufficient_qty(request: OrderRequest, account: Account, qty: Decimal) -> Refusal:
    available = decimal_text(account.free_qty(request.symbol, request.side))
    return forbidden(
        f"insufficient qty available for order (requested: {decimal_text(qty)}, available: {available})",
        symbol=request.symbol,
        available=available,
        existing_qty=decimal_text(account.qty(request.symbol)),
        held_for_orders=decimal_text(account.held_qty(request.symbol, request.side)),
    )


def parse_order_id(text: str) -> UUID:
    """Read an order id from a path.

    Raises:
        Refusal: it is not a UUID.
    """
    try:
        return UUID(text)
    except ValueError:
        raise malformed("order_id is missing") from None
