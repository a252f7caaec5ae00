"""The calls of an attempt: their number, and what happens at the rate limit."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.the_alchemiser.broker_fake import NOW, FakeTime
from tests.the_alchemiser.execution_v2.stage import StageBroker
from the_alchemiser.execution_v2.calls import AttemptEndedError, CountedBroker, Stopwatch
from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.broker.errors import BrokerTimeoutError, RateLimitedError
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.values import Side

REQUEST = OrderRequest("SPY", Side.BUY, Decimal(2), OrderType.MARKET, "a-trade-1")
READS: dict[str, Callable[[CountedBroker], object]] = {
    "clock": lambda broker: broker.clock(),
    "position": lambda broker: broker.position("SPY"),
    "snapshots": lambda broker: broker.snapshot("SPY"),
    "orders": lambda broker: broker.orders("SPY", after=NOW),
    "order": lambda broker: broker.order("order-1"),
    "cancel": lambda broker: broker.cancel("order-1"),
}


def limited(seconds: float | None) -> RateLimitedError:
    return RateLimitedError("429", retry_after_s=seconds)


def stage() -> tuple[StageBroker, FakeTime, CountedBroker]:
    broker, time = StageBroker({"SPY": Decimal(500)}), FakeTime()
    broker.submit(REQUEST)
    broker.log.clear()
    return broker, time, CountedBroker(broker, Stopwatch(time.monotonic, time.sleep), deadline=60)


@pytest.mark.parametrize("name", READS)
def test_read_is_counted_and_passed_on(name: str) -> None:
    broker, _, counted = stage()

    READS[name](counted)

    assert broker.log == [name]
    assert counted.left == 15


def test_submit_is_counted_and_passed_on() -> None:
    broker, _, counted = stage()

    order = counted.submit(REQUEST.changed(client_order_id="a-trade-2"))

    assert order.client_order_id == "a-trade-2"
    assert broker.log == ["submit"]
    assert counted.left == 15


def test_sixteen_calls_are_possible_and_no_more() -> None:
    broker, _, counted = stage()
    for _ in range(16):
        counted.clock()

    with pytest.raises(AttemptEndedError, match=r"were not enough to finish the trade$") as raised:
        counted.clock()
    with pytest.raises(AttemptEndedError):
        counted.submit(REQUEST)

    assert raised.value.retryable
    assert len(broker.log) == 16


@pytest.mark.parametrize("name", READS)
def test_read_over_the_limit_waits_for_the_next_minute(name: str) -> None:
    broker, time, counted = stage()
    broker.failures[name] = [limited(20), limited(30)]

    READS[name](counted)

    assert time.seconds == 50
    assert counted.left == 13


@pytest.mark.parametrize(("seconds", "waits"), [(60, True), (60.1, False), (None, False)])
def test_read_over_the_limit_waits_until_the_deadline_only(seconds: float | None, *, waits: bool) -> None:
    broker, time, counted = stage()
    broker.failures["clock"] = [limited(seconds)]

    if waits:
        counted.clock()
    else:
        with pytest.raises(RateLimitedError):
            counted.clock()

    assert time.seconds == (seconds if waits else 0)


def test_read_that_fails_otherwise_raises_at_once() -> None:
    broker, time, counted = stage()
    broker.failures["clock"] = [BrokerTimeoutError("no answer")]

    with pytest.raises(BrokerTimeoutError):
        counted.clock()

    assert (len(broker.log), time.seconds) == (1, 0)


def test_submit_over_the_limit_is_not_repeated() -> None:
    broker, time, counted = stage()
    broker.failures["submit"] = [limited(1)]

    with pytest.raises(RateLimitedError):
        counted.submit(REQUEST)

    assert (broker.log, time.seconds) == (["submit"], 0)


def test_wait_for_allowance_waits_once() -> None:
    _, time, counted = stage()

    counted.wait_for_allowance(limited(7))

    assert time.seconds == 7


def test_allowance_is_that_of_the_broker() -> None:
    broker, _, counted = stage()

    broker.allowance = 17

    assert counted.allowance == 17


def test_stopwatch_by_default_is_the_wall_clock() -> None:
    assert Stopwatch() == Stopwatch(wall_clock.monotonic, wall_clock.sleep)
