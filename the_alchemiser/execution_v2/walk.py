"""One trade as a short sequence of orders: a limit at the far touch, then the market for the rest.

Every step has its own client order id, `<trade_id>-<step>`, and is looked up before it is sent: an attempt that
died anywhere is taken up where it was, and no step is ever sent twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from the_alchemiser.execution_v2.limits import Limits, Proposal, Refusal, refuse_order, refuse_time, to_tick
from the_alchemiser.execution_v2.orders import Brokerage, OrderDesk, Stopwatch, Timing
from the_alchemiser.shared.broker.errors import BrokerRejectionError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderStatus, OrderType, Quote
from the_alchemiser.shared.messaging.messages import Side, TradeRequested

_ZERO = Decimal(0)


class Switch(Protocol):
    """The kill switch."""

    def is_enabled(self) -> bool: ...


class Step(NamedTuple):
    """One order of the sequence; `wait_s` is how long it may rest."""

    number: int
    type: OrderType
    wait_s: float

    def client_order_id(self, trade: TradeRequested) -> str:
        return f"{trade.trade_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class Walk:
    """Executes trades. `settled` is told of every order that is done, in order, before the next is sent."""

    broker: Brokerage
    switch: Switch
    limits: Limits
    timing: Timing
    watch: Stopwatch

    def execute(self, trade: TradeRequested, settled: Callable[[Order], None]) -> Refusal | None:
        """Send the steps until the trade is filled.

        Returns:
            None when it filled whole; else why it did not.

        Raises:
            AlchemiserError: the broker cannot be asked now; calling again resumes.
        """
        deadline = self.watch.monotonic() + self.timing.total_s
        left = trade.quantity
        order: Order | None = None
        for step in self.steps():
            placed = self._place(trade, step, left)
            if isinstance(placed, Refusal):
                return placed
            order = self._desk.settle(placed, self._until(step, deadline))
            settled(order)
            left -= order.filled_quantity
            if left <= 0:
                return None
        return _unfilled(order, left)

    def wind_up(self, trade: TradeRequested, settled: Callable[[Order], None]) -> None:
        """Cancel whatever of the trade still rests; tell of every order that was ever sent for it."""
        for order in self._sent(trade):
            settled(self._desk.settle(order, self.watch.monotonic()))

    def steps(self) -> tuple[Step, ...]:
        """The sequence: numbers are part of the client order ids and never change their meaning within a trade."""
        return (
            Step(1, OrderType.LIMIT, self.timing.limit_wait_s),
            Step(2, OrderType.MARKET, self.timing.market_wait_s),
        )

    @property
    def _desk(self) -> OrderDesk:
        return OrderDesk(self.broker, self.timing, self.watch)

    def _sent(self, trade: TradeRequested) -> Iterator[Order]:
        for step in self.steps():
            order = self.broker.order_by_client_id(step.client_order_id(trade))
            if order is not None:
                yield order

    def _until(self, step: Step, deadline: float) -> float:
        """When waiting ends: early enough for every later step to have its own time before the deadline."""
        later = sum(other.wait_s for other in self.steps() if other.number > step.number)
        return min(self.watch.monotonic() + step.wait_s, deadline - later - self.timing.cancel_s)

    def _place(self, trade: TradeRequested, step: Step, quantity: Decimal) -> Order | Refusal:
        existing = self.broker.order_by_client_id(step.client_order_id(trade))
        if existing is not None:
            return existing
        try:
            return self._send(trade, step, quantity)
        except BrokerRejectionError as error:
            return Refusal(error.reason, str(error))

    def _send(self, trade: TradeRequested, step: Step, quantity: Decimal) -> Order | Refusal:
        price = self._touch(trade)
        if price is None:
            return Refusal("no_price", f"the broker has neither a quote nor a trade of {trade.symbol}")
        refusal = refuse_order(Proposal(trade.symbol, quantity, price, trade.last_close), self.limits)
        refusal = refusal or self._refuse_trading(trade)
        if refusal is not None:
            return refusal
        request = OrderRequest(
            symbol=trade.symbol,
            side=trade.side,
            quantity=quantity,
            type=step.type,
            client_order_id=step.client_order_id(trade),
            limit_price=price if step.type is OrderType.LIMIT else None,
        )
        return self.broker.submit(request)

    def _refuse_trading(self, trade: TradeRequested) -> Refusal | None:
        """The clock, then the switch, last of all: what they said must still hold when the order leaves."""
        late = refuse_time(self.broker.clock(), trade.occurred_at)
        if late is not None or self.switch.is_enabled():
            return late
        return Refusal("trading_paused", "the kill switch is paused or cannot be read")

    def _touch(self, trade: TradeRequested) -> Decimal | None:
        """The far side of the quote, on the tick; the last sale where that side is empty."""
        quote = self.broker.latest_quotes([trade.symbol]).get(trade.symbol)
        touch = _far_side(quote, trade.side)
        if touch <= 0:
            last = self.broker.latest_trades([trade.symbol]).get(trade.symbol)
            touch = _ZERO if last is None else last.price
        return to_tick(touch, trade.side) if touch > 0 else None


def _far_side(quote: Quote | None, side: Side) -> Decimal:
    if quote is None:
        return _ZERO
    return quote.ask if side is Side.BUY else quote.bid


def _unfilled(order: Order | None, left: Decimal) -> Refusal:
    if order is not None and order.status is OrderStatus.REJECTED:
        return Refusal("order_rejected", f"the broker rejected {order.client_order_id} after accepting it")
    return Refusal("not_filled", f"{left} shares did not fill in time")
