"""Orders, order requests and fills as values."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sandbox.exchange.money import ZERO, shares_down


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"


class OrderStatus(StrEnum):
    """The statuses that this exchange uses."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


OPEN_STATUSES = frozenset(
    {OrderStatus.PENDING_NEW, OrderStatus.ACCEPTED, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}
)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A client's request for an order of either `qty` shares or `notional` USD."""

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    client_order_id: str | None = None
    extended_hours: bool = False

    @property
    def is_fractional(self) -> bool:
        return self.qty is None or self.qty != self.qty.to_integral_value()


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        qty, notional: shares or USD; exactly one of them is set.
        reserve_price: USD per share at which an open buy reserves buying power.
        fill_fraction: how much of it may ever be filled; below 1 only for a planted fault.
        filled_value: USD of all fills, not rounded.
        replaced_by, replaces: the ids of the next and the previous order of a replacement.
    """

    id: UUID
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    extended_hours: bool
    reserve_price: Decimal
    status: OrderStatus
    submitted_at: datetime
    updated_at: datetime
    expires_at: datetime
    fill_fraction: Decimal = Decimal(1)
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: UUID | None = None
    replaces: UUID | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def filled_avg_price(self) -> Decimal | None:
        """Return the average price of all fills, USD per share with nine decimals; None without fills."""
        return None if not self.filled_qty else round(self.filled_value / self.filled_qty, 9)

    def total_qty(self, price: Decimal) -> Decimal:
        """Return the shares of the whole order; for a notional order they depend on the price."""
        return self.qty if self.qty is not None else shares_down((self.notional or ZERO) / price)

    @property
    def remaining_qty(self) -> Decimal:
        """Return the shares still to fill, at the reserve price for a notional order; zero once closed."""
        return max(self.total_qty(self.reserve_price) - self.filled_qty, ZERO) if self.is_open else ZERO

    @property
    def reserved_value(self) -> Decimal:
        """Return the USD that the open part of a buy reserves."""
        if self.side is Side.SELL or not self.is_open:
            return ZERO
        return self.remaining_qty * self.reserve_price


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; `cash` is the USD it moved, rounded to cents, negative for a buy."""

    id: str
    order_id: UUID
    at: datetime
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    order_status: OrderStatus
    cash: Decimal
