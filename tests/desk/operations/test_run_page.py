"""The page about a run shows each decision, each trade and non-trade with its reason, each order, and what is open."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from desk.operations import run_page
from desk.operations.run_page import average_price, decision_row, delivery_text, notice_row, order_row, result_of
from desk.operations.run_record import Notice, RunRecord, TradeRecord
from tests.desk.operations.records import (
    BUY_GLD,
    BUY_SPY,
    COMPLETED_ID,
    RUN_ID,
    SELL_QQQ,
    buying_record,
    failed_record,
    whole_record,
    with_stray_order,
)
from tests.the_alchemiser.results import CANCELLED_LATE, settled
from the_alchemiser.notifications_v2.channels import SENT, Delivery
from the_alchemiser.shared.broker.models import Order, OrderStatus
from the_alchemiser.shared.formats import MINUS
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import TradeFailed
from the_alchemiser.shared.run.runs import PLAN, SETTLEMENT, RunItem, RunState, Transition
from the_alchemiser.shared.values import Refusal, Side

Out = pytest.CaptureFixture[str]


def page(record: RunRecord, capsys: Out) -> list[str]:
    """Return the lines of the page, without the padding of its tables."""
    run_page.show(record)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def trade(trade_id: str, record: RunRecord | None = None) -> TradeRecord:
    return next(trade for trade in (record or whole_record()).trades if trade.trade_id == trade_id)


def order(**changes: Any) -> Order:
    plain = Order(
        id="o1",
        client_order_id=f"{BUY_SPY}-1",
        symbol="SPY",
        side=Side.BUY,
        type="limit",
        status=OrderStatus.CANCELED,
        quantity=Decimal(10),
        filled_quantity=Decimal("2.5"),
        filled_avg_price=Decimal("99.5"),
        limit_price=Decimal(100),
        submitted_at=datetime(2022, 3, 16, 19, 46, tzinfo=UTC),
        filled_at=None,
        canceled_at=None,
    )
    return plain.changed(**changes)


def test_page_of_a_completed_run(capsys: Out) -> None:
    lines = page(whole_record(), capsys)

    assert lines[0] == f"{RUN_ID}: COMPLETED, settled; decided on closes through 2022-03-15"
    assert f"equity $100,000.00 before, $99,988.63 after: {MINUS}$11.37 ({MINUS}0.01%)" in lines
    assert "cash $1,043.21" in lines
    assert "calm_balance 20.00% SPY 45.00%, TLT 35.00%, KO 20.00%" in lines
    assert any(line.startswith("SPY 39.00% calm_balance 9.00%, trend_following 30.00%") for line in lines)
    assert "plan: equity $100,000.00, cash $78,017.05, 99.00% deployed" in lines
    assert "SELLING: 1 trade released" in lines
    assert "BUYING: 5 trades released, $50,000.50 to spend, scaled by 0.5" in lines
    assert f"{SELL_QQQ} 61.5 61.5 61.5 $341.1359 filled" in lines
    assert f"{SELL_QQQ}-1 sell limit $341.14 61.5 61.5 $341.1359 filled yes" in lines
    assert f"{SELL_QQQ}-1 61.5 $341.1359 +$20,979.86 trend_following {MINUS}61.5" in lines
    assert f"{COMPLETED_ID} yes sent 1 time without an answer" in lines
    assert not any(line.startswith(("waiting for", "settled after", "left out", "failed")) for line in lines)


def test_page_has_the_reason_of_a_non_trade(capsys: Out) -> None:
    [row] = [line for line in page(whole_record(), capsys) if "no trade" in line]

    assert row.startswith("KO ")
    assert row.endswith("no trade the change of $1.20 is below the minimum of $100.00")


def test_page_explains_each_decision(capsys: Out) -> None:
    lines = page(whole_record(), capsys)

    start = lines.index("trend_following: 2 decisions, none fragile")
    assert lines[start + 1] == ("current-price SPY is 420.07, which is above moving-average-price SPY 200 (411.5).")


def test_page_marks_a_fragile_decision(capsys: Out) -> None:
    path = {**whole_record().decisions["calm_balance"]}
    path["steps"] = [{**path["steps"][0], "fragile": True}]

    lines = page(replace(whole_record(), decisions={"calm_balance": path}), capsys)

    assert "calm_balance: 1 decision, 1 of them fragile" in lines
    assert any(line.endswith("(fragile)") for line in lines)


def test_page_of_a_strategy_without_decisions(capsys: Out) -> None:
    assert "calm_balance: no decisions" in page(replace(whole_record(), decisions={"calm_balance": {}}), capsys)


def test_page_of_a_run_that_buys(capsys: Out) -> None:
    lines = page(buying_record(), capsys)

    assert lines[0] == f"{RUN_ID}: BUYING; decided on closes through 2022-03-15"
    assert f"{BUY_GLD}: day_notional_limit: the day is full" in lines
    assert any(line.endswith("not sent: day_notional_limit: the day is full") for line in lines)
    assert any(line.startswith(f"{BUY_SPY} ") and line.endswith(" 0 no outcome yet") for line in lines)
    waiting = lines[-1]
    assert waiting.startswith(f"waiting for: {BUY_GLD}, ")
    assert SELL_QQQ not in waiting


def test_page_of_a_failed_run(capsys: Out) -> None:
    lines = page(failed_record(), capsys)

    assert lines[0] == f"{RUN_ID}: FAILED, not settled yet; decided on closes through 2022-03-15"
    assert any(
        line.startswith("failed in EVALUATING: strategy_failed: sector_momentum: XOM has 120 bars")
        and line.endswith("; missing: sector_momentum")
        for line in lines
    )
    assert any("failed: too_little_history" in line for line in lines)
    assert "calm_balance 20.00% no answer" in lines
    for title in ("merged signal", "trades", "orders at the broker", "ledger"):
        assert title not in lines


def test_page_of_a_failure_without_anything_missing() -> None:
    record = failed_record()
    [failure] = record.run.outbox
    record = RunRecord(run=structs.replace(record.run, outbox=(failure.changed(missing=()),)))

    assert run_page.result_lines(record)[0].endswith("200 are needed")


def test_page_shows_an_order_that_belongs_to_no_trade(capsys: Out) -> None:
    [row] = [line for line in page(with_stray_order(), capsys) if "-BUY-ABC-" in line]

    assert row.startswith(f"{RUN_ID}-BUY-ABC-9 ")
    assert row.endswith(" no")


def test_page_without_the_broker_warns(capsys: Out) -> None:
    run_page.show(replace(whole_record(), broker_orders=(), broker_error="connection refused"))

    output = capsys.readouterr()
    assert "the orders are not known: the broker does not answer: connection refused" in output.err
    assert "orders at the broker" not in output.out


def test_page_of_a_run_that_left_something_out(capsys: Out) -> None:
    record = whole_record(degraded=True)
    assert record.plan is not None
    changes = {"quarantined": {"628ESC012": "odd_symbol"}, "untradable": {"AAA": "not_tradable"}}
    plan = record.plan.changed(**changes)
    late = settled(CANCELLED_LATE)
    items = {
        PLAN: RunItem(PLAN, plan.to_content()),
        SETTLEMENT: RunItem(SETTLEMENT, outbox.encode(late), (late,)),
    }
    record = replace(record, run=structs.replace(record.run, items={**record.run.items, **items}))

    lines = page(record, capsys)

    assert "COMPLETED, degraded, settled" in lines[0]
    assert "left out: 628ESC012: its symbol is not that of a listed stock or fund" in lines
    assert "left out: AAA: the broker does not trade it now" in lines
    assert "settled after the end of the run" in lines
    assert any(line.startswith(CANCELLED_LATE.client_order_id) for line in lines)


def test_timeline_counts_from_the_beginning() -> None:
    lines = run_page.timeline(whole_record())

    assert lines[0] == "2026-11-24 09:30:02 UTC  +0.0 s  EVALUATING  coordinator_v2"
    assert lines[-1] == "2026-11-24 09:30:06 UTC  +3.9 s  COMPLETED  trade_aggregator"


def test_timeline_of_a_run_without_one_is_empty() -> None:
    assert run_page.timeline(RunRecord(run=structs.replace(whole_record().run, timeline=()))) == []


def test_run_that_waits_for_its_next_step_says_so(capsys: Out) -> None:
    record = whole_record()
    run = structs.replace(record.run, state=RunState.BUYING, outbox=())

    assert page(replace(record, run=run), capsys)[-1] == "waiting for: its next step"


def test_row_of_a_decision() -> None:
    plan = whole_record().plan
    assert plan is not None
    [exit_] = [decision for decision in plan.decisions if decision.symbol == "QQQ"]

    assert decision_row(exit_) == (
        "QQQ",
        "61.5",
        "0.00%",
        "0",
        "$341.17",
        "$338.02",
        "sell 61.5",
        "no strategy wants it any more: full exit",
    )


def test_result_of_a_failed_trade() -> None:
    missed = trade(BUY_SPY, whole_record(missed="SPY"))
    text = "failed: not_filled: 87.250000 shares did not fill in time"

    assert result_of(missed) == text
    assert isinstance(missed.outcome, TradeFailed)
    unsettled = missed._replace(outcome=missed.outcome.changed(unsettled=True))
    assert result_of(unsettled) == f"{text}; an order may still rest at the broker"
    silent = missed._replace(outcome=missed.outcome.changed(detail=""))
    assert result_of(silent) == "failed: not_filled: the order did not fill in time"


def test_result_of_a_paused_trade_says_so_once() -> None:
    missed = trade(BUY_SPY, whole_record(missed="SPY"))
    assert isinstance(missed.outcome, TradeFailed)
    paused = {"reason": "trading_paused", "detail": "the kill switch is paused or cannot be read"}

    text = result_of(missed._replace(outcome=missed.outcome.changed(**paused)))

    assert text == "failed: trading_paused: the kill switch is paused or cannot be read"


def test_result_of_a_trade_without_an_outcome() -> None:
    waiting = trade(BUY_SPY)._replace(outcome=None)

    assert result_of(waiting) == "no outcome yet"
    assert result_of(waiting._replace(released=None)) == "not released"
    refusal = Refusal(reason="day_trade_limit", detail="200 a day")
    assert result_of(waiting._replace(released=None, refusal=refusal)) == "not sent: day_trade_limit: 200 a day"


def test_average_price_is_weighted_by_shares() -> None:
    executed = trade(BUY_SPY)
    assert executed.outcome is not None
    [fill] = executed.outcome.fills
    fills = (
        fill.changed(quantity=Decimal(1), price=Decimal(10)),
        fill.changed(quantity=Decimal(3), price=Decimal(20)),
    )

    assert average_price(executed._replace(outcome=executed.outcome.changed(fills=fills))) == "$17.50"
    assert average_price(executed._replace(outcome=executed.outcome.changed(fills=()))) == ""
    assert average_price(executed._replace(outcome=None)) == ""


def test_row_of_an_order() -> None:
    canceled = order()
    row = (f"{BUY_SPY}-1", "buy", "limit", "$100.00", "10", "2.5", "$99.50", "canceled")

    assert order_row(canceled, in_ledger=True) == (*row, "yes")
    assert order_row(canceled, in_ledger=False) == (*row, "no")


def test_row_of_a_market_order_without_a_fill() -> None:
    bare = order(limit_price=None, quantity=None, filled_quantity=Decimal(0), filled_avg_price=None, raw_status="odd")

    assert order_row(bare, in_ledger=False)[3:] == ("", "", "0", "", "odd", "nothing to record")


def test_orders_are_compared_with_the_ledger_one_by_one() -> None:
    spy = trade(BUY_SPY)
    second = spy.orders[0].changed(id="another", client_order_id=f"{BUY_SPY}-2")

    rows = run_page.order_rows([spy._replace(orders=(*spy.orders, second))])

    assert [(row[0], row[-1]) for row in rows] == [(f"{BUY_SPY}-1", "yes"), (f"{BUY_SPY}-2", "no")]


@pytest.mark.parametrize(
    ("delivery", "text"),
    [(SENT, "sent"), (Delivery(unanswered=2), "2 times without an answer"), (Delivery(), "not recorded")],
)
def test_delivery_in_words(delivery: Delivery, text: str) -> None:
    assert delivery_text(delivery) == text


def test_row_of_a_notice() -> None:
    notice = Notice("id", is_published=False, mail=SENT, topic=Delivery())

    assert notice_row(notice) == ("id", "not yet", "sent", "not recorded")


def test_states_of_the_timeline_are_shown_with_who_entered_them() -> None:
    line = Transition(RunState.FAILED, datetime(2026, 11, 24, 9, 30, tzinfo=UTC), "coordinator_v2")

    assert run_page.timeline(RunRecord(run=structs.replace(whole_record().run, timeline=(line,)))) == [
        "2026-11-24 09:30:00 UTC  +0.0 s  FAILED  coordinator_v2"
    ]
