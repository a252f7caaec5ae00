"""One trade as a short sequence of orders: limits that walk the spread, then a market order for the rest.

Every order has its own client order id, `<trade_id>-<step>`, and a step is sent when all earlier ones are final. So an
attempt that crashed is resumed where it stopped, and no share is ever ordered twice.
"""

from decimal import Decimal
from typing import ClassVar

from the_alchemiser.execution_v2.attempt import Attempt, OnSettled
from the_alchemiser.execution_v2.calls import AttemptEndedError, Brokerage, CountedBroker, Stopwatch
from the_alchemiser.execution_v2.checks import RunStates, is_too_small, refuse_run, size_sale
from the_alchemiser.execution_v2.limits import Limits, Proposal, refuse_order, refuse_time
from the_alchemiser.execution_v2.orders import Timing
from the_alchemiser.execution_v2.pricing import MarketView, view_market
from the_alchemiser.execution_v2.walk import Step, can_order, next_step
from the_alchemiser.shared.broker.errors import (
    BrokerRejectionError,
    BrokerUnavailableError,
    DuplicateClientOrderIdError,
    InsufficientQuantityError,
    InvalidOrderError,
    OrderTooSmallError,
    RateLimitedError,
)
from the_alchemiser.shared.broker.models import Order, OrderRequest
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.formats import shares
from the_alchemiser.shared.ledger.order_entries import client_order_id
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.kill_switch import Switch
from the_alchemiser.shared.values import Refusal, Side

_WIND_UP = 0.25
"""The part of the time for a trade that winding it up may take: the function's time-out has room for it."""


class OrderUnknownError(AlchemiserError):
    """An order was sent, its answer was lost, and the broker does not show it: it may still appear."""

    retryable: ClassVar[bool] = True

    def __init__(self, message: str, *, client_order_id: str) -> None:
        super().__init__(message)
        self.client_order_id = client_order_id


