"""The JSON about a run: every number as text, null for what is not there."""

import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from desk.operations.run_json import as_json
from desk.operations.run_record import RunRecord
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
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import TradeFailed
from the_alchemiser.shared.run.runs import SETTLEMENT, TRADE, RunItem


def content(record: RunRecord) -> Any:
    return json.loads(json.dumps(as_json(record)))


def trades(record: RunRecord) -> dict[str, Any]:
    return {trade["trade_id"]: trade for trade in content(record)["trades"]}


def strategies(record: RunRecord) -> dict[str, Any]:
    return {strategy["strategy"]: strategy for strategy in content(record)["strategies"]}


def test_json_has_these_fields_in_every_state() -> None:
    fields = {
        *("run_id", "stage", "trading_date", "as_of", "state", "settled", "waiting_for", "timeline", "failure"),
        *("degraded", "equity_before", "equity_after", "cash_after", "strategies", "signal", "plan", "releases"),
        *("trades", "unplanned_orders", "broker_error", "settlement", "notices"),
    }

    assert [set(content(record)) for record in (whole_record(), buying_record(), failed_record())] == [fields] * 3


def test_json_of_a_completed_run() -> None:
    run = content(whole_record(degraded=True))

    assert (run["run_id"], run["stage"], run["trading_date"], run["as_of"]) == (
        RUN_ID,
        "local",
        "2022-03-16",
        "2022-03-15",
    )
    assert (run["state"], run["settled"], run["degraded"], run["waiting_for"]) == ("COMPLETED", True, True, [])
    assert (run["equity_before"], run["equity_after"], run["cash_after"]) == ("100000", "99988.63", "1043.21")
    assert run["timeline"][0] == {
        "state": "EVALUATING",
        "at": "2026-11-24T09:30:02.117000+00:00",
        "by": "coordinator_v2",
    }
    assert (run["failure"], run["broker_error"], run["settlement"]) == (None, None, [])
    assert content(whole_record())["degraded"] is False


def test_json_of_a_strategy() -> None:
    strategy = strategies(whole_record())["calm_balance"]

    assert strategy["allocation"] == "0.2"
    assert strategy["weights"] == {"KO": "0.2", "SPY": "0.45", "TLT": "0.35"}
    assert strategy["cash"] == "0"
    assert (strategy["failure"], strategy["path_ref"]) == (
        None,
        f"s3://lake/decisions/v1/{RUN_ID}/calm_balance.json",
    )
    assert strategy["summary"] == "1 decision, none fragile"
    [step] = strategy["steps"]
    assert step["text"].startswith("weight-inverse-volatility 20: SPY 45.0%")
    assert step["fragile"] is False


def test_json_of_a_failed_run() -> None:
    run = content(failed_record())
    detail = "XOM has 120 bars through 2022-03-15; 200 are needed"

    assert run["failure"] == {
        "state": "EVALUATING",
        "reason": "strategy_failed",
        "detail": f"sector_momentum: {detail}",
        "missing": ["sector_momentum"],
    }
    by_name = strategies(failed_record())
    assert by_name["sector_momentum"]["failure"] == {"reason": "too_little_history", "detail": detail}
    assert by_name["sector_momentum"]["weights"] is None
    assert (by_name["calm_balance"]["failure"], by_name["calm_balance"]["weights"]) == (None, None)
    assert by_name["calm_balance"]["path_ref"] is None
    assert (by_name["calm_balance"]["summary"], by_name["calm_balance"]["steps"]) == ("", [])
    for field in ("signal", "plan", "degraded", "equity_before", "equity_after", "cash_after"):
        assert run[field] is None
    assert (run["releases"], run["trades"]) == ([], [])


def test_json_of_the_signal() -> None:
    signal = content(whole_record())["signal"]

    assert list(signal["weights"]) == sorted(signal["weights"])
    assert signal["weights"]["KO"] == "0.04"
    assert signal["cash"] == "0"
    assert signal["contributions"]["calm_balance"] == {"KO": "0.04", "SPY": "0.090", "TLT": "0.070"}


def test_json_of_the_plan_has_trades_and_non_trades() -> None:
    plan = content(whole_record())["plan"]
    decisions = {decision["symbol"]: decision for decision in plan["decisions"]}

    assert (plan["equity"], plan["cash"], plan["deployment_fraction"]) == ("100000", "78017.05", "0.99")
    assert (decisions["QQQ"]["side"], decisions["QQQ"]["trade_id"]) == ("SELL", SELL_QQQ)
    assert (decisions["KO"]["side"], decisions["KO"]["trade_id"]) == (None, None)
    assert decisions["KO"]["reason"] == "the change of $1.20 is below the minimum of $100.00"
    assert "run_id" not in plan


