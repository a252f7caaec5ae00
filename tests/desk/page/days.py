"""Runs that a page must survive: hostile names, and thousands of trades."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from msgspec import structs

from desk.operations.run_record import RunRecord
from tests.desk.evidence import DAY, item, order_of, outcome_of, plan_of
from tests.desk.operations.records import whole_record
from the_alchemiser.shared.run.plan import TradeDecision
from the_alchemiser.shared.run.runs import PLAN, TRADE, RunItem
from the_alchemiser.shared.values import Side

RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT OVERRIDE}"
SCRIPT = "<script>document.title='taken'</script>"
HOSTILE = f"{SCRIPT}<img src=x onerror=alert(1)>\"'&amp;{RIGHT_TO_LEFT}kcatta \N{ROCKET}" + "x" * 110
RENAMED = "trend_following"
MANY = 3000


def hostile_record() -> RunRecord:
    """Return a completed run with a strategy whose name is markup, 200 characters long."""
    record = whole_record()
    allocations = {HOSTILE if name == RENAMED else name: part for name, part in record.run.allocations.items()}
    items = {
        sk.replace(RENAMED, HOSTILE): structs.replace(
            entry, sk=entry.sk.replace(RENAMED, HOSTILE), body=_renamed(entry.body)
        )
        for sk, entry in record.run.items.items()
    }
    return replace(
        record,
        run=structs.replace(record.run, allocations=allocations, items=items),
        decisions={HOSTILE if name == RENAMED else name: path for name, path in record.decisions.items()},
    )


def large_record(count: int = MANY) -> RunRecord:
    """Return a completed run of this many trades, each filled by one order."""
    record = whole_record()
    decisions = tuple(_decision(number) for number in range(count))
    plan = plan_of(DAY, equity=Decimal(10_000_000)).changed(decisions=decisions)
    planned = plan.by_trade_id()
    orders = {trade: order_of(line, DAY, filled=line.quantity) for trade, line in planned.items()}

    items = {sk: entry for sk, entry in record.run.items.items() if not sk.startswith(f"{TRADE}#")}
    items[PLAN] = RunItem(PLAN, plan.to_content())
    for trade, line in planned.items():
        items[f"{TRADE}#{trade}"] = item(f"{TRADE}#{trade}", outcome_of(line, orders[trade], DAY))
    return replace(
        record,
        run=structs.replace(record.run, items=items),
        broker_orders=tuple(orders.values()),
        ledger=(),
    )


def idle_record() -> RunRecord:
    """Return a completed run whose plan has no trade."""
    record = whole_record()
    assert record.plan is not None
    kept = tuple(
        line.changed(side=None, quantity=Decimal(0), reason="the change of $1.20 is below the minimum of $100.00")
        for line in record.plan.decisions
    )
    items = {sk: entry for sk, entry in record.run.items.items() if not sk.startswith(f"{TRADE}#")}
    items[PLAN] = RunItem(PLAN, record.plan.changed(decisions=kept).to_content())
    return replace(record, run=structs.replace(record.run, items=items), broker_orders=(), ledger=())


def _decision(number: int) -> TradeDecision:
    price = Decimal(20) + Decimal(number % 400) / 4
    return TradeDecision(
        symbol=f"S{number:04d}",
        side=Side.SELL if number % 3 == 0 else Side.BUY,
        quantity=Decimal(10 + number % 7),
        held=Decimal(20),
        price=price,
        last_close=price - 1,
        target_weight=Decimal("0.0003"),
        target_quantity=Decimal(30),
        reason="below target by its whole weight",
        deltas={},
    )


def _renamed(body: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(body).replace(RENAMED, json.dumps(HOSTILE)[1:-1])
    return dict(json.loads(text))
