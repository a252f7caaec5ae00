"""The open orders of an account: which of them a run has sent, and how to cancel those. Nobody else's is touched."""

import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.models import Order, OrderStatus
from the_alchemiser.shared.broker.transport import Timeouts

# The broker ends an order of a person after 90 days; ours live for a day.
LOOK_BACK = timedelta(days=120)
# An order that had passed the kill switch when it was set reaches the broker within the time-out of its request.
ON_ITS_WAY_S = Timeouts().connect_s + Timeouts().read_s
POLL_S = 0.5
LONGEST_S = 60.0
_NO_SHARES = Decimal(0)


class OrderBook(Protocol):
    """The calls to the broker about orders; broker.client.Broker is the real one."""

    def orders(self, *, after: datetime, status: Literal["open", "closed", "all"] = "all") -> tuple[Order, ...]:
        """Return the orders that were submitted after a moment."""
        ...

    def order(self, order_id: str) -> Order:
        """Return one order."""
        ...

    def cancel(self, order_id: str) -> None:
        """Request a cancellation."""
        ...


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Monotonic time in seconds, and how to wait."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


def this_clock() -> Stopwatch:
    """Return the stopwatch of this machine."""
    return Stopwatch(time.monotonic, time.sleep)


@dataclass(frozen=True, slots=True)
class CancelledOrder:
    """An order of a run that this command has asked the broker to cancel.

    Attributes:
        final: the order as the broker shows it afterwards; it may still be open, or have filled.
        filled_before: shares that had filled when it was first listed.
    """

    final: Order
    filled_before: Decimal

    @property
    def filled_meanwhile(self) -> Decimal:
        """Return the shares that filled after it was first listed."""
        return self.final.filled_quantity - self.filled_before


def run_of(order: Order, stage: str) -> str:
    """Return the id of the run that has sent an order: `<stage>-<date>[-r<n>]`; empty for anybody else's order."""
    ours = re.fullmatch(
        rf"({re.escape(stage)}-\d{{4}}-\d\d-\d\d(?:-r\d+)?)-(?:BUY|SELL)-[A-Z0-9.]+-\d+", order.client_order_id
    )
    return ours[1] if ours else ""


def of_runs(orders: Iterable[Order], stage: str) -> tuple[Order, ...]:
    """Return the orders that a run of this stage has sent."""
    return tuple(order for order in orders if run_of(order, stage))


def open_orders(broker: OrderBook, now: datetime) -> tuple[Order, ...]:
    """Return every open order of the account; `now` is the broker's time."""
    return broker.orders(after=now - LOOK_BACK, status="open")


def cancel_orders_of_runs(
    broker: OrderBook, stage: str, *, now: datetime, wall: Stopwatch, on_its_way_s: float = ON_ITS_WAY_S
) -> tuple[CancelledOrder, ...]:
    """Cancel the open orders of runs, until none is left; call it only while trading is paused.

    A cancellation counts only when the broker no longer lists the order as open, whatever it has answered. Orders are
    listed once more after `on_its_way_s`, the longest that one may have been on its way when trading was paused.

    Args:
        now: the broker's time.

    Returns:
        The orders in the order of their submission; one that is still open after a minute is among them.

    Raises:
        BrokerError: the broker does not list its orders.
    """
    started = wall.now()
    first_seen: dict[str, Order] = {}
    while True:
        elapsed_s = wall.now() - started
        left = of_runs(open_orders(broker, now), stage)
        first_seen = {order.id: order for order in left} | first_seen
        if (not left and elapsed_s >= on_its_way_s) or elapsed_s >= LONGEST_S:
            break
        _cancel(broker, left)
        wall.sleep(POLL_S)

    finals = [CancelledOrder(broker.order(order.id), order.filled_quantity) for order in first_seen.values()]
    return tuple(sorted(finals, key=lambda cancelled: cancelled.final.submitted_at))


def _cancel(broker: OrderBook, orders: Iterable[Order]) -> None:
    for order in orders:
        if order.status is not OrderStatus.PENDING_CANCEL:
            # Filled, already cancelled, or the answer was lost: the next listing says which, so no error ends the loop.
            with suppress(BrokerError):
                broker.cancel(order.id)
