"""Following one order at the broker until it is final."""

from itertools import count
from typing import ClassVar

from the_alchemiser.execution_v2.calls import CountedBroker, Stopwatch
from the_alchemiser.shared.broker.errors import BrokerUnavailableError, OrderNotCancelableError
from the_alchemiser.shared.broker.models import Order, OrderStatus
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.records import Frozen

_CALLS_TO_CANCEL = 2  # the request, and the look that confirms it


class OrderUnsettledError(AlchemiserError):
    """The broker has not confirmed that an order is done; no further order may be sent."""

    retryable: ClassVar[bool] = True


class Timing(Frozen):
    """Durations in seconds. Calls that wait for the rate limit take their time from `total_s`, so steps are skipped.

    Attributes:
        total_s: the whole work on a trade.
        rest_s: how long an order may rest before it is cancelled.
        confirm_s: what a cancellation and its confirmation take as a rule.
        soon_s: from an order to the first look at it; each further pause is twice as long.
    """

    total_s: float = 60.0
    rest_s: float = 7.5
    confirm_s: float = 3.0
    soon_s: float = 0.5

    @classmethod
    def within(cls, total_s: float) -> "Timing":
        """Return the default proportions for another total: four orders and their cancellations fit in it."""
        return cls(total_s=total_s, rest_s=total_s / 8, confirm_s=total_s / 20, soon_s=total_s / 120)


class OrderDesk:
    """Follows orders until nothing more will fill.

    Attributes:
        confirmation: calls that the slowest cancellation so far took until it was confirmed.
    """

    def __init__(self, broker: CountedBroker, timing: Timing, watch: Stopwatch, *, deadline: float) -> None:
        """`deadline` is a time of the stopwatch."""
        self.confirmation = 1
        self._broker = broker
        self._timing = timing
        self._watch = watch
        self._deadline = deadline

    def settle(self, order: Order, *, until: float, looks: int) -> tuple[Order, ...]:
        """Wait for the order, cancel it if it still rests, and do the same with every order that replaced it.

        Args:
            until: a time of the stopwatch, when waiting ends.
            looks: how many calls may look at the order before it is cancelled.

        Returns:
            The order and its successors, all final, with their final fills.

        Raises:
            OrderUnsettledError: the broker does not confirm in time that an order is final.
            AttemptEndedError: no calls are left to ask it.
        """
        final: list[Order] = []
        following: Order | None = order
        while following is not None:
            settled = self._settle_one(following, until=until, looks=looks)
            final.append(settled)
            following = self._successor(settled)
        return tuple(final)

    def _settle_one(self, order: Order, *, until: float, looks: int) -> Order:
        order = self._wait(order, until=until, looks=looks)
        return order if order.is_done else self._cancel(order)

    def _successor(self, order: Order) -> Order | None:
        """Return the order that somebody put in this one's place: its shares are this trade's too."""
        if order.status is not OrderStatus.REPLACED:
            return None
        if order.replaced_by is None:
            raise OrderUnsettledError(f"order {order.client_order_id} was replaced; by which order is not known yet")
        return self._broker.order(order.replaced_by)

    def _wait(self, order: Order, *, until: float, looks: int) -> Order:
        pause_s = self._timing.soon_s
        while not order.is_done:
            left_s = until - self._watch.monotonic()
            if left_s <= 0:
                break
            # After the last look the order rests for all of its time: the cancellation tells what it filled by then.
            self._watch.sleep(min(pause_s, left_s) if looks > 0 else left_s)
            if looks > 0:
                order = self._broker.order(order.id)
            looks -= 1
            pause_s *= 2
        return order

    def _cancel(self, order: Order) -> Order:
        give_up_at = max(self._deadline, self._watch.monotonic() + self._timing.confirm_s)
        pause_s = self._timing.soon_s

        for looks in count(1):
            if order.status is not OrderStatus.PENDING_CANCEL:
                self._request_cancellation(order)
            # No answer to a cancellation says whether the order has filled: only the order itself does.
            order = self._broker.order(order.id)
            self.confirmation = max(self.confirmation, looks)
            if order.is_done:
                break

            # An order that may still fill must never be counted as settled: the next step would trade its shares again.
            if self._watch.monotonic() + pause_s > give_up_at or self._broker.left < _CALLS_TO_CANCEL:
                raise OrderUnsettledError(
                    f"order {order.client_order_id} is still {_status(order)} after a cancellation"
                )
            self._watch.sleep(pause_s)
            pause_s *= 2
        return order

    def _request_cancellation(self, order: Order) -> None:
        try:
            self._broker.cancel(order.id)
        except (OrderNotCancelableError, BrokerUnavailableError):
            # The order has filled, is already being cancelled, or the answer was lost. The next look says which.
            return


def _status(order: Order) -> str:
    return order.raw_status or order.status.value
