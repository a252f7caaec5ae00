"""Orders, order requests and fills as values."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
    STOP = "stop"
    STOP_LIMIT = "stop_limit"

    @property
    def has_limit(self) -> bool:
        return self in {OrderType.LIMIT, OrderType.STOP_LIMIT}

    @property
    def has_stop(self) -> bool:
        return self in {OrderType.STOP, OrderType.STOP_LIMIT}


class TimeInForce(StrEnum):
    """DAY and GTC rest; OPG and CLS trade in an auction only; IOC and FOK trade at once or not at all."""

    DAY = "day"
    GTC = "gtc"
    OPG = "opg"
    CLS = "cls"
    IOC = "ioc"
    FOK = "fok"


class PositionIntent(StrEnum):
    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"

    @property
    def side(self) -> Side:
        return Side(self.value.partition("_")[0])

    @property
    def closes(self) -> bool:
        return self in {PositionIntent.BUY_TO_CLOSE, PositionIntent.SELL_TO_CLOSE}


class OrderStatus(StrEnum):
    """The statuses that this exchange uses."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    DONE_FOR_DAY = "done_for_day"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


FINAL_STATUSES = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REPLACED, OrderStatus.REJECTED}
)


@dataclass(frozen=True, slots=True)
class Script:
    """What planted faults do with one order; the default does nothing unusual. Seconds are exchange time.

    Attributes:
        fill_fraction: how much of the order may ever be filled.
        parts, every_s: the order fills in so many parts of equal size, so many seconds apart.
        delay_s: nothing happens to the order for so long; `held` says whether its status is then `held`.
        is_rejected: the order is rejected after the delay.
        is_done_for_day: the order is done for the day once it has filled its fraction.
        alias, alias_s: a status name that is reported instead of the real one, for so long.
    """

    fill_fraction: Decimal = Decimal(1)
    parts: int = 1
    every_s: float = 0.0
    delay_s: float = 0.0
    held: bool = False
    is_rejected: bool = False
    is_done_for_day: bool = False
    alias: str | None = None
    alias_s: float = 0.0


PLAIN = Script()


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
    stop_price: Decimal | None = None
    position_intent: PositionIntent | None = None

    @property
    def is_fractional(self) -> bool:
        return self.qty is None or self.qty != self.qty.to_integral_value()


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        qty, notional: shares or USD; exactly one of them is set.
        reserve_price: USD per share at which an open order that opens a position reserves buying power.
        is_triggered: whether a stop order has met its stop price.
        script: what planted faults do with it.
        starts_at: the order does not trade before this moment.
        ends_at, ends_as: an open order gets this final status at this moment.
        filled_value: USD of all fills, not rounded.
        replaced_by, replaces: the ids of the next and the previous order of a replacement.
        is_waiting: whether it is a replacement that waits for its predecessor to close; it then reserves nothing.
        replaced_qty: what the predecessor had filled when the replacement was asked for.
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
    position_intent: PositionIntent = PositionIntent.BUY_TO_OPEN
    stop_price: Decimal | None = None
    is_triggered: bool = False
    script: Script = PLAIN
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ends_as: OrderStatus = OrderStatus.CANCELED
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: UUID | None = None
    replaces: UUID | None = None
    is_waiting: bool = False
    replaced_qty: Decimal = ZERO

    @property
    def is_open(self) -> bool:
        return self.status not in FINAL_STATUSES

    @property
    def filled_avg_price(self) -> Decimal | None:
        """Return the average price of all fills, USD per share with nine decimals; None without fills."""
        return None if not self.filled_qty else round(self.filled_value / self.filled_qty, 9)

    def total_qty(self, price: Decimal) -> Decimal:
        """Return the shares of the whole order; for a notional order they depend on the price."""
        return self.qty if self.qty is not None else shares_down((self.notional or ZERO) / price)

    @property
    def remaining_qty(self) -> Decimal:
        """Return the shares still to fill, at the reserve price for a notional order; zero once closed, or waiting."""
        if not self.is_open or self.is_waiting:
            return ZERO
        return max(self.total_qty(self.reserve_price) - self.filled_qty, ZERO)

    def finished(self, status: OrderStatus, at: datetime) -> "Order":
        """Return the order with a final status other than filled, and the time stamp that goes with it."""
        return replace(
            self,
            status=status,
            updated_at=at,
            canceled_at=at if status is OrderStatus.CANCELED else None,
            expired_at=at if status is OrderStatus.EXPIRED else None,
            failed_at=at if status is OrderStatus.REJECTED else None,
            replaced_at=at if status is OrderStatus.REPLACED else None,
        )

    def reported_status(self, now: datetime) -> str:
        """Return the status that the API reports: the planted name while it lasts, otherwise the real one."""
        script = self.script
        if script.alias is not None and now < self.submitted_at + timedelta(seconds=script.alias_s):
            return script.alias
        return self.status


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
