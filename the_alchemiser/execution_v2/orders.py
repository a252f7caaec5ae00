"""Following one order at the broker until it is done."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, NamedTuple, Protocol

from the_alchemiser.shared.broker.errors import BrokerUnavailableError, OrderNotCancelableError
from the_alchemiser.shared.broker.models import Order, OrderRequest, Quote, Trade
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.values import Clock


class OrderUnsettledError(AlchemiserError):
    """The broker has not confirmed that an order is done; no further order may be sent."""

    retryable: ClassVar[bool] = True


class Brokerage(Protocol):
    """The broker, as execution needs it. `submit` sends at most once; if its answer is lost, it looks the order up."""

    def clock(self) -> Clock: ...
    def latest_quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]: ...
    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]: ...
    def submit(self, request: OrderRequest) -> Order: ...
    def order_by_client_id(self, client_order_id: str) -> Order | None: ...
    def order(self, order_id: str) -> Order: ...
    def cancel(self, order_id: str) -> None: ...


class Stopwatch(NamedTuple):
    """Wall-clock durations; has nothing to do with business time."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Timing(NamedTuple):
    """Durations in seconds.

    Attributes:
        total_s: the whole work on a trade.
        limit_wait_s, market_wait_s: how long an order of that type may rest.
        cancel_s: how long to wait for a cancellation to be confirmed.
        poll_s: between two requests for the state of an order.
    """

    total_s: float = 60.0
    limit_wait_s: float = 10.0
    market_wait_s: float = 20.0
    cancel_s: float = 10.0
    poll_s: float = 0.25

    @classmethod
    def within(cls, total_s: float) -> "Timing":
        """Return the default proportions for another total: both waits and both cancellations fit in it."""
        return cls(
            total_s=total_s,
            limit_wait_s=total_s / 6,
            market_wait_s=total_s / 3,
            cancel_s=total_s / 6,
            poll_s=total_s / 240,
        )


class OrderDesk(NamedTuple):
    """Follows orders until nothing more will fill."""

    broker: Brokerage
    timing: Timing
    watch: Stopwatch

    def settle(self, order: Order, until: float) -> Order:
        """Wait for the order until then, a time of the stopwatch; cancel it if it still rests.

        Returns:
            The order, done, with its final fills.

        Raises:
            OrderUnsettledError: the cancellation is not confirmed in time.
        """
        order = self._wait(order, until)

        give_up_at = self.watch.monotonic() + self.timing.cancel_s
        while not order.is_done and self.watch.monotonic() < give_up_at:
            self._request_cancellation(order)
            order = self._wait(order, self.watch.monotonic() + self.timing.cancel_s / 5)

        # An order that may still fill must never be counted as settled: the next step would trade its shares again.
        if not order.is_done:
            raise OrderUnsettledError(f"order {order.client_order_id} is still {order.status} after a cancellation")
        return order

    def _wait(self, order: Order, until: float) -> Order:
        """Poll until the order is done or the time is over; at least once, unless it is known to be done."""
        if not order.is_done:
            order = self.broker.order(order.id)
        while not order.is_done and self.watch.monotonic() < until:
            self.watch.sleep(self.timing.poll_s)
            order = self.broker.order(order.id)
        return order

    def _request_cancellation(self, order: Order) -> None:
        try:
            self.broker.cancel(order.id)
        except (OrderNotCancelableError, BrokerUnavailableError):
            # The order has filled, is already being cancelled, or the answer was lost. The next poll says which.
            return
