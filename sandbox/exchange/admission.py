"""Admit or refuse orders: all checks of a new or replacing order, in the order in which the broker makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sandbox.exchange.account import Account
from sandbox.exchange.market import Market, Quote
from sandbox.exchange.money import SHARE, ZERO, decimal_text, shares_down, tick_size, to_cents
from sandbox.exchange.orders import Order, OrderRequest, OrderType, Side, TimeInForce
from sandbox.exchange.refusals import Refusal, forbidden, invalid, malformed

_MINIMUM_COST = Decimal(1)
_CLIENT_ID_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that passed all checks, and the USD per share at which it reserves buying power."""

    request: OrderRequest
    reserve_price: Decimal


def admit(request: OrderRequest, account: Account, market: Market, now: datetime) -> Admitted:
    """Check a new order and return it with its reserve price.

    Raises:
        Refusal: for the first rule that the order breaks.
    """
    _check_client_id(request, account)
    _check_amounts(request)
    _check_asset(request, account, market, now)
    quote = market.quote(request.symbol, now)
    if quote is None:
        raise _not_tradable(request.symbol)

    _check_wash_trade(request, account)
    reserve_price = _reserve_price(request, quote)
    if request.side is Side.BUY:
        _check_cost(request, account, reserve_price, prices_of(account, market, now))
    else:
        _check_holding(request, account, reserve_price)

    return Admitted(request, reserve_price)


def prices_of(account: Account, market: Market, now: datetime) -> Mapping[str, Decimal]:
    """Return the price of every held symbol, USD per share; zero for a symbol without a price."""
    return {symbol: market.price(symbol, now) or ZERO for symbol in account.positions}


def _check_client_id(request: OrderRequest, account: Account) -> None:
    if request.client_order_id is None:
        return
    if len(request.client_order_id) > _CLIENT_ID_LENGTH:
        raise invalid(f"client_order_id must be no more than {_CLIENT_ID_LENGTH} characters")
    if account.order_by_client_id(request.client_order_id) is not None:
        raise malformed("client_order_id must be unique")


def _check_amounts(request: OrderRequest) -> None:
    if request.qty is not None and request.notional is not None:
        raise malformed("only one of qty or notional is accepted")
    if request.qty is None and request.notional is None:
        raise malformed("qty is required")

    _check_qty(request.qty)
    if request.notional is not None and (request.notional <= 0 or request.notional != to_cents(request.notional)):
        raise invalid("notional must be > 0 and limited to 2 decimal places")
    if request.is_fractional and request.time_in_force is not TimeInForce.DAY:
        raise invalid("fractional orders must be DAY orders")
    if request.extended_hours and (request.type, request.time_in_force) != (OrderType.LIMIT, TimeInForce.DAY):
        raise invalid("extended hours order must be DAY limit orders")

    _check_limit(request.type, request.limit_price)


def _check_qty(qty: Decimal | None) -> None:
    if qty is not None and (qty <= 0 or qty != qty.quantize(SHARE)):
        raise invalid("qty must be > 0 and limited to 9 decimal places")


def _check_limit(kind: OrderType, limit_price: Decimal | None) -> None:
    if kind is OrderType.MARKET:
        if limit_price is not None:
            raise malformed("market orders require no limit price")
        return
    if limit_price is None or limit_price <= 0:
        raise malformed("limit orders require a limit price > 0")
    if limit_price % tick_size(limit_price):
        raise invalid(
            f"invalid limit_price {decimal_text(limit_price)}. "
            "sub-penny increment does not fulfill minimum pricing criteria"
        )


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
        if order.symbol == request.symbol and order.side is not request.side and _would_cross(order, request):
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
    return quote.ask if request.side is Side.BUY else quote.bid


def _check_cost(request: OrderRequest, account: Account, price: Decimal, prices: Mapping[str, Decimal]) -> None:
    cost = request.notional if request.notional is not None else to_cents((request.qty or ZERO) * price)
    if request.is_fractional and cost < _MINIMUM_COST:
        raise forbidden(f"cost basis must be >= minimal amount of order {_MINIMUM_COST}", cost_basis=decimal_text(cost))
    buying_power = account.buying_power(prices)
    if cost > buying_power:
        raise forbidden(
            "insufficient buying power", buying_power=decimal_text(buying_power), cost_basis=decimal_text(cost)
        )


def _check_holding(request: OrderRequest, account: Account, price: Decimal) -> None:
    held, reserved = account.qty(request.symbol), account.held_qty(request.symbol)
    if not held:
        subject = "fractional orders are" if request.is_fractional else "account is"
        raise forbidden(f"{subject} not allowed to short")

    requested = request.qty if request.qty is not None else shares_down((request.notional or ZERO) / price)
    if requested > held - reserved:
        raise _insufficient_qty(request.symbol, requested, held=held, reserved=reserved)


def _insufficient_qty(symbol: str, requested: Decimal, *, held: Decimal, reserved: Decimal) -> Refusal:
    available = decimal_text(held - reserved)
    return forbidden(
        f"insufficient qty available for order (requested: {decimal_text(requested)}, available: {available})",
        symbol=symbol,
        available=available,
        existing_qty=decimal_text(held),
        held_for_orders=decimal_text(reserved),
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
