"""Values for what the broker reports: accounts, activities, assets, positions, orders, quotes, trades and bars.

Money and prices are USD, quantities are shares; both are Decimal, and a quantity is signed only where its docstring
says so. Times are aware.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Side

US_EQUITY = "us_equity"
"""The class of the assets that the product trades."""


class OrderType(StrEnum):
    """The two types of order that the product sends. Both are day orders."""

    MARKET = "market"
    LIMIT = "limit"


class OrderStatus(StrEnum):
    """Every order status that the broker documents, and UNKNOWN for one that it may add: such an order is not done."""

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
    UNKNOWN = "unknown"


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


class Account(Frozen):
    """The current state of the account.

    Attributes:
        last_equity: equity at the close of the previous session.
        multiplier: 1 for a cash account, 2 or 4 for a margin account.
        trading_blocked: true when the broker or the owner blocked trading in any of the ways the broker has.
        number: the account's number, as the broker shows it to its owner.
    """

    id: str
    status: str
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    buying_power: Decimal
    multiplier: Decimal
    trading_blocked: bool
    number: str = ""


class Asset(Frozen):
    """A symbol, and how it may be traded."""

    symbol: str
    name: str
    tradable: bool
    fractionable: bool


class Position(Frozen):
    """What the account holds of one symbol.

    Attributes:
        symbol: as the broker spells it; not every holding has the symbol of an equity, such as `628ESC012`.
        quantity: negative for a short position.
        available: quantity without the shares that open orders reserve.
        current_price, market_value: None when the broker has no price for the holding.
        last_close: close of the previous session; None when the broker does not report one.
        asset_class: `us_equity`, `crypto`, `us_option` or a later addition of the broker.
    """

    symbol: str
    quantity: Decimal
    available: Decimal
    avg_entry_price: Decimal
    current_price: Decimal | None
    last_close: Decimal | None
    market_value: Decimal | None
    asset_class: str = US_EQUITY


class OrderRequest(Frozen):
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


class Order(Frozen):
    """An order as the broker last reported it.

    Attributes:
        quantity: None for an order that was placed by notional instead of shares.
        filled_at: None until the order is completely filled.
        replaced_by: broker id of the order that took the place of a replaced one; later fills are that order's.
        raw_status: the status as the broker wrote it.
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
    replaced_by: str | None = None
    raw_status: str = ""

    @property
    def is_done(self) -> bool:
        """Return whether the order can get no more fills. A replaced order is done, but `replaced_by` may not be."""
        return self.status in _DONE


class Quote(Frozen):
    """The best bid and ask of a symbol; a side without an offer is 0."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime


class Trade(Frozen):
    """The last sale of a symbol."""

    symbol: str
    price: Decimal
    at: datetime


class Snapshot(Frozen):
    """The latest quote and the last sale of a symbol, None where the broker has none."""

    symbol: str
    quote: Quote | None
    trade: Trade | None


class Bar(Frozen):
    """Prices of one session, adjusted as the request said, as of the day of the request; volume in shares."""

    date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Activity(Frozen):
    """What moved the account's money or shares besides a trade: a deposit, a fee, a dividend, a split.

    Attributes:
        type: the broker's name of the type, such as CSD, FEE or DIV; it adds new ones without notice.
        booked_at: when it reached the account.
        net_amount: USD, negative when it left the account.
        quantity: shares that a dividend was paid for, or that a transfer or a split moved.
        price: USD per share of a transfer of shares; None when the broker does not report one.
        is_canceled: the broker took it back.
    """

    id: str
    type: str
    booked_at: datetime
    net_amount: Decimal
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    is_canceled: bool = False