class OrderSequence(Frozen):
    """Executes trades. `on_settled` is called whenever an order is final, with every final order of the trade."""

    broker: Brokerage
    runs: RunStates
    switch: Switch
    limits: Limits
    timing: Timing
    watch: Stopwatch

    def execute(self, trade: TradeRequested, on_settled: OnSettled) -> Refusal | None:
        """Send the steps until the trade is filled.

        Returns:
            None if the trade is filled, but for a remainder that the broker takes no order for; otherwise the reason
            why it is not.

        Raises:
            AlchemiserError: the broker cannot answer now; calling again resumes the sequence.
        """
        if trade.quantity <= 0:
            return Refusal(reason=InvalidOrderError.reason, detail=f"the trade is for {shares(trade.quantity)} shares")
        attempt = self._attempt(trade, on_settled, self.timing.total_s)
        refusal = refuse_run(trade, self.runs.state_of(trade.run_id))
        # Also a trade that is refused first cancels and notes what earlier attempts have sent.
        attempt.resume()

        while refusal is None and attempt.remaining > 0:
            refusal = attempt.stop() or self._take_step(attempt)

        is_rest_too_small = refusal is not None and refusal.reason == OrderTooSmallError.reason and attempt.filled > 0
        return None if attempt.remaining <= 0 or is_rest_too_small else refusal

    def wind_up(self, trade: TradeRequested, on_settled: OnSettled) -> tuple[Order, ...]:
        """Cancel the trade's orders that still rest; return every order ever sent for it.

        Raises:
            AlchemiserError: an order may still rest at the broker.
        """
        attempt = self._attempt(trade, on_settled, self.timing.total_s * _WIND_UP)
        attempt.resume()
        return attempt.orders

    def _attempt(self, trade: TradeRequested, on_settled: OnSettled, time_s: float) -> Attempt:
        deadline = self.watch.monotonic() + time_s
        broker = CountedBroker(self.broker, self.watch, deadline=deadline)
        return Attempt(trade, on_settled, broker=broker, timing=self.timing, watch=self.watch, deadline=deadline)

    def _take_step(self, attempt: Attempt) -> Refusal | None:
        """Send one order and follow it until it is final; return why it was not sent."""
        # The time is checked here to save the calls of a trade that is too late, and once more before the order leaves.
        refusal = refuse_time(attempt.clock(), attempt.trade.occurred_at)
        if refusal is not None:
            return refusal

        try:
            prepared = self._prepare(attempt)
            if isinstance(prepared, Refusal):
                return prepared
            order = self._send(attempt, prepared.request)
        except RateLimitedError as error:
            # The order was certainly not accepted. It is prepared anew: all its checks must be true when it leaves.
            attempt.broker.wait_for_allowance(error)
            return None
        except BrokerRejectionError as error:
            return Refusal(reason=error.reason, detail=str(error))

        if isinstance(order, Refusal):
            return order
        # Settled means that nothing more will fill. Sending the next step any earlier could buy twice.
        attempt.settle(order, rest_s=prepared.step.rest_s, looks=prepared.step.looks)
        return None

    def _prepare(self, attempt: Attempt) -> "_Prepared | Refusal":
        """Read position and market, and choose the next order."""
        trade = attempt.trade
        quantity = self._size(attempt)
        if isinstance(quantity, Refusal):
            return quantity

        market = view_market(
            attempt.broker.snapshot(trade.symbol),
            at=attempt.clock().timestamp,
            planning_price=trade.planning_price,
            cap=self.limits.spread,
        )
        if market is None:
            return Refusal(reason="no_price", detail=f"the broker has neither a quote nor a sale of {trade.symbol}")

        step = self._next_step(attempt, market)
        if isinstance(step, Refusal):
            return step
        request = _request(attempt, step, quantity, market)
        price = request.limit_price or market.touch(trade.side)
        refusal = refuse_order(Proposal(trade.symbol, quantity, price, trade.last_close), self.limits)
        return refusal or _Prepared(step, request)

    def _size(self, attempt: Attempt) -> Decimal | Refusal:
        """Return the shares to order now. The position is read before every sale, because others may sell too.

        A buy needs no position: its intent is to open one, so the broker refuses it against a short position.
        """
        trade, remaining = attempt.trade, attempt.remaining
        position = attempt.broker.position(trade.symbol) if trade.side is Side.SELL else None
        held = None if position is None else position.quantity
        if attempt.filled > 0 and is_too_small(trade, remaining, held):
            return _too_small(attempt)
        return size_sale(trade, remaining, position) if trade.side is Side.SELL else remaining

    def _next_step(self, attempt: Attempt, market: MarketView) -> Step | Refusal:
        means, side = attempt.means, attempt.trade.side
        unprotected = market.refuse_market_order(side)
        step = next_step(side, limits_used=attempt.steps, unprotected=unprotected, means=means, timing=self.timing)
        # Without an order the trade has not failed in the market: the next attempt has the means to try.
        is_over = isinstance(step, Refusal) and attempt.steps > 0
        if not is_over and not can_order(means, self.timing):
            raise AttemptEndedError(f"{means.calls} calls and {means.time_s:.1f} s are not enough for another order")
        return step

    def _send(self, attempt: Attempt, request: OrderRequest) -> Order | Refusal:
        refusal = self._refuse_now(attempt)
        if refusal is not None:
            return refusal

        try:
            return attempt.broker.submit(request)
        except RateLimitedError:
            raise
        except OrderTooSmallError:
            # A part of the rest that is too small does not make the rest too small.
            return _too_small(attempt) if request.quantity == attempt.remaining else _reserved(attempt, request)
        except (BrokerUnavailableError, DuplicateClientOrderIdError) as error:
            raise OrderUnknownError(str(error), client_order_id=request.client_order_id) from error

    def _refuse_now(self, attempt: Attempt) -> Refusal | None:
        """Make the last checks: nothing but the order itself comes after them.

        The switch is read last, because it is a person's only way to stop trading, and nothing else undoes an order
        sent after it. The run's state comes before it: an order sent just after its run has ended is cancelled and
        recorded by the sweep. The time comes after both without a call: the broker's clock, advanced by the stopwatch,
        is exact however long the two reads have taken.
        """
        trade = attempt.trade
        refusal = refuse_run(trade, self.runs.state_of(trade.run_id))
        if refusal is not None:
            return refusal
        if not self.switch.is_enabled():
            return Refusal(reason="trading_paused", detail="the kill switch is paused or cannot be read")
        return refuse_time(attempt.clock(), trade.occurred_at)


class _Prepared(Frozen):
    step: Step
    request: OrderRequest


def _too_small(attempt: Attempt) -> Refusal:
    detail = f"the broker takes no order for {shares(attempt.remaining)} shares of {attempt.trade.symbol}: under $1"
    return Refusal(reason=OrderTooSmallError.reason, detail=detail)


def _reserved(attempt: Attempt, request: OrderRequest) -> Refusal:
    part, rest = shares(request.quantity), shares(attempt.remaining)
    detail = f"other orders reserve all but {part} of the {rest} shares of {request.symbol}"
    return Refusal(reason=InsufficientQuantityError.reason, detail=detail)


def _request(attempt: Attempt, step: Step, quantity: Decimal, market: MarketView) -> OrderRequest:
    trade = attempt.trade
    return OrderRequest(
        symbol=trade.symbol,
        side=trade.side,
        quantity=quantity,
        type=step.type,
        client_order_id=client_order_id(trade.trade_id, attempt.steps + 1),
        limit_price=None if step.fraction is None else market.limit_price(trade.side, step.fraction),
    )
