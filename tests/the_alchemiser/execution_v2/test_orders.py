"""Following one order until it is final, within its time and its calls."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.broker_fake import FakeTime, Fills
from tests.the_alchemiser.execution_v2.stage import NEVER, StageBroker
from the_alchemiser.execution_v2.calls import AttemptEndedError, CountedBroker, Stopwatch
from the_alchemiser.execution_v2.orders import OrderDesk, OrderUnsettledError, Timing
from the_alchemiser.shared.broker.errors import BrokerServerError, OrderNotCancelableError, RateLimitedError
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderStatus, OrderType
from the_alchemiser.shared.values import Side

REQUEST = OrderRequest("SPY", Side.BUY, Decimal(2), OrderType.MARKET, "a-trade-2")


class Desk:
    """A broker with one order at it, and the desk that follows the order."""

    def __init__(self, fills: Fills, *, calls: int = 16) -> None:
        self.time = FakeTime()
        self.broker = StageBroker({"SPY": Decimal(500)}, fills={OrderType.MARKET: fills})
        self.order = self.broker.submit(REQUEST)
        self.broker.log.clear()
        watch = Stopwatch(self.time.monotonic, self.time.sleep)
        self.counted = CountedBroker(self.broker, watch, deadline=60)
        self.counted.left = calls
        self.desk = OrderDesk(self.counted, Timing(), watch, deadline=60.0)

    def settle(self, *, until: float = 10, looks: int = 5) -> tuple[Order, ...]:
        return self.desk.settle(self.order, until=until, looks=looks)

    def settle_one(self, *, until: float = 10, looks: int = 5) -> Order:
        (order,) = self.settle(until=until, looks=looks)
        return order

    def set_status(self, status: OrderStatus, *, raw_status: str = "") -> None:
        self.broker.placed["order-1"] = self.order.changed(status=status, raw_status=raw_status)


def test_settle_of_order_that_fills_returns_it_without_cancelling() -> None:
    desk = Desk(Fills(after_polls=2))

    order = desk.settle_one()

    assert order.status is OrderStatus.FILLED
    assert desk.broker.log == ["order", "order", "order"]
    assert desk.time.seconds == 0.5 + 1 + 2


def test_settle_of_done_order_makes_no_call() -> None:
    desk = Desk(Fills())
    desk.order = desk.broker.order("order-1")
    desk.broker.log.clear()

    assert desk.settle_one() == desk.order
    assert desk.broker.log == []
    assert desk.time.seconds == 0


def test_settle_after_the_last_look_rests_until_the_end() -> None:
    desk = Desk(NEVER)

    order = desk.settle_one(until=10, looks=1)

    assert order.status is OrderStatus.CANCELED
    assert desk.broker.log == ["order", "cancel", "order"]
    assert desk.time.seconds == 10


def test_settle_without_looks_cancels_at_the_end() -> None:
    desk = Desk(NEVER)

    desk.settle(until=10, looks=0)

    assert desk.broker.log == ["cancel", "order"]
    assert desk.time.seconds == 10


def test_settle_never_rests_beyond_the_end() -> None:
    desk = Desk(NEVER)

    desk.settle(until=1.25, looks=9)

    assert desk.broker.log == ["order", "order", "cancel", "order"]
    assert desk.time.seconds == 1.25


def test_settle_with_no_time_cancels_at_once() -> None:
    desk = Desk(NEVER)

    desk.settle(until=0, looks=5)

    assert desk.broker.log == ["cancel", "order"]
    assert desk.time.seconds == 0


def test_settle_of_order_that_filled_while_cancelling_returns_the_fill() -> None:
    desk = Desk(NEVER)
    desk.broker.before[1] = lambda: desk.broker.fills.update({OrderType.MARKET: Fills()})
    desk.broker.failures["cancel"] = [OrderNotCancelableError('order is already in "filled" state')]

    order = desk.settle_one(until=0)

    assert order.status is OrderStatus.FILLED
    assert order.filled_quantity == 2


def test_settle_after_cancellation_that_did_nothing_cancels_again() -> None:
    """The broker answers 204 and cancels nothing."""
    desk = Desk(NEVER)
    desk.broker.ignored_cancels = 2

    order = desk.settle_one(until=0)

    assert order.status is OrderStatus.CANCELED
    assert desk.broker.log == ["cancel", "order"] * 3
    assert desk.time.seconds == 0.5 + 1


@pytest.mark.parametrize("error", [BrokerServerError("503"), RateLimitedError("429")])
def test_settle_after_lost_cancellation_cancels_again(error: BrokerServerError | RateLimitedError) -> None:
    desk = Desk(NEVER)
    desk.broker.failures["cancel"] = [error]

    assert desk.settle_one(until=0).status is OrderStatus.CANCELED
    assert desk.broker.log == ["cancel", "order"] * 2


def test_settle_of_pending_cancellation_only_looks_again() -> None:
    desk = Desk(Fills(after_polls=10**6, cancels_after_polls=2))

    assert desk.settle_one(until=0).status is OrderStatus.CANCELED
    assert desk.broker.log == ["cancel", "order", "order", "order"]


def test_settle_remembers_the_slowest_confirmation() -> None:
    quick, slow = Desk(NEVER), Desk(Fills(after_polls=10**6, cancels_after_polls=2))
    before = slow.desk.confirmation

    quick.settle(until=0)
    slow.settle(until=0)

    assert (before, quick.desk.confirmation, slow.desk.confirmation) == (1, 1, 3)


def test_settle_of_endlessly_pending_cancellation_raises_within_the_deadline() -> None:
    desk = Desk(Fills(after_polls=10**6, cancels_after_polls=10**6))

    with pytest.raises(OrderUnsettledError) as raised:
        desk.settle(until=0)

    assert str(raised.value) == "order a-trade-2 is still pending_cancel after a cancellation"
    assert raised.value.retryable
    assert desk.time.seconds == 0.5 + 1 + 2 + 4 + 8 + 16


def test_settle_after_the_deadline_still_takes_the_time_of_a_confirmation() -> None:
    desk = Desk(Fills(after_polls=10**6, cancels_after_polls=10**6))
    desk.time.seconds = 60

    with pytest.raises(OrderUnsettledError):
        desk.settle(until=0)

    assert desk.time.seconds == 60 + 0.5 + 1


def test_settle_of_unknown_status_is_not_final_and_quotes_it() -> None:
    desk = Desk(NEVER)
    desk.set_status(OrderStatus.UNKNOWN, raw_status="under_review")
    desk.broker.ignored_cancels = 100

    with pytest.raises(OrderUnsettledError, match="is still under_review after"):
        desk.settle(until=0)


@pytest.mark.parametrize(("calls", "log"), [(5, ["cancel", "order"] * 2), (6, ["cancel", "order"] * 3)])
def test_settle_without_calls_for_another_cancellation_raises(calls: int, log: list[str]) -> None:
    desk = Desk(NEVER, calls=calls)
    desk.broker.ignored_cancels = 100

    with pytest.raises(OrderUnsettledError):
        desk.settle(until=0)

    assert desk.broker.log == log


def test_settle_without_calls_to_confirm_raises() -> None:
    desk = Desk(NEVER, calls=1)

    with pytest.raises(AttemptEndedError):
        desk.settle(until=0)

    assert desk.broker.log == ["cancel"]


def test_settle_of_replaced_order_follows_its_successors() -> None:
    desk = Desk(NEVER)
    successor = desk.broker.replace_by_hand("order-1", "3")
    last = desk.broker.replace_by_hand(successor.id, "5")

    orders = desk.settle(until=1, looks=1)

    assert [order.id for order in orders] == ["order-1", successor.id, last.id]
    assert [order.status for order in orders] == [OrderStatus.REPLACED, OrderStatus.REPLACED, OrderStatus.CANCELED]
    assert all(order.is_done for order in desk.broker.placed.values())


def test_settle_of_order_that_is_replaced_while_it_rests_returns_its_successors_fills() -> None:
    desk = Desk(NEVER)

    def replace() -> None:
        desk.broker.replace_by_hand("order-1", "3", limit_price="501")
        desk.broker.fills[OrderType.MARKET] = Fills()

    desk.broker.before[2] = replace

    replaced, successor = desk.settle(until=10, looks=5)

    assert replaced.filled_quantity == 0
    assert (successor.filled_quantity, successor.status) == (Decimal(3), OrderStatus.FILLED)


def test_settle_of_replaced_order_without_successor_raises() -> None:
    desk = Desk(NEVER)
    desk.set_status(OrderStatus.REPLACED)

    with pytest.raises(OrderUnsettledError, match=r"^order a-trade-2 was replaced; by which order is not known yet$"):
        desk.settle(looks=1)


@given(
    until=st.floats(min_value=0, max_value=30),
    after_polls=st.integers(min_value=0, max_value=12),
    looks=st.integers(min_value=0, max_value=8),
)
def test_settle_always_ends_in_time_with_a_done_order(until: float, after_polls: int, looks: int) -> None:
    desk = Desk(Fills(after_polls=after_polls))

    order = desk.settle_one(until=until, looks=looks)

    assert order.is_done
    assert desk.time.seconds <= until + 0.01
    assert len(desk.broker.log) <= looks + 2
