"""Match orders with quotes: whether an order trades, at which price, how many shares, and what the fill changes."""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from uuid import uuid5

from sandbox.exchange.account import Account
from sandbox.exchange.market import Quote
from sandbox.exchange.money import ZERO, shares_down, to_cents
from sandbox.exchange.orders import Fill, Order, OrderStatus, OrderType, Side
from sandbox.exchange.sessions import NEW_YORK


def fill_price(order: Order, quote: Quote) -> Decimal | None:
    """Return the price at which an order trades now, in USD per share; None when it rests.

    A market order pays the ask or gets the bid. A limit at or through the midpoint trades at its limit, but never at a
    worse price than a market order.
    """
    is_buy = order.side is Side.BUY
    touch = quote.ask if is_buy else quote.bid
    if order.type is OrderType.MARKET or order.limit_price is None:
        return touch
    if is_buy:
        return min(order.limit_price, touch) if order.limit_price >= quote.mid else None
    return max(order.limit_price, touch) if order.limit_price <= quote.mid else None


def fill_qty(order: Order, price: Decimal) -> Decimal:
    """Return the shares that trade now: all that remain, or up to the planted fraction (whole shares stay whole)."""
    total = order.total_qty(price)
    if order.fill_fraction < 1:
        part = total * order.fill_fraction
        total = part.to_integral_value(ROUND_DOWN) if total == total.to_integral_value() else shares_down(part)
    return max(total - order.filled_qty, ZERO)


def execute(account: Account, order: Order, *, qty: Decimal, price: Decimal, at: datetime) -> Order:
    """Book one execution of an order and return the order after it.

    Cash moves by the difference of the order's rounded totals, so that over all its fills an order is rounded once.
    """
    filled_qty, filled_value = order.filled_qty + qty, order.filled_value + qty * price
    leaves = max(order.total_qty(price) - filled_qty, ZERO)
    status = OrderStatus.PARTIALLY_FILLED if leaves else OrderStatus.FILLED
    moved = to_cents(filled_value) - to_cents(order.filled_value)

    fill = Fill(
        id=f"{at.astimezone(NEW_YORK):%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{uuid5(order.id, str(filled_qty))}",
        order_id=order.id,
        at=at,
        symbol=order.symbol,
        side=order.side,
        qty=qty,
        price=price,
        cum_qty=filled_qty,
        leaves_qty=leaves,
        order_status=status,
        cash=-moved if order.side is Side.BUY else moved,
    )

    account.book_fill(fill)
    after = replace(order, status=status, filled_qty=filled_qty, filled_value=filled_value, updated_at=at)
    return account.put_order(after if leaves else replace(after, filled_at=at))