def test_json_of_the_releases() -> None:
    selling, buying = content(buying_record())["releases"]

    assert (selling["phase"], selling["quantities"], selling["spendable"]) == ("SELLING", {SELL_QQQ: "61.5"}, None)
    assert (buying["phase"], buying["factor"], buying["spendable"]) == ("BUYING", "0.5", "50000.5")
    assert buying["refused"] == {BUY_GLD: {"reason": "day_notional_limit", "detail": "the day is full"}}


def test_json_of_a_filled_trade() -> None:
    trade = trades(whole_record())[SELL_QQQ]

    assert {name: trade[name] for name in ("symbol", "side", "planned", "released", "filled", "state")} == {
        "symbol": "QQQ",
        "side": "SELL",
        "planned": "61.5",
        "released": "61.5",
        "filled": "61.5",
        "state": "filled",
    }
    assert (trade["reason"], trade["detail"], trade["unsettled"]) == (None, None, False)
    [order], [entry] = trade["orders"], trade["ledger"]
    assert (order["client_order_id"], order["run_id"]) == (f"{SELL_QQQ}-1", RUN_ID)
    assert entry == {
        "order_id": order["id"],
        "client_order_id": f"{SELL_QQQ}-1",
        "filled_at": "2022-03-16T19:45:30+00:00",
        "quantity": "61.5",
        "price": "341.1359",
        "cash": "20979.86",
        "attribution": {"trend_following": "-61.5"},
    }


def test_json_of_a_failed_trade() -> None:
    record = whole_record(missed="SPY")
    sk = f"{TRADE}#{BUY_SPY}"
    failed = outbox.decode(record.run.items[sk].body)
    assert isinstance(failed, TradeFailed)
    unsettled = RunItem(sk, outbox.encode(failed.changed(unsettled=True)))

    trade = trades(record)[BUY_SPY]
    left = trades(replace(record, run=structs.replace(record.run, items={**record.run.items, sk: unsettled})))[BUY_SPY]

    assert (trade["state"], trade["reason"]) == ("failed", "not_filled")
    assert (trade["detail"], trade["filled"]) == ("87.250000 shares did not fill in time", "0")
    assert (trade["unsettled"], left["unsettled"]) == (False, True)


def test_json_of_trades_without_an_outcome() -> None:
    by_id = trades(buying_record())

    assert (by_id[BUY_SPY]["state"], by_id[BUY_SPY]["filled"], by_id[BUY_SPY]["reason"]) == ("outstanding", None, None)
    assert (by_id[BUY_GLD]["state"], by_id[BUY_GLD]["released"]) == ("refused", None)
    assert (by_id[BUY_GLD]["reason"], by_id[BUY_GLD]["detail"]) == ("day_notional_limit", "the day is full")
    run = structs.replace(buying_record().run, payloads={})
    assert trades(replace(buying_record(), run=run))[BUY_SPY]["state"] == "not released"


def test_json_names_what_a_run_waits_for() -> None:
    waiting = content(buying_record())["waiting_for"]

    assert BUY_SPY in waiting
    assert SELL_QQQ not in waiting


@pytest.mark.parametrize("error", ["", "connection refused"])
def test_json_says_whether_the_broker_answered(error: str) -> None:
    assert content(replace(whole_record(), broker_error=error))["broker_error"] == (error or None)


def test_json_of_an_order_that_belongs_to_no_trade() -> None:
    [stray] = content(with_stray_order())["unplanned_orders"]

    assert (stray["client_order_id"], stray["run_id"]) == (f"{RUN_ID}-BUY-ABC-9", RUN_ID)


def test_json_of_settlement_and_notices() -> None:
    message = settled(CANCELLED_LATE)
    record = whole_record()
    items = {**record.run.items, SETTLEMENT: RunItem(SETTLEMENT, outbox.encode(message), (message,))}

    run = content(replace(record, run=structs.replace(record.run, items=items)))

    assert [order["client_order_id"] for order in run["settlement"]] == [CANCELLED_LATE.client_order_id]
    assert run["notices"] == [
        {
            "message_id": COMPLETED_ID,
            "published": True,
            "mail": {"sent": True, "unanswered": 0},
            "topic": {"sent": False, "unanswered": 1},
        }
    ]
