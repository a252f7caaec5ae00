"""Which open orders belong to runs, and that exactly those are cancelled until none is left."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from desk.operations.orders import (
    LONGEST_S,
    ON_ITS_WAY_S,
    POLL_S,
    CancelledOrder,
    Stopwatch,
    cancel_orders_of_runs,
    of_runs,
    open_orders,
    run_of,
)
from tests.desk.operations.duty import BUY_SPY, RUN_ID, STAGE, UNREACHABLE, FakeBroker, FakeWatch, order
from tests.the_alchemiser.coordinator_v2.test_admission import MONDAY, at
from the_alchemiser.shared.broker.errors import BrokerUnreachableError
from the_alchemiser.shared.broker.models import OrderStatus

NOW = at(MONDAY, "15:45")
SELL_BRK = f"{RUN_ID}-r12-SELL-BRK.B-3"


def cancel(broker: FakeBroker, watch: FakeWatch | None = None, *, on_its_way_s: float = 1.0) -> list[CancelledOrder]:
    watch = watch or FakeWatch()
    wall = Stopwatch(watch.now, watch.sleep)
    return list(cancel_orders_of_runs(broker, STAGE, now=NOW, wall=wall, on_its_way_s=on_its_way_s))


def client_ids(cancelled: Iterable[CancelledOrder]) -> list[str]:
    return [order.final.client_order_id for order in cancelled]


@pytest.mark.parametrize(
    ("client_order_id", "run_id"),
    [
        (BUY_SPY, RUN_ID),
        (SELL_BRK, f"{RUN_ID}-r12"),
        (f"{RUN_ID}-BUY-SPY-10", RUN_ID),
        (f"{RUN_ID}-BUY-SPY", ""),
        (f"{RUN_ID}-BUY-SPY-x", ""),
        (f"{RUN_ID}-HOLD-SPY-1", ""),
        (f"x{BUY_SPY}", ""),
        (f"{BUY_SPY}x", ""),
        (BUY_SPY.replace("prod", "dev"), ""),
        (BUY_SPY.replace("prod", "prod-eu"), ""),
        ("904837e3-3b76-47ec-b432-046db621571b", ""),
        ("", ""),
    ],
)
def test_run_of_an_order_by_its_client_order_id(client_order_id: str, run_id: str) -> None:
    assert run_of(order(client_order_id), STAGE) == run_id


def test_run_of_takes_the_stage_literally() -> None:
    assert run_of(order(BUY_SPY), "p.od") == ""


def test_of_runs_leaves_out_the_owners_orders() -> None:
    assert of_runs([order("mine"), order(BUY_SPY)], STAGE) == (order(BUY_SPY),)


def test_open_orders_look_back_longer_than_any_order_lives() -> None:
    broker = FakeBroker(listed=[order(), order("done", OrderStatus.FILLED)])

    assert open_orders(broker, NOW) == (order(),)
    assert broker.asked == [(NOW - timedelta(days=120), "open")]


def test_longest_way_of_an_order_is_the_time_out_of_its_request() -> None:
    assert (ON_ITS_WAY_S, POLL_S, LONGEST_S) == (6.0, 0.5, 60.0)


def test_cancel_touches_exactly_the_orders_of_runs() -> None:
    broker = FakeBroker(listed=[order("mine"), order(BUY_SPY), order(SELL_BRK), order(BUY_SPY.replace("prod", "dev"))])

    cancelled = cancel(broker)

    assert broker.cancelled == [BUY_SPY, SELL_BRK]
    assert sorted(client_ids(cancelled)) == [BUY_SPY, SELL_BRK]
    assert all(order.final.status is OrderStatus.CANCELED for order in cancelled)
    assert broker.order("id-mine").status is OrderStatus.NEW


def test_cancel_reports_what_filled_meanwhile() -> None:
    broker = FakeBroker(listed=[order(filled="2.5")], fills_at_cancel="4", after_cancel=OrderStatus.FILLED)

    [cancelled] = cancel(broker)

    assert (cancelled.filled_before, cancelled.filled_meanwhile) == (Decimal("2.5"), Decimal(4))
    assert cancelled.final.status is OrderStatus.FILLED


def test_cancel_counts_fills_since_the_first_listing() -> None:
    broker = FakeBroker(listed=[order(filled="1")], stubborn={BUY_SPY: 2})

    def fill(seconds: float) -> None:
        if seconds == 100.5:
            broker.listed = [order(filled="3")]

    [cancelled] = cancel(broker, FakeWatch(on_sleep=fill))

    assert (cancelled.filled_before, cancelled.filled_meanwhile) == (Decimal(1), Decimal(2))


def test_cancel_again_when_the_broker_ignores_it() -> None:
    broker = FakeBroker(listed=[order()], stubborn={BUY_SPY: 2})

    [cancelled] = cancel(broker)

    assert broker.cancelled == [BUY_SPY] * 3
    assert cancelled.final.is_done


def test_cancel_waits_for_a_pending_cancellation_without_another() -> None:
    broker = FakeBroker(listed=[order(status=OrderStatus.PENDING_CANCEL)])

    def finish(seconds: float) -> None:
        if seconds >= 102:
            broker.listed = [order(status=OrderStatus.CANCELED, filled="1")]

    [cancelled] = cancel(broker, FakeWatch(on_sleep=finish))

    assert broker.cancelled == []
    assert (cancelled.final.status, cancelled.filled_meanwhile) == (OrderStatus.CANCELED, Decimal(1))


def test_cancel_goes_on_after_a_refusal() -> None:
    broker = FakeBroker(listed=[order(SELL_BRK), order(BUY_SPY)], refused=frozenset({SELL_BRK}))
    watch = FakeWatch()

    cancelled = cancel(broker, watch)

    assert [order.final.is_done for order in cancelled] == [False, True]
    assert watch.seconds == 100 + LONGEST_S


def test_cancel_looks_again_for_an_order_that_was_on_its_way() -> None:
    """The order passed the kill switch before the pause, and arrives at the broker after the first listing."""
    broker = FakeBroker()

    def arrive(seconds: float) -> None:
        if seconds == 105.5:
            broker.listed = [order()]

    cancelled = cancel(broker, FakeWatch(on_sleep=arrive), on_its_way_s=6.0)

    assert client_ids(cancelled) == [BUY_SPY]
    assert broker.order(f"id-{BUY_SPY}").is_done


@pytest.mark.parametrize(("on_its_way_s", "pauses"), [(0.0, 0), (0.5, 1), (6.0, 12)])
def test_cancel_without_open_orders_ends_when_none_can_arrive(on_its_way_s: float, pauses: int) -> None:
    watch = FakeWatch()

    assert cancel(FakeBroker(), watch, on_its_way_s=on_its_way_s) == []
    assert watch.pauses == [POLL_S] * pauses


def test_cancel_ends_only_when_nothing_is_left() -> None:
    """The time for orders on their way has passed, but an order is still open."""
    watch = FakeWatch()

    cancel(FakeBroker(listed=[order()], stubborn={BUY_SPY: 4}), watch, on_its_way_s=0.0)

    assert watch.pauses == [POLL_S] * 5


def test_cancel_lists_orders_by_submission() -> None:
    first, second, third = order(minute=46), order(SELL_BRK, minute=47), order(f"{RUN_ID}-BUY-KO-1", minute=48)

    cancelled = cancel(FakeBroker(listed=[third, first, second]))

    assert client_ids(cancelled) == [first.client_order_id, second.client_order_id, third.client_order_id]


def test_cancel_raises_when_the_broker_does_not_list_orders() -> None:
    with pytest.raises(BrokerUnreachableError, match="connection refused"):
        cancel(FakeBroker(error=UNREACHABLE))


def test_now_is_the_brokers_time_in_every_listing() -> None:
    broker = FakeBroker(listed=[order()])

    cancel(broker)

    moments: set[datetime] = {after for after, _ in broker.asked}
    assert moments == {NOW - timedelta(days=120)}
    assert {status for _, status in broker.asked} == {"open"}
