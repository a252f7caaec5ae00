"""One order at the broker, from its deterministic id to its last fill."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, NamedTuple, Protocol

from the_alchemiser.shared.broker.errors import BrokerUnavailableError, OrderNotCancelableError
from the_alchemiser.shared.broker.models import Clock, Order, OrderRequest, Quote, Trade
from the_alchemiser.shared.errors import AlchemiserError


class OrderUnsettledError(AlchemiserError):
    """The broker has not confirmed that an order is done; nothing further may be sent."""

    retryable: ClassVar[bool] = True


class Brokerage(Protocol):
    """What execution needs of the broker. `submit` sends at most once and settles a lost answer by look-up."""

    def clock(self) -> Clock: ...
    def latest_quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]: ...
    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]: ...
    def submit(self, request: OrderRequest) -> Order: ...
    def order_by_client_id(self, client_order_id: str) -> Order | None: ...
    def order(self, order_id: str) -> Order: ...
    def cancel(self, order_id: str) -> None: ...


class Stopwatch(NamedTuple):
    """Wall-clock durations; nothing of business time."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Timing(NamedTuple):
    """Seconds: the whole work on a trade, the wait for each kind of order, for a cancellation, between two looks."""

    total_s: float = 60.0
    limit_wait_s: float = 10.0
    market_wait_s: float = 20.0
    cancel_s: float = 10.0
    poll_s: float = 0.25

    @classmethod
    def within(cls, total_s: float) -> "Timing":
        """The same proportions for another total: both waits and both cancellations fit in it."""
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
        """Wait for the order until then, by the stopwatch; cancel it if it is still open.

        Returns:
            The order, done, with its final fills.

        Raises:
            OrderUnsettledError: the cancellation is not confirmed in time.
        """
        order = self._wait(order, until)
        give_up_at = self.watch.monotonic() + self.timing.cancel_s
        while not order.is_done and self.watch.monotonic() < give_up_at:
            self._ask_to_cancel(order)
            order = self._wait(order, self.watch.monotonic() + self.timing.cancel_s / 5)
        if not order.is_done:
            raise OrderUnsettledError(f"order {order.client_order_id} is still {order.status} after a cancellation")
        return order

    def _wait(self, order: Order, until: float) -> Order:
        """Look at least once, unless the order is known to be done."""
        if not order.is_done:
            order = self.broker.order(order.id)
        while not order.is_done and self.watch.monotonic() < until:
            self.watch.sleep(self.timing.poll_s)
            order = self.broker.order(order.id)
        return order

    def _ask_to_cancel(self, order: Order) -> None:
        try:
            self.broker.cancel(order.id)
        except (OrderNotCancelableError, BrokerUnavailableError):
            # Filled meanwhile, already being cancelled, or the answer got lost: looking again tells which.
            return
