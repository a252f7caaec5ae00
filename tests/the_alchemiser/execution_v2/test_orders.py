"""Following one order until it is done, within its time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.broker_fake import FakeTime, Fills, InMemoryBroker
from the_alchemiser.execution_v2.orders import OrderDesk, Stopwatch, Timing
from the_alchemiser.shared.broker.errors import BrokerServerError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderStatus, OrderType
from the_alchemiser.shared.values import Side

REQUEST = OrderRequest("SPY", Side.BUY, Decimal(2), OrderType.MARKET, "a-trade-2")


def _desk(broker: InMemoryBroker, time: FakeTime) -> OrderDesk:
    return OrderDesk(broker, Timing(), Stopwatch(time.monotonic, time.sleep))


def _broker(fills: Fills) -> InMemoryBroker:
    return InMemoryBroker({"SPY": Decimal(500)}, fills={OrderType.MARKET: fills})


def test_settle_of_order_that_fills_returns_it_without_cancelling() -> None:
    broker, time = _broker(Fills(after_polls=3)), FakeTime()

    order = _desk(broker, time).settle(broker.submit(REQUEST), until=10)

    assert order.status is OrderStatus.FILLED
    assert time.seconds < 1


def test_settle_of_order_that_filled_while_cancelling_returns_the_fill() -> None:
    broker, time = _FillsOnCancel({"SPY": Decimal(500)}, fills={OrderType.MARKET: Fills(after_polls=10**6)}), FakeTime()

    order = _desk(broker, time).settle(broker.submit(REQUEST), until=1)

    assert order.status is OrderStatus.FILLED
    assert order.filled_quantity == 2


class _FillsOnCancel(InMemoryBroker):
    """The race that every cancellation may lose: the order fills first."""

    def cancel(self, order_id: str) -> None:
        self.fills[OrderType.MARKET] = Fills()
        super().order(order_id)
        super().cancel(order_id)


def test_settle_after_lost_cancellations_cancels_again() -> None:
    broker, time = _LosesCancels(_broker(Fills(after_polls=10**6)).prices), FakeTime()
    broker.fills = {OrderType.MARKET: Fills(after_polls=10**6)}

    order = _desk(broker, time).settle(broker.submit(REQUEST), until=1)

    assert order.status is OrderStatus.CANCELED
    assert broker.lost == 2


class _LosesCancels(InMemoryBroker):
    """Answers the first two cancellations with a 503."""

    lost = 0

    def cancel(self, order_id: str) -> None:
        if self.lost < 2:
            self.lost += 1
            raise BrokerServerError("DELETE /v2/orders: 503")
        super().cancel(order_id)


def test_settle_of_done_order_makes_no_request() -> None:
    broker, time = _broker(Fills()), FakeTime()
    order: Order = broker.order(broker.submit(REQUEST).id)
    polls = broker.polls[order.id]

    assert _desk(broker, time).settle(order, until=10) == order
    assert broker.polls[order.id] == polls


@pytest.mark.parametrize("total_s", [60.0, 6.0])
def test_timing_within_a_total_leaves_room_for_every_wait(total_s: float) -> None:
    timing = Timing.within(total_s)

    assert timing.limit_wait_s + timing.market_wait_s + 2 * timing.cancel_s < total_s
    assert timing.poll_s < timing.limit_wait_s


@given(st.floats(min_value=0, max_value=30), st.integers(min_value=0, max_value=50))
def test_settle_always_ends_in_time_with_a_done_order(until: float, after_polls: int) -> None:
    broker, time = _broker(Fills(after_polls=after_polls)), FakeTime()

    order = _desk(broker, time).settle(broker.submit(REQUEST), until)

    assert order.is_done
    assert time.seconds <= until + Timing().cancel_s
