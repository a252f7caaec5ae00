"""The broker as execution uses it: calls are counted, and one over the rate limit waits for the next minute."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import ClassVar, Protocol

from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.broker.errors import RateLimitedError
from the_alchemiser.shared.broker.models import Order, OrderRequest, Position, Snapshot
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Clock

CALLS_PER_ATTEMPT = 16


class AttemptEndedError(AlchemiserError):
    """The attempt has no calls or no time left, and the trade is not finished; the next attempt continues it."""

    retryable: ClassVar[bool] = True


class Brokerage(Protocol):
    """The broker, as execution needs it. `submit` sends at most once; if its answer is lost, it looks the order up."""

    @property
    def allowance(self) -> int | None: ...
    def clock(self) -> Clock: ...
    def position(self, symbol: str) -> Position | None: ...
    def snapshots(self, symbols: Iterable[str]) -> Mapping[str, Snapshot]: ...
    def submit(self, request: OrderRequest) -> Order: ...
    def orders(self, *, after: datetime, symbols: Iterable[str] = ()) -> tuple[Order, ...]: ...
    def order(self, order_id: str) -> Order: ...
    def cancel(self, order_id: str) -> None: ...


class Stopwatch(Frozen):
    """Wall-clock durations; has nothing to do with business time."""

    monotonic: Callable[[], float] = wall_clock.monotonic
    sleep: Callable[[float], None] = wall_clock.sleep


class CountedBroker:
    """The broker for one attempt at one trade.

    The account has 200 requests a minute for all trades of a phase, so an attempt has a number of calls. Reads and
    cancellations that are over the rate limit wait for the next minute, as long as that begins before the deadline. An
    order does not wait here: whatever was checked before it must be checked again.

    Every call raises AttemptEndedError when none is left.
    """

    def __init__(self, broker: Brokerage, watch: Stopwatch, *, deadline: float) -> None:
        self._broker = broker
        self._watch = watch
        self._deadline = deadline
        self.left = CALLS_PER_ATTEMPT

    @property
    def allowance(self) -> int | None:
        """Return how many requests the account's programs have left in this minute; None when that is not known."""
        return self._broker.allowance

    def clock(self) -> Clock:
        """Return the broker's clock."""
        return self._patiently(self._broker.clock)

    def position(self, symbol: str) -> Position | None:
        """Return the shares held; None when there are none."""
        return self._patiently(lambda: self._broker.position(symbol))

    def snapshot(self, symbol: str) -> Snapshot | None:
        """Return the latest quote and the last sale; None when the broker has neither."""
        return self._patiently(lambda: self._broker.snapshots([symbol])).get(symbol)

    def orders(self, symbol: str, *, after: datetime) -> tuple[Order, ...]:
        """Return the symbol's orders, ours and others."""
        return self._patiently(lambda: self._broker.orders(after=after, symbols=[symbol]))

    def order(self, order_id: str) -> Order:
        """Return one order."""
        return self._patiently(lambda: self._broker.order(order_id))

    def cancel(self, order_id: str) -> None:
        """Request a cancellation."""
        self._patiently(lambda: self._broker.cancel(order_id))

    def submit(self, request: OrderRequest) -> Order:
        """Send an order once."""
        self._count()
        return self._broker.submit(request)

    def wait_for_allowance(self, error: RateLimitedError) -> None:
        """Wait until the broker accepts requests again.

        Raises:
            RateLimitedError: `error` itself, when that is not known or not before the deadline.
        """
        if error.retry_after_s is None or self._watch.monotonic() + error.retry_after_s > self._deadline:
            raise error
        self._watch.sleep(error.retry_after_s)

    def _patiently[Answer](self, call: Callable[[], Answer]) -> Answer:
        while True:
            self._count()
            try:
                return call()
            except RateLimitedError as error:
                self.wait_for_allowance(error)

    def _count(self) -> None:
        if self.left == 0:
            raise AttemptEndedError(f"{CALLS_PER_ATTEMPT} calls to the broker were not enough to finish the trade")
        self.left -= 1
