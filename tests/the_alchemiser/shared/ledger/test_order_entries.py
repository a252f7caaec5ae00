"""From the broker's orders of a trade to its ledger entries: the same orders give the same entries."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.broker.models import Order, OrderStatus
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.ledger.order_entries import (
    FillPriceMissingError,
    TradeFacts,
    client_order_id,
    entries_of_trade,
    open_order_ids,
    orders_by_step,
    orders_of_trade,
)
from the_alchemiser.shared.values import Side

AT = datetime(2024, 3, 15, 19, 46, tzinfo=UTC)
TRADE_ID = "local-2024-03-15-BUY-SPY"
BUY = TradeFacts(TRADE_ID, "local-2024-03-15", "SPY", Side.BUY, Decimal(10), {"a": Decimal(4), "b": Decimal(6)})
SELL = BUY.changed(side=Side.SELL, deltas={"a": Decimal(-4), "b": Decimal(-6)})


def order(
    name: str,
    client_id: str,
    *,
    filled: str = "0",
    price: str | None = "100",
    status: OrderStatus = OrderStatus.FILLED,
    replaced_by: str | None = None,
) -> Order:
    return Order(
        id=name,
        client_order_id=client_id,
        symbol="SPY",
        side=Side.BUY,
        type="limit",
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(filled),
        filled_avg_price=None if price is None else Decimal(price),
        limit_price=Decimal(100),
        submitted_at=AT,
        filled_at=AT + timedelta(seconds=2),
        canceled_at=None,
        replaced_by=replaced_by,
    )


def step(number: int, *, filled: str = "0", replaced_by: str | None = None) -> Order:
    status = OrderStatus.REPLACED if replaced_by else OrderStatus.FILLED
    return order(f"o{number}", f"{TRADE_ID}-{number}", filled=filled, status=status, replaced_by=replaced_by)


def names(orders: tuple[Order, ...]) -> list[str]:
    return [order.id for order in orders]


def test_client_order_id_is_the_trade_and_the_step() -> None:
    assert client_order_id(TRADE_ID, 2) == "local-2024-03-15-BUY-SPY-2"


def test_orders_by_step_are_ascending_whatever_the_listing() -> None:
    assert {number: order.id for number, order in orders_by_step(TRADE_ID, (step(2), step(10), step(1))).items()} == {
        1: "o1",
        2: "o2",
        10: "o10",
    }
    assert list(orders_by_step(TRADE_ID, (step(2), step(10), step(1)))) == [1, 2, 10]


@pytest.mark.parametrize(
    "client_id",
    [
        "local-2024-03-15-BUY-SPY",
        "local-2024-03-15-BUY-SPY.B-1",
        "local-2024-03-15-BUY-SPY-",
        "local-2024-03-15-BUY-SPY-x",
        "local-2024-03-15-BUY-SPY-1-1",
        "local-2024-03-15-r2-BUY-SPY-1",
        "by-hand",
    ],
)
def test_orders_of_trade_leaves_out_orders_of_something_else(client_id: str) -> None:
    assert orders_of_trade(TRADE_ID, (order("another", client_id), step(1))) == (step(1),)


def test_orders_of_trade_follows_a_replaced_order_to_its_successors() -> None:
    middle = order("b", "by-hand-1", status=OrderStatus.REPLACED, replaced_by="c")
    last = order("c", "by-hand-2")
    listing = (last, step(2), order("unrelated", "by-hand-3"), step(1, replaced_by="b"), middle)

    assert names(orders_of_trade(TRADE_ID, listing)) == ["o1", "b", "c", "o2"]


def test_orders_of_trade_with_a_successor_that_is_a_step_lists_it_once() -> None:
    assert names(orders_of_trade(TRADE_ID, (step(1, replaced_by="o2"), step(2)))) == ["o1", "o2"]


def test_orders_of_trade_with_orders_that_replace_each_other_ends() -> None:
    circle = order("b", "by-hand", status=OrderStatus.REPLACED, replaced_by="o1")

    assert names(orders_of_trade(TRADE_ID, (step(1, replaced_by="b"), circle))) == ["o1", "b"]


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN])
def test_open_order_ids_has_what_is_not_done(status: OrderStatus) -> None:
    resting = order("resting", f"{TRADE_ID}-2", status=status)

    assert open_order_ids((step(1), resting)) == ("resting",)


def test_open_order_ids_of_replaced_order_is_its_unseen_successor() -> None:
    assert open_order_ids((step(1, replaced_by="unseen"),)) == ("unseen",)


def test_open_order_ids_with_a_seen_and_final_successor_is_empty() -> None:
    assert open_order_ids((step(1, replaced_by="b"), order("b", "by-hand"))) == ()


def test_open_order_ids_of_replaced_order_without_successor_is_the_order() -> None:
    replaced = order("o1", f"{TRADE_ID}-1", status=OrderStatus.REPLACED)

    assert open_order_ids((replaced,)) == ("o1",)


def test_entries_of_trade_have_all_facts() -> None:
    (entry,) = entries_of_trade(BUY, (step(1, filled="2.5"),))

    assert entry.symbol == "SPY"
    assert entry.filled_at == AT + timedelta(seconds=2)
    assert (entry.order_id, entry.fill, entry.client_order_id) == ("o1", "1", f"{TRADE_ID}-1")
    assert (entry.trade_id, entry.run_id, entry.side) == (TRADE_ID, "local-2024-03-15", Side.BUY)
    assert (entry.quantity, entry.price, entry.cash) == (Decimal("2.5"), Decimal(100), Decimal(-250))
    assert entry.attribution == {"a": Decimal(1), "b": Decimal("1.5")}


def test_entries_of_trade_for_sale_are_negative_and_bring_cash() -> None:
    (entry,) = entries_of_trade(SELL, (step(1, filled="10"),))

    assert entry.cash == Decimal(1000)
    assert entry.attribution == {"a": Decimal(-4), "b": Decimal(-6)}


def test_entries_of_trade_leave_out_orders_without_fills() -> None:
    entries = entries_of_trade(BUY, (step(1), step(2, filled="10")))

    assert [entry.order_id for entry in entries] == ["o2"]
    assert entries[0].attribution == {"a": Decimal(4), "b": Decimal(6)}


def test_entries_of_half_a_trade_cross_half_between_the_strategies() -> None:
    trade = BUY.changed(deltas={"a": Decimal(14), "b": Decimal(-4)})

    (entry,) = entries_of_trade(trade, (step(1, filled="5"),))

    assert entry.attribution == {"a": Decimal(7), "b": Decimal(-2)}


def test_entries_of_trade_beyond_its_quantity_are_unattributed() -> None:
    entries = entries_of_trade(BUY, (step(1, filled="8"), step(2, filled="5"), step(3, filled="1")))

    assert entries[1].attribution == {"a": Decimal("0.8"), "b": Decimal("1.2"), UNATTRIBUTED: Decimal(3)}
    assert entries[2].attribution == {UNATTRIBUTED: Decimal(1)}


def test_entries_of_sale_beyond_its_quantity_are_negative() -> None:
    (entry,) = entries_of_trade(SELL, (step(1, filled="12"),))

    assert entry.attribution == {"a": Decimal(-4), "b": Decimal(-6), UNATTRIBUTED: Decimal(-2)}


def test_entries_of_trade_nobody_wants_add_up_with_the_extra() -> None:
    (entry,) = entries_of_trade(BUY.changed(deltas={}), (step(1, filled="12"),))

    assert entry.attribution == {UNATTRIBUTED: Decimal(12)}


def test_entries_of_trade_with_a_fill_without_price_raises_retryable() -> None:
    with pytest.raises(FillPriceMissingError, match=f"{TRADE_ID}-1 filled 2 shares without a price") as raised:
        entries_of_trade(BUY, (order("o1", f"{TRADE_ID}-1", filled="2", price=None),))

    assert raised.value.retryable


@pytest.mark.parametrize(("filled_s", "canceled_s", "expected_s"), [(2, 3, 2), (None, 3, 3), (None, None, 0)])
def test_entries_of_trade_take_the_last_time_the_broker_knows(
    filled_s: int | None, canceled_s: int | None, expected_s: int
) -> None:
    times = [None if seconds is None else AT + timedelta(seconds=seconds) for seconds in (filled_s, canceled_s)]
    partly = step(1, filled="1").changed(filled_at=times[0], canceled_at=times[1])

    (entry,) = entries_of_trade(BUY, (partly,))

    assert entry.filled_at == AT + timedelta(seconds=expected_s)
    assert entry.filled_at.tzinfo is UTC


@given(st.lists(st.integers(min_value=0, max_value=8), min_size=1, max_size=5))
def test_entries_of_trade_do_not_depend_on_how_many_are_final(quantities: list[int]) -> None:
    """An attempt that records after each order, and one that finds all of them, enter the same."""
    orders = tuple(step(number, filled=str(quantity)) for number, quantity in enumerate(quantities, start=1))

    at_once = entries_of_trade(BUY, orders)

    for final in range(len(orders) + 1):
        assert entries_of_trade(BUY, orders[:final]) == at_once[: sum(1 for quantity in quantities[:final] if quantity)]
    for entry in at_once:
        assert sum(entry.attribution.values(), Decimal(0)) == entry.quantity
