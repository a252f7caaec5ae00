"""One trade as a short sequence of orders: a limit at the far side of the quote, then a market order for the rest.

Every step has its own client order id, `<trade_id>-<step>`, and is looked up before it is sent. So an attempt that
crashed is resumed where it stopped, and no step is ever sent twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from the_alchemiser.execution_v2.limits import Limits, Proposal, refuse_order, refuse_time, to_tick
from the_alchemiser.execution_v2.orders import Brokerage, OrderDesk, Stopwatch, Timing
from the_alchemiser.shared.broker.errors import BrokerRejectionError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderStatus, OrderType, Quote
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.run.kill_switch import Switch
from the_alchemiser.shared.values import Refusal, Side

NOT_FILLED = "not_filled"
_ZERO = Decimal(0)


class Step(NamedTuple):
    """One order of the sequence; `wait_s` is how long it may rest."""

    number: int
    type: OrderType
    wait_s: float

    def client_order_id(self, trade: TradeRequested) -> str:
        return f"{trade.trade_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class OrderSequence:
    """Executes trades. `on_settled` is called with every order that is done, in order, before the next one is sent."""

    broker: Brokerage
    switch: Switch
    limits: Limits
    timing: Timing
    watch: Stopwatch

    def execute(self, trade: TradeRequested, on_settled: Callable[[Order], None]) -> Refusal | None:
        """Send the steps until the trade is filled.

        Returns:
            None if the trade filled completely, otherwise the reason why it did not.

        Raises:
            AlchemiserError: the broker cannot answer now; calling again resumes the sequence.
        """
        deadline = self.watch.monotonic() + self.timing.total_s
        remaining = trade.quantity
        order: Order | None = None

        for step in self.steps():
            placed = self._place(trade, step, remaining)
            if isinstance(placed, Refusal):
                return placed
            # Settled means that nothing more will fill. Sending the next step any earlier could buy twice.
            order = self._desk.settle(placed, self._wait_until(step, deadline))
            on_settled(order)
            remaining -= order.filled_quantity
            if remaining <= 0:
                return None

        return _unfilled(order, remaining)

    def wind_up(self, trade: TradeRequested, on_settled: Callable[[Order], None]) -> None:
        """Cancel the trade's orders that still rest; call `on_settled` with every order ever sent for it."""
        for order in self._sent(trade):
            on_settled(self._desk.settle(order, self.watch.monotonic()))

    def steps(self) -> tuple[Step, ...]:
        """Return the sequence. Numbers are part of the client order ids: they keep their meaning within a trade."""
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

    def _wait_until(self, step: Step, deadline: float) -> float:
        """Return when waiting ends: early enough for every later step to have its own time before the deadline."""
        later_s = sum(later.wait_s for later in self.steps() if later.number > step.number)
        return min(self.watch.monotonic() + step.wait_s, deadline - later_s - self.timing.cancel_s)

    def _place(self, trade: TradeRequested, step: Step, quantity: Decimal) -> Order | Refusal:
        # Look up before sending: an earlier attempt may have sent this step and crashed before it noted the order.
        existing = self.broker.order_by_client_id(step.client_order_id(trade))
        if existing is not None:
            return existing
        try:
            return self._send(trade, step, quantity)
        except BrokerRejectionError as error:
            return Refusal(reason=error.reason, detail=str(error))

    def _send(self, trade: TradeRequested, step: Step, quantity: Decimal) -> Order | Refusal:
        price = self._touch(trade)
        if price is None:
            return Refusal(reason="no_price", detail=f"the broker has neither a quote nor a trade of {trade.symbol}")

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
        # The last check before the order is sent, first the clock, then the switch: both answers must still be true
        # when the order leaves.
        refusal = refuse_time(self.broker.clock(), trade.occurred_at)
        if refusal is not None or self.switch.is_enabled():
            return refusal
        return Refusal(reason="trading_paused", detail="the kill switch is paused or cannot be read")

    def _touch(self, trade: TradeRequested) -> Decimal | None:
        """Return the far side of the quote, on the tick; the last sale if that side is empty; None without both."""
        quote = self.broker.latest_quotes([trade.symbol]).get(trade.symbol)
        touch = _far_side(quote, trade.side)
        if touch <= 0:
            last_sale = self.broker.latest_trades([trade.symbol]).get(trade.symbol)
            touch = _ZERO if last_sale is None else last_sale.price
        return to_tick(touch, trade.side) if touch > 0 else None


def _far_side(quote: Quote | None, side: Side) -> Decimal:
    if quote is None:
        return _ZERO
    return quote.ask if side is Side.BUY else quote.bid


def _unfilled(order: Order | None, remaining: Decimal) -> Refusal:
    if order is not None and order.status is OrderStatus.REJECTED:
        detail = f"the broker rejected {order.client_order_id} after accepting it"
        return Refusal(reason="order_rejected", detail=detail)
    return Refusal(reason=NOT_FILLED, detail=f"{remaining} shares did not fill in time")
