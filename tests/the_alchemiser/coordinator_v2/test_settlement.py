"""A run that has ended is compared with the broker's orders: what may still fill, and what nobody has reported."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from automation.project import templates
from tests.the_alchemiser import results
from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.ended_runs import (
    BUY_SPY,
    SELL_TLT,
    end,
    failed,
    fill,
    record,
    send_trades,
)
from tests.the_alchemiser.coordinator_v2.office import order
from tests.the_alchemiser.coordinator_v2.test_admission import RUN_ID
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.coordinator_v2.settlement import (
    BUSINESS_WINDOW,
    EXECUTION_WINDOW,
    Review,
    is_window_over,
    review,
    sent_trades,
)
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.ledger.order_entries import FillPriceMissingError, TradeFacts
from the_alchemiser.shared.messaging.messages import SettledOrder
from the_alchemiser.shared.run.runs import RunState, Transition
from the_alchemiser.shared.values import Side

CANCELED, FILLED, REPLACED = OrderStatus.CANCELED, OrderStatus.FILLED, OrderStatus.REPLACED


@pytest.fixture
def store() -> InMemoryRunStore:
    store = make.evaluating(RUN_ID)
    send_trades(store)
    return store


def unreported(store: InMemoryRunStore, *orders: str) -> list[str]:
    """Return the unreported ones of the filled orders with these ids, and of one cancelled order."""
    listing = [order(name, FILLED, filled="10") for name in orders] + [order(f"{BUY_SPY}-4", CANCELED)]
    return [settled.client_order_id for settled in review(make.loaded(store, RUN_ID), listing).unreported]


def test_sent_trades_have_the_shares_of_their_release() -> None:
    store = make.evaluating(RUN_ID)
    send_trades(store, buys="7.5")
    price = Decimal(100)

    assert sent_trades(make.loaded(store, RUN_ID)) == (
        TradeFacts(SELL_TLT, RUN_ID, "TLT", Side.SELL, Decimal(20), {"calm": Decimal(20)}, price),
        TradeFacts(BUY_SPY, RUN_ID, "SPY", Side.BUY, Decimal("7.5"), {"calm": Decimal(10)}, price),
    )


def test_sent_trades_before_any_release_are_none() -> None:
    store = make.evaluating(RUN_ID)

    assert sent_trades(make.loaded(store, RUN_ID)) == ()
    make.planned(store, make.plan(make.decision("SPY", Side.BUY, "10"), run_id=RUN_ID))
    assert sent_trades(make.loaded(store, RUN_ID)) == ()


@pytest.mark.parametrize(("late_ms", "expected"), [(109_999, False), (110_000, True), (110_001, True)])
def test_window_is_over_110_s_after_the_end(store: InMemoryRunStore, late_ms: int, *, expected: bool) -> None:
    end(store, RunState.FAILED)

    now = make.WALL + timedelta(milliseconds=late_ms)
    assert is_window_over(make.loaded(store, RUN_ID), now, make.AT) is expected


def test_window_is_counted_from_the_end_of_the_run(store: InMemoryRunStore) -> None:
    run = make.loaded(store, RUN_ID)
    ended_at = make.WALL + timedelta(minutes=5)
    ended = replace(run, timeline=(*run.timeline, Transition(RunState.FAILED, ended_at, "a test")))

    assert not is_window_over(ended, ended_at + timedelta(seconds=109), make.AT)


@pytest.mark.parametrize(("later_ms", "expected"), [(299_999, False), (300_000, True), (300_001, True)])
def test_window_of_a_completed_run_is_over_5_minutes_later_at_the_exchange(
    store: InMemoryRunStore, later_ms: int, *, expected: bool
) -> None:
    """The clock of a simulated exchange moves on at once, the wall clock does not."""
    end(store, RunState.COMPLETED)
    result = results.completed(run_id=RUN_ID)
    run = replace(make.loaded(store, RUN_ID), outbox=(result,))

    assert is_window_over(run, make.WALL, result.occurred_at + timedelta(milliseconds=later_ms)) is expected


def test_window_of_a_failed_run_is_counted_by_the_wall_clock_alone(store: InMemoryRunStore) -> None:
    end(store, RunState.FAILED)
    result = results.failed()
    run = replace(make.loaded(store, RUN_ID), outbox=(result,))

    assert not is_window_over(run, make.WALL, result.occurred_at + timedelta(days=1))


def test_window_at_the_exchange_is_longer_than_a_completion_takes() -> None:
    template = templates.read(Path(__file__).parents[3] / "template.yaml", name="template.yaml")
    timeout_s = template.parameters["HandlerTimeoutS"]["Default"]

    assert timedelta(seconds=timeout_s) + EXECUTION_WINDOW < BUSINESS_WINDOW


def test_window_covers_an_execution_that_is_killed_at_its_time_out() -> None:
    template = templates.read(Path(__file__).parents[3] / "template.yaml", name="template.yaml")
    timeout_s = template.parameters["ExecutionTimeoutS"]["Default"]

    assert timedelta(seconds=timeout_s + 20) == EXECUTION_WINDOW


def test_review_of_an_open_order_enters_only_the_other_trades(store: InMemoryRunStore) -> None:
    listing = [
        order(f"{BUY_SPY}-1", CANCELED, filled="4"),
        order(f"{BUY_SPY}-2", OrderStatus.PENDING_CANCEL, filled="1"),
        order(f"{SELL_TLT}-1", FILLED, side=Side.SELL, filled="10"),
    ]

    state = review(make.loaded(store, RUN_ID), listing)

    assert state.open == (f"id-{BUY_SPY}-2",)
    assert [entry.order_id for entry in state.entries] == [f"id-{SELL_TLT}-1"]
    assert [settled.order_id for settled in state.unreported] == [f"id-{SELL_TLT}-1"]


def test_review_of_open_orders_names_those_of_every_trade(store: InMemoryRunStore) -> None:
    listing = [order(f"{BUY_SPY}-1"), order(f"{SELL_TLT}-1", OrderStatus.UNKNOWN)]

    assert review(make.loaded(store, RUN_ID), listing).open == (f"id-{SELL_TLT}-1", f"id-{BUY_SPY}-1")


def test_review_of_final_orders_enters_each_fill(store: InMemoryRunStore) -> None:
    listing = [order(f"{BUY_SPY}-2", FILLED, filled="6"), order(f"{BUY_SPY}-1", CANCELED, filled="4")]

    state = review(make.loaded(store, RUN_ID), listing)

    assert [(entry.order_id, entry.quantity, entry.trade_id) for entry in state.entries] == [
        (f"id-{BUY_SPY}-1", Decimal(4), BUY_SPY),
        (f"id-{BUY_SPY}-2", Decimal(6), BUY_SPY),
    ]
    assert state.open == ()
    assert state.unreported[0] == SettledOrder(
        symbol="SPY",
        side=Side.BUY,
        client_order_id=f"{BUY_SPY}-1",
        order_id=f"id-{BUY_SPY}-1",
        status="canceled",
        filled_quantity=Decimal(4),
        avg_price=Decimal(100),
    )


def test_review_ignores_orders_of_others(store: InMemoryRunStore) -> None:
    others = [
        order(f"{RUN_ID}-r1-BUY-SPY-1"),
        order(f"{BUY_SPY}.B-1"),
        order(f"{RUN_ID}-BUY-BIL-1"),
        order("by-hand"),
    ]

    assert review(make.loaded(store, RUN_ID), others) == Review((), (), ())


def test_review_follows_a_replaced_order_to_its_successor(store: InMemoryRunStore) -> None:
    replaced = order(f"{BUY_SPY}-1", REPLACED, filled="3", replaced_by="id-by-hand")

    resting = review(make.loaded(store, RUN_ID), [replaced, order("by-hand")])
    final = review(make.loaded(store, RUN_ID), [replaced, order("by-hand", FILLED, filled="7")])

    assert resting.open == ("id-by-hand",)
    assert [(entry.order_id, entry.quantity) for entry in final.entries] == [
        (f"id-{BUY_SPY}-1", Decimal(3)),
        ("id-by-hand", Decimal(7)),
    ]
    assert [settled.client_order_id for settled in final.unreported] == [f"{BUY_SPY}-1", "by-hand"]


def test_review_of_a_fill_without_its_price_cannot_be_entered(store: InMemoryRunStore) -> None:
    with pytest.raises(FillPriceMissingError):
        review(make.loaded(store, RUN_ID), [order(f"{BUY_SPY}-1", FILLED, filled="10").changed(filled_avg_price=None)])


def test_unreported_are_all_orders_of_a_trade_without_outcome(store: InMemoryRunStore) -> None:
    assert unreported(store, f"{BUY_SPY}-1") == [f"{BUY_SPY}-1", f"{BUY_SPY}-4"]


def test_unreported_is_nothing_that_the_outcome_contains(store: InMemoryRunStore) -> None:
    record(store, failed(fill(f"{BUY_SPY}-1", "10")))

    assert unreported(store, f"{BUY_SPY}-1") == []


@pytest.mark.parametrize(("quantity", "expected"), [("9.999999999", [f"{BUY_SPY}-1"]), ("10", [])])
def test_unreported_is_an_order_that_filled_more_than_the_outcome_says(
    store: InMemoryRunStore, quantity: str, expected: list[str]
) -> None:
    record(store, failed(fill(f"{BUY_SPY}-1", quantity)))

    assert unreported(store, f"{BUY_SPY}-1") == expected


def test_unreported_is_a_fill_of_another_order(store: InMemoryRunStore) -> None:
    record(store, failed(fill(f"{BUY_SPY}-1", "10")))

    assert unreported(store, f"{BUY_SPY}-1", f"{BUY_SPY}-2") == [f"{BUY_SPY}-2"]


def test_unreported_is_a_small_fill_of_an_order_that_the_outcome_does_not_contain(store: InMemoryRunStore) -> None:
    record(store, failed())

    state = review(make.loaded(store, RUN_ID), [order(f"{BUY_SPY}-1", CANCELED, filled="0.5")])

    assert [settled.filled_quantity for settled in state.unreported] == [Decimal("0.5")]


def test_unreported_are_all_orders_of_an_unsettled_outcome(store: InMemoryRunStore) -> None:
    record(store, failed(fill(f"{BUY_SPY}-1", "10"), unsettled=True))

    assert unreported(store, f"{BUY_SPY}-1") == [f"{BUY_SPY}-1", f"{BUY_SPY}-4"]


def test_unreported_is_nothing_of_an_executed_trade(store: InMemoryRunStore) -> None:
    fills = (fill(f"{BUY_SPY}-1", "10"),)
    record(store, make.executed("SPY", Side.BUY, "10", run_id=RUN_ID).changed(fills=fills))

    assert unreported(store, f"{BUY_SPY}-1") == []


@pytest.mark.parametrize(
    ("missing", "expected"), [(BUY_SPY, [f"{BUY_SPY}-1", f"{BUY_SPY}-4"]), (SELL_TLT, [])], ids=["it", "another"]
)
def test_unreported_are_the_trades_that_the_failed_run_missed(
    store: InMemoryRunStore, missing: str, expected: list[str]
) -> None:
    """Their outcomes came after the mail about the run."""
    end(store, RunState.FAILED, missing=(missing,))
    record(store, failed(fill(f"{BUY_SPY}-1", "10")))

    assert unreported(store, f"{BUY_SPY}-1") == expected
