"""One attempt at a trade: its means, and the trade's orders so far. Everything else is read from the broker again."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal

from the_alchemiser.execution_v2.calls import CountedBroker, Stopwatch
from the_alchemiser.execution_v2.orders import OrderDesk, OrderUnsettledError, Timing
from the_alchemiser.execution_v2.walk import Means
from the_alchemiser.shared.broker.models import Order, OrderStatus, OrderType
from the_alchemiser.shared.exchange_time import market_date, new_york
from the_alchemiser.shared.formats import shares
from the_alchemiser.shared.ledger.order_entries import orders_by_step
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.values import Clock, Refusal

NOT_FILLED = "not_filled"
OnSettled = Callable[[tuple[Order, ...]], None]
_ZERO = Decimal(0)


class Attempt:
    """The state of one attempt.

    Attributes:
        orders: every order of the trade that is final, by step, successors behind the orders that they replaced.
        steps: how many steps have been sent. The next order is step `steps + 1`, whatever its type: two attempts that
            work at the same time ask for the same client order id, and the broker accepts it once.
    """

    def __init__(
        self,
        trade: TradeRequested,
        on_settled: OnSettled,
        *,
        broker: CountedBroker,
        timing: Timing,
        watch: Stopwatch,
        deadline: float,
    ) -> None:
        self.trade = trade
        self.broker = broker
        self.orders: tuple[Order, ...] = ()
        self.steps = 0
        self._on_settled = on_settled
        self._watch = watch
        self._deadline = deadline
        self._desk = OrderDesk(broker, timing, watch, deadline=deadline)
        self._clock: tuple[Clock, float] | None = None

    @property
    def filled(self) -> Decimal:
        """Return the shares that the final orders have filled."""
        return sum((order.filled_quantity for order in self.orders), _ZERO)

    @property
    def remaining(self) -> Decimal:
        """Return the shares that no order has filled."""
        return self.trade.quantity - self.filled

    @property
    def means(self) -> Means:
        """Return what is left for the rest of the trade."""
        return Means(
            calls=self.broker.left,
            time_s=self._deadline - self._watch.monotonic(),
            allowance=self.broker.allowance,
            confirmation=self._desk.confirmation,
        )

    def clock(self) -> Clock:
        """Return the broker's clock now: read once, then advanced by the stopwatch.

        The time is counted from before the request, so the result is never earlier than the broker's own clock.
        """
        if self._clock is None:
            started = self._watch.monotonic()
            self._clock = self.broker.clock(), started
        clock, started = self._clock
        return clock.changed(timestamp=clock.timestamp + timedelta(seconds=self._watch.monotonic() - started))

    def resume(self) -> None:
        """Look up what earlier attempts sent, cancel what still rests, and note the fills.

        Raises:
            OrderUnsettledError: an order is not final yet, or the list has gaps.
        """
        listed = self.broker.orders(self.trade.symbol, after=_day_of(self.trade.occurred_at))
        sent = orders_by_step(self.trade.trade_id, listed)
        if tuple(sent) != tuple(range(1, len(sent) + 1)):
            raise OrderUnsettledError(f"the broker lists the steps {tuple(sent)} of {self.trade.trade_id} only")

        # At most the last of them can rest: a step is sent when the one before it is final.
        for order in sent.values():
            self.settle(order, rest_s=0, looks=0)

    def settle(self, order: Order, *, rest_s: float, looks: int) -> None:
        """Follow the order of the next step until it is final, and note its fills."""
        final = self._desk.settle(order, until=self._watch.monotonic() + rest_s, looks=looks)
        self.steps += 1
        self.orders += final
        self._on_settled(self.orders)

    def stop(self) -> Refusal | None:
        """Return why no further order may be sent, whatever the market does."""
        if any(order.status is OrderStatus.REPLACED for order in self.orders):
            detail = f"an order was changed by hand; {shares(self.remaining)} shares of the trade did not fill"
            return Refusal(reason="replaced_by_owner", detail=detail)

        last = self.orders[-1] if self.orders else None
        if last is not None and last.status is OrderStatus.REJECTED:
            detail = f"the broker rejected {last.client_order_id} after accepting it"
            return Refusal(reason="order_rejected", detail=detail)
        if last is not None and last.type == OrderType.MARKET:
            return Refusal(reason=NOT_FILLED, detail=f"{shares(self.remaining)} shares did not fill in time")
        return None


def _day_of(moment: datetime) -> datetime:
    """Return the start of the trading day: no order of the trade is older."""
    return datetime.combine(market_date(moment), time(), new_york())
