"""The invariants of orders notice their planted violations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from sandbox.exchange.orders import OrderStatus, Side
from sandbox.exchange.positions import Adjustment
from tests.simulation.end_state import AccountView, RunChange
from tests.simulation.healthy import (
    BOUGHT,
    BUY,
    BUY_ID,
    DAY,
    ENDED,
    INVOCATION,
    RERUN,
    RUN,
    SELL,
    SELL_ID,
    SOLD,
    after,
    fill,
    history,
    line,
    post,
    rerun_at,
    run,
    sentences,
)
from tests.simulation.order_invariants import EXECUTION_WINDOW
from tests.simulation.scenario import AccountPlan, OddPosition
from the_alchemiser.shared.run.runs import PLAN

HEALTHY = history()
SALE, PURCHASE = HEALTHY.orders
SALE_FILL, PURCHASE_FILL = HEALTHY.fills
EXTRA = UUID(int=3)
MILLISECOND = timedelta(milliseconds=1)


def test_client_order_id_accepted_twice_violates() -> None:
    orders = (*HEALTHY.orders, replace(SALE, id=EXTRA))
    expected = [f"the exchange accepted {SELL}-1 2 times"]
    assert sentences("unique_client_order_ids", orders=orders) == expected


def test_order_of_no_trade_violates() -> None:
    orders = (replace(SALE, client_order_id=f"{SELL}-1-x7"), PURCHASE)
    assert sentences("planned_orders_only", orders=orders) == [f"{SELL}-1-x7 is an order of no planned trade"]


def test_order_of_the_owner_is_right() -> None:
    orders = (*HEALTHY.orders, replace(SALE, id=EXTRA, client_order_id="by hand"))
    assert sentences("planned_orders_only", orders=orders, owner_order_ids=frozenset({str(EXTRA)})) == []


@pytest.mark.parametrize("changes", [{"symbol": "CCC"}, {"side": Side.BUY}])
def test_order_of_another_symbol_or_side_violates(changes: Mapping[str, Any]) -> None:
    changed = replace(SALE, **changes)
    expected = [f"{SELL}-1 is a {changed.side} of {changed.symbol}"]
    assert sentences("planned_orders_only", orders=(changed, PURCHASE)) == expected


def test_fills_beyond_the_plan_of_the_run_violate() -> None:
    fills = (*HEALTHY.fills, fill(BUY_ID, Side.BUY, "BBB", "0.5", after(2.5)))
    expected = [f"during {RUN}, 5.5 BBB were traded (buy) for a plan of 5"]
    assert sentences("never_beyond_the_plan", fills=fills) == expected


def test_fill_of_an_old_trade_during_a_rerun_violates() -> None:
    """The rerun has no plan yet: nothing may fill, for whatever run."""
    items = {sk: item for sk, item in run().items.items() if sk != PLAN}
    changes = dict(rerun_at(BOUGHT))
    changes["runs"] = {RUN: run(), RERUN: structs.replace(run(), run_id=RERUN, items=items)}
    expected = [f"during {RERUN}, 5 BBB were traded (buy) for a plan of 0"]
    assert sentences("never_beyond_the_plan", **changes) == expected


def test_fill_beyond_the_trade_violates() -> None:
    fills = (SALE_FILL, replace(PURCHASE_FILL, qty=Decimal("5.1")))
    assert sentences("never_beyond_the_trade", fills=fills) == [f"{BUY} filled 5.1 for a plan of 5"]


def test_sell_that_leaves_a_short_violates() -> None:
    opening = AccountView(Decimal(0), {"AAA": Decimal(9)})
    assert sentences("never_short", opening=opening) == [f"{SELL} sold 10 AAA and left -1"]


def test_short_that_the_owner_opened_is_not_ours() -> None:
    opening = AccountView(Decimal(0), {"AAA": Decimal(10)})
    fills = (*HEALTHY.fills, fill(EXTRA, Side.SELL, "AAA", "3", ENDED))
    assert sentences("never_short", opening=opening, fills=fills) == []


def test_shares_that_a_split_made_may_be_sold() -> None:
    opening = AccountView(Decimal(0), {"AAA": Decimal(1)})
    split = Adjustment("AAA", DAY, Decimal(1), Decimal(10), Decimal(0))
    assert sentences("never_short", opening=opening, adjustments=(split,)) == []


@pytest.mark.parametrize(("beyond", "violates"), [(timedelta(0), False), (MILLISECOND, True)])
def test_order_after_the_end_of_its_run_violates(beyond: timedelta, violates: bool) -> None:
    submitted = ENDED + EXECUTION_WINDOW + beyond
    expected = [f"{SELL}-1 was accepted 100.0 s after {RUN} ended"] if violates else []
    orders = (replace(SALE, submitted_at=submitted), PURCHASE)
    assert sentences("never_for_a_dead_run", orders=orders) == expected


def test_order_after_its_run_was_settled_violates() -> None:
    changes = (RunChange(ENDED, RUN, "COMPLETED"), RunChange(ENDED, RUN, "settled"))
    orders = (replace(SALE, submitted_at=ENDED + timedelta(seconds=2)), PURCHASE)
    expected = [f"{SELL}-1 was accepted 2.0 s after {RUN} was settled"]
    assert sentences("never_for_a_dead_run", orders=orders, changes=changes) == expected


def test_order_that_rests_at_the_end_violates() -> None:
    orders = (replace(SALE, status=OrderStatus.NEW), PURCHASE)
    assert sentences("nothing_rests", orders=orders) == [f"{SELL}-1 is still new"]


def test_successor_of_our_order_that_rests_violates() -> None:
    successor = replace(SALE, id=EXTRA, client_order_id="edited", replaces=SELL_ID, status=OrderStatus.NEW)
    assert sentences("nothing_rests", orders=(*HEALTHY.orders, successor)) == ["edited is still new"]


@pytest.mark.parametrize(("price", "violates"), [("101.2", False), ("98.8", False), ("101.21", True), ("98.79", True)])
def test_fill_far_from_the_planning_price_violates(price: str, violates: bool) -> None:
    fills = (fill(SELL_ID, Side.SELL, "AAA", "10", SOLD, price=price),)
    expected = [f"{SELL} filled at {price}, 1.2% from 100"] if violates else []
    assert sentences("never_at_a_wild_price", fills=fills) == expected


def test_fill_far_from_the_planning_price_is_the_owners_when_he_changed_the_limit() -> None:
    edited = replace(SALE, id=EXTRA, client_order_id="edited", replaces=SELL_ID)
    fills = (fill(EXTRA, Side.SELL, "AAA", "10", SOLD, price="90"),)
    assert sentences("never_at_a_wild_price", orders=(*HEALTHY.orders, edited), fills=fills) == []


def test_order_sent_after_a_pause_was_read_violates() -> None:
    trace = (line("ssm.get_parameter", SOLD, result="paused"), *HEALTHY.trace[1:])
    expected = [f"{SELL}-1 was sent, but the kill switch was paused"]
    assert sentences("never_after_a_pause", trace=trace) == expected


def test_order_sent_without_reading_the_switch_again_violates() -> None:
    posts = (*HEALTHY.posts, post(f"{BUY}-2", "buy", "BBB", BOUGHT + timedelta(seconds=5)))
    expected = [f"{BUY}-2 was sent, but the kill switch was not read"]
    assert sentences("never_after_a_pause", posts=posts) == expected


def test_order_of_a_function_that_was_killed_then_needs_its_own_reading_of_the_switch() -> None:
    trace = (line("ssm.get_parameter", SOLD, result="enabled"), line("broker.POST /v2/orders", SOLD, result="killed"))
    assert sentences("never_after_a_pause", trace=trace, posts=HEALTHY.posts[:1]) == []


def test_switch_read_by_another_invocation_does_not_count() -> None:
    trace = (line("ssm.get_parameter", SOLD, result="enabled", invocation=f"{INVOCATION}+2"),)
    expected = [f"{SELL}-1 was sent, but the kill switch was not read"]
    assert sentences("never_after_a_pause", trace=trace, posts=HEALTHY.posts[:1]) == expected


ODD = replace(HEALTHY.scenario, account=AccountPlan(odd=(OddPosition("AAA", Decimal(10), None),)))


def test_order_of_an_odd_symbol_violates() -> None:
    assert sentences("quarantined_stays", scenario=ODD) == [f"{SELL}-1 trades AAA, which must stay"]


@pytest.mark.parametrize(
    ("left", "ex_date", "violates"), [("0", DAY, False), ("0", DAY + timedelta(days=1), True), ("1", DAY, True)]
)
def test_order_of_an_odd_symbol_is_right_once_a_split_made_it_cash(left: str, ex_date: date, violates: bool) -> None:
    split = Adjustment("AAA", ex_date, Decimal(10), Decimal(left), Decimal(0))
    expected = [f"{SELL}-1 trades AAA, which must stay"] if violates else []
    assert sentences("quarantined_stays", scenario=ODD, adjustments=(split,)) == expected
