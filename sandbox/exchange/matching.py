"""Match orders with quotes: whether an order trades, at which price, how many shares, and what the fill changes."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from uuid import uuid5

from sandbox.exchange.account import Account
from sandbox.exchange.market import Quote
from sandbox.exchange.money import ZERO, shares_down, to_cents
from sandbox.exchange.orders import PLAIN, Fill, Order, OrderStatus, Side, TimeInForce
from sandbox.exchange.sessions import NEW_YORK

AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})
IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def fill_price(order: Order, quote: Quote) -> Decimal | None:
    """Return the price at which an order trades now, in USD per share; None when it rests.

    A market order pays the ask or gets the bid. A limit at or through the midpoint trades at its limit, but never at a
    worse price than a market order. Nothing trades in a halt, or against an empty side.
    """
    is_buy = order.side is Side.BUY
    touch = quote.ask if is_buy else quote.bid
    if quote.is_halted or not touch or (order.type.has_stop and not order.is_triggered):
        return None
    if order.limit_price is None:
        return touch

    # With one side empty the quote has no midpoint.
    mid = quote.mid if quote.bid and quote.ask else touch
    if is_buy:
        return min(order.limit_price, touch) if order.limit_price >= mid else None
    return max(order.limit_price, touch) if order.limit_price <= mid else None


def auction_price(order: Order, quote: Quote) -> Decimal | None:
    """Return the price at which an order trades in the opening or closing auction; None when it does not."""
    if quote.is_halted:
        return None
    limit, last = order.limit_price, quote.last
    if limit is None:
        return last
    return last if (limit >= last if order.side is Side.BUY else limit <= last) else None


def is_stop_met(order: Order, last: Decimal) -> bool:
    """Return whether the last price has reached the stop price of an order."""
    if order.stop_price is None:
        return False
    return last >= order.stop_price if order.side is Side.BUY else last <= order.stop_price


def fill_qty(order: Order, price: Decimal) -> Decimal:
    """Return the shares that trade now: all that remain, or the next planted part (whole shares stay whole)."""
    total = order.total_qty(price)
    if order.script is PLAIN:
        return max(total - order.filled_qty, ZERO)
    is_whole = total == total.to_integral_value()
    most = _cut(total * order.script.fill_fraction, is_whole=is_whole)
    part, left = _cut(most / order.script.parts, is_whole=is_whole), max(most - order.filled_qty, ZERO)
    is_last = order.filled_qty >= part * (order.script.parts - 1)
    return left if is_last else part


def next_part_at(order: Order, at: datetime) -> datetime | None:
    """Return the moment of the next planted part after a fill; None without planted parts."""
    return at + timedelta(seconds=order.script.every_s) if order.script.parts > 1 else order.starts_at


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
    if leaves and order.status in {OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE}:
        status = order.status
    after = replace(
        order,
        status=status,
        filled_qty=filled_qty,
        filled_value=filled_value,
        updated_at=at,
        filled_at=None if leaves else at,
        starts_at=next_part_at(order, at),
    )
    return account.put_order(after)


def _cut(qty: Decimal, *, is_whole: bool) -> Decimal:
    return qty.to_integral_value(ROUND_DOWN) if is_whole else shares_down(qty)
