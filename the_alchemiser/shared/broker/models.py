"""What the broker knows, as values: Decimal for money and shares, aware datetimes for time.

Prices and money are USD; quantities are shares, signed only where said.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from the_alchemiser.shared.messaging.messages import Side


class OrderType(StrEnum):
    """The two kinds of order the product sends; both are day orders."""

    MARKET = "market"
    LIMIT = "limit"


class OrderStatus(StrEnum):
    """Every status the broker documents."""

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
    """The account now. `multiplier` is 1 for a cash account, 2 or 4 with margin."""

    id: str
    status: str
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    buying_power: Decimal
    multiplier: Decimal
    trading_blocked: bool


class Clock(NamedTuple):
    """Business time: the only source of the trading date."""

    timestamp: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


class Session(NamedTuple):
    """One day of trading; open and close in America/New_York, half days included."""

    date: date
    open: datetime
    close: datetime


class Asset(NamedTuple):
    """What may be done with a symbol."""

    symbol: str
    name: str
    tradable: bool
    fractionable: bool


class Position(NamedTuple):
    """A holding; a short one has negative quantities. `available` excludes what open orders hold.

    `last_close` is the previous session's, None when the broker has none.
    """

    symbol: str
    quantity: Decimal
    available: Decimal
    avg_entry_price: Decimal
    current_price: Decimal
    last_close: Decimal | None
    market_value: Decimal


class OrderRequest(NamedTuple):
    """A day order. `client_order_id` makes the second attempt a no-op; `limit_price` belongs to limit orders only."""

    symbol: str
    side: Side
    quantity: Decimal
    type: OrderType
    client_order_id: str
    limit_price: Decimal | None = None


class Order(NamedTuple):
    """An order as the broker last told it. `filled_at` is None until it filled whole."""

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
        """Nothing more will fill."""
        return self.status in _DONE


class Quote(NamedTuple):
    """The best bid and ask; a side without an offer is 0."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime


class Trade(NamedTuple):
    """The last sale."""

    symbol: str
    price: Decimal
    at: datetime


class Bar(NamedTuple):
    """One session's prices, split- and dividend-adjusted as of the day they were asked for."""

    date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
