"""The invariants of runs notice their planted violations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.exchange.orders import Side
from tests.simulation.end_state import Gauge, RunChange
from tests.simulation.healthy import (
    DAY,
    ENDED,
    RERUN,
    RUN,
    SELL,
    SELL_ID,
    SETTLED,
    SOLD,
    completed,
    fill,
    history,
    published,
    rerun_at,
    run,
    sent,
    sentences,
    trade_item,
)
from tests.simulation.scenario import Act, ActKind, Condition, ConditionKind, FaultKind
from the_alchemiser.shared.run.runs import RunState

HEALTHY = history()
SALE, PURCHASE = HEALTHY.orders
MILLISECOND = timedelta(milliseconds=1)


def test_run_that_has_not_ended_violates() -> None:
    runs = {RUN: run(state=RunState.SELLING)}
    assert sentences("one_terminal_state", runs=runs) == [f"{RUN} is still SELLING"]


def test_run_that_ended_twice_violates() -> None:
    changes = (*HEALTHY.changes, RunChange(SETTLED, RUN, "FAILED"))
    assert sentences("one_terminal_state", changes=changes) == [f"{RUN} ended 2 times: COMPLETED, FAILED"]


def test_run_that_was_never_settled_violates() -> None:
    runs = {RUN: run(settled=False)}
    assert sentences("every_run_is_settled", runs=runs) == [f"{RUN} is COMPLETED, but was never settled"]


def test_rerun_that_began_when_the_first_run_was_settled_is_right() -> None:
    assert sentences("one_run_at_a_time", **rerun_at(SETTLED)) == []


def test_rerun_that_began_before_the_first_run_was_settled_violates() -> None:
    expected = [f"{RERUN} began before {RUN} was settled"]
    assert sentences("one_run_at_a_time", **rerun_at(SETTLED - MILLISECOND)) == expected


def test_day_that_names_an_earlier_run_violates() -> None:
    expected = [f"{RERUN} began last on its day, but no day names it"]
    assert sentences("one_run_at_a_time", **rerun_at(SETTLED, owner=RUN)) == expected


def test_trade_sent_before_its_run_began_violates() -> None:
    messages = (sent(SELL, HEALTHY.started_at - MILLISECOND),)
    expected = [f"{RUN}/TradeRequested/{SELL} was sent before its run began"]
    assert sentences("trades_wait_for_their_run", trade_messages=messages) == expected


def without_sale(state: RunState, missing: tuple[str, ...] = ()) -> Mapping[str, Any]:
    items = {sk: item for sk, item in run().items.items() if not sk.endswith(SELL)}
    return {"runs": {RUN: run(items=items, state=state, payloads={RunState.FAILED: {"missing": missing}})}}


def test_trade_without_outcome_violates() -> None:
    expected = [f"{SELL} was sent, has no outcome, and {RUN} (COMPLETED) does not name it"]
    assert sentences("no_trade_is_lost", **without_sale(RunState.COMPLETED)) == expected


def test_trade_without_outcome_that_the_failure_names_is_right() -> None:
    assert sentences("no_trade_is_lost", **without_sale(RunState.FAILED, (SELL,))) == []


def test_fill_that_nobody_reads_of_violates() -> None:
    orders = (replace(SALE, filled_qty=Decimal(11)), PURCHASE)
    assert sentences("fills_are_reported", orders=orders) == [f"{SELL}-1 filled 11, but people read of 10"]


def test_late_fill_that_the_settlement_reports_is_right() -> None:
    settled = published("RunSettled", orders=[{"order_id": str(SELL_ID), "filled_quantity": "11"}])
    orders = (replace(SALE, filled_qty=Decimal(11)), PURCHASE)
    assert sentences("fills_are_reported", orders=orders, published=(settled,)) == []


def test_calm_day_without_a_run_violates() -> None:
    expected = [f"nothing stopped the run of {DAY}, but the day's runs are missing"]
    assert sentences("trouble_stays_local", runs={}, published=()) == expected


def test_calm_day_with_a_failed_run_violates() -> None:
    expected = [f"nothing stopped the run of {DAY}, but the day's runs are FAILED"]
    assert sentences("trouble_stays_local", runs={RUN: run(state=RunState.FAILED)}) == expected


def halted(symbol: str) -> Mapping[str, Any]:
    conditions = (Condition(ConditionKind.HALTED, symbol, SOLD, ENDED),)
    return {"scenario": replace(HEALTHY.scenario, conditions=conditions)}


@pytest.mark.parametrize(
    ("reason", "circumstances", "violates"),
    [
        ("not_filled", {}, True),
        ("insufficient_buying_power", {}, True),
        ("not_filled", halted("AAA"), False),
        ("not_filled", halted("BBB"), True),
        ("insufficient_buying_power", halted("BBB"), False),
    ],
)
def test_failed_trade_needs_a_reason_of_its_symbol(
    reason: str, circumstances: Mapping[str, Any], violates: bool
) -> None:
    outcome = {"trade_id": SELL, "symbol": "AAA", "filled_quantity": "0", "reason": reason}
    expected = [f"{SELL} failed for no reason of its symbol: {reason}"] if violates else []
    messages = (completed(outcomes=[outcome]),)
    assert sentences("trouble_stays_local", **circumstances, published=messages) == expected


@pytest.mark.parametrize(
    "trouble",
    [
        {"faults": {"a": FaultKind.STALL}},
        {"scenario": replace(HEALTHY.scenario, acts=(Act(ActKind.PAUSE, ENDED),))},
        halted(""),
        {"scenario": replace(HEALTHY.scenario, late_data=True)},
        {"scenario": replace(HEALTHY.scenario, requests_per_minute=199)},
        {"scenario": replace(HEALTHY.scenario, settings={"DAY_TRADE_LIMIT": "1"})},
    ],
)
def test_day_that_was_disturbed_may_fail(trouble: Mapping[str, Any]) -> None:
    assert sentences("trouble_stays_local", runs={}, **trouble) == []


@pytest.mark.parametrize(("filled", "violates"), [("9.99", True), ("9.990001", False), ("10", False)])
def test_executed_trade_that_did_not_fill_violates(filled: str, violates: bool) -> None:
    fills = (fill(SELL_ID, Side.SELL, "AAA", filled, SOLD), HEALTHY.fills[1])
    expected = [f"{SELL} counts as executed, but 0.01 shares did not fill"] if violates else []
    assert sentences("executed_is_filled", fills=fills) == expected


def test_failed_trade_need_not_fill() -> None:
    item = trade_item(SELL, SELL_ID, "10")
    failed = item.changed(body={"message": {**item.body["message"], "reason": "not_filled"}})
    runs = {RUN: run(items={**run().items, item.sk: failed})}
    assert sentences("executed_is_filled", runs=runs, fills=HEALTHY.fills[1:]) == []


@pytest.mark.parametrize(
    ("at", "value", "violates"),
    [(ENDED, 1.0, False), (SETTLED, 0.0, False), (SETTLED, 1.0, True), (ENDED, 0.0, True)],
)
def test_figure_of_days_without_a_run_must_be_right(at: datetime, value: float, violates: bool) -> None:
    expected = [f"{DAY}: the figure of days without a run is {value:g}"] if violates else []
    assert sentences("days_are_measured_rightly", gauges=(Gauge(at, "DaysWithoutRun", value),)) == expected


def test_other_figures_do_not_matter() -> None:
    assert sentences("days_are_measured_rightly", gauges=(Gauge(SETTLED, "Equity", 1.0),)) == []


def test_completed_message_that_differs_from_the_items_violates() -> None:
    message = completed(outcomes=[{"trade_id": SELL, "filled_quantity": "9", "reason": None}])
    expected = [f"{SELL}: RunCompleted says 9, the run 10"]
    assert sentences("outcomes_are_the_last_word", published=(message,)) == expected


@pytest.mark.parametrize(
    ("trouble", "degraded", "violates"),
    [
        ({}, True, True),
        ({"quarantined": {"ZVZZT": "no_price"}}, False, True),
        ({"untradable": {"CCC": "not_tradable"}}, False, True),
        ({"untradable": {"CCC": "not_tradable"}}, True, False),
        ({"outcomes": [{"trade_id": SELL, "filled_quantity": "10", "reason": "not_filled"}]}, False, True),
    ],
)
def test_degraded_flag_must_match_the_trouble(trouble: Mapping[str, Any], degraded: bool, violates: bool) -> None:
    message = completed(**trouble, degraded=degraded)
    expected = [f"{RUN} says degraded = {degraded}, expected {not degraded}"] if violates else []
    assert sentences("degraded_runs_say_so", published=(message,)) == expected


def test_run_that_publishes_both_ends_violates() -> None:
    expected = [f"{RUN} is COMPLETED; it published 1 RunCompleted and 1 RunFailed"]
    assert sentences("every_end_is_published", published=(completed(), published("RunFailed"))) == expected


def test_run_that_publishes_no_end_violates() -> None:
    expected = [f"{RUN} is COMPLETED; it published 0 RunCompleted and 0 RunFailed"]
    assert sentences("every_end_is_published", published=()) == expected


def test_run_that_publishes_two_contents_violates() -> None:
    messages = (completed(), completed(degraded=True))
    expected = [f"{RUN} is COMPLETED; it published 2 RunCompleted and 0 RunFailed"]
    assert sentences("every_end_is_published", published=messages) == expected


def test_end_that_is_published_twice_with_one_content_is_right() -> None:
    assert sentences("every_end_is_published", published=(completed(), completed())) == []
