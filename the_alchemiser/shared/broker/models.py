"""Values for what the broker reports: accounts, assets, positions, orders, quotes, trades and bars.

Money and prices are USD, quantities are shares; both are Decimal, and a quantity is signed only where its docstring
says so. Times are aware.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from the_alchemiser.shared.values import Side


class OrderType(StrEnum):
    """The two types of order that the product sends. Both are day orders."""

    MARKET = "market"
    LIMIT = "limit"


class OrderStatus(StrEnum):
    """Every order status that the broker documents."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DONE_FOR_DAY = "done_for_day"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    PENDING_REVIEW = "pending_review"
    ACCEPTED = "accepted"
    PENDING_NEW = "pending_new"
    ACCEPTED_FOR_BIDDING = "accepted_for_bidding"
    STOPPED = "stopped"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"
    HELD = "held"


_DONE = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.DONE_FOR_DAY,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REPLACED,
        OrderStatus.REJECTED,
    }
)


class Account(NamedTuple):
    """The current state of the account.

    Attributes:
        last_equity: equity at the close of the previous session.
        multiplier: 1 for a cash account, 2 or 4 for a margin account.
        trading_blocked: true when the broker or the owner blocked trading in any of the ways the broker has.
    """

    id: str
    status: str
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    buying_power: Decimal
    multiplier: Decimal
    trading_blocked: bool


class Asset(NamedTuple):
    """A symbol, and how it may be traded."""

    symbol: str
    name: str
    tradable: bool
    fractionable: bool


class Position(NamedTuple):
    """The shares held of one symbol.

    Attributes:
        quantity: negative for a short position.
        available: quantity without the shares that open orders reserve.
        last_close: close of the previous session; None when the broker does not report one.
    """

    symbol: str
    quantity: Decimal
    available: Decimal
    avg_entry_price: Decimal
    current_price: Decimal
    last_close: Decimal | None
    market_value: Decimal


class OrderRequest(NamedTuple):
    """A day order to submit.

    Attributes:
        client_order_id: makes submitting idempotent; the broker accepts each id once.
        limit_price: only for limit orders.
    """

    symbol: str
    side: Side
    quantity: Decimal
    type: OrderType
    client_order_id: str
    limit_price: Decimal | None = None


class Order(NamedTuple):
    """An order as the broker last reported it.

    Attributes:
        quantity: None for an order that was placed by notional instead of shares.
        filled_at: None until the order is completely filled.
    """

    id: str
    client_order_id: str
    symbol: str
    side: Side
    type: str
    status: OrderStatus
    quantity: Decimal | None
    filled_quantity: Decimal
    filled_avg_price: Decimal | None
    limit_price: Decimal | None
    submitted_at: datetime
    filled_at: datetime | None
    canceled_at: datetime | None

    @property
    def is_done(self) -> bool:
        """Return whether the order can get no more fills."""
        return self.status in _DONE


class Quote(NamedTuple):
    """The best bid and ask of a symbol; a side without an offer is 0."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime


class Trade(NamedTuple):
    """The last sale of a symbol."""

    symbol: str
    price: Decimal
    at: datetime


class Bar(NamedTuple):
    """Prices of one session, adjusted for splits and dividends up to the day of the request; volume in shares."""

    date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
