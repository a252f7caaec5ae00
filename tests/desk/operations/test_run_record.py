"""Which run is meant, and that everything known about it is gathered, also when it has not ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from automation.system.errors import UsageError
from desk.operations.run_record import RecordSources, RunRecord, find_run, gather
from tests.desk.evidence import DAY
from tests.desk.operations.duty import UNREACHABLE, FakeBroker
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
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from tests.the_alchemiser.results import CANCELLED_LATE, settled
from the_alchemiser.notifications_v2.channels import SENT, Delivery
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.run.runs import SETTLEMENT, Run, RunItem, RunState


@dataclass
class FakeDeliveries:
    """What is recorded of notices, by key."""

    records: Mapping[str, Delivery] = field(default_factory=dict)

    def read(self, key: str) -> Delivery:
        return self.records.get(key, Delivery())

    def record(self, key: str, delivery: Delivery) -> None:
        raise AssertionError("nothing is written")


def sources(*runs: Run, broker: FakeBroker | None = None, latest: str = "", **deliveries: Delivery) -> RecordSources:
    store = InMemoryRunStore()
    store.runs = {run.run_id: run for run in runs}
    ledger = InMemoryLedger()
    for entry in whole_record().ledger:
        ledger.record(entry)
    records = {f"notifications_v2#{channel}#{COMPLETED_ID}": delivery for channel, delivery in deliveries.items()}

    def decision(path_ref: str) -> Mapping[str, Any]:
        return {"from": path_ref}

    return RecordSources(
        "local", store, ledger, broker or FakeBroker(), FakeDeliveries(records), decision, lambda: latest
    )


def later() -> Run:
    return replace(failed_record().run, run_id=f"{RUN_ID}-r1")


@pytest.mark.parametrize(
    ("name", "run_id"),
    [(RUN_ID, RUN_ID), (f"{RUN_ID}-r1", f"{RUN_ID}-r1"), ("latest", "x"), ("2022-03-16", f"{RUN_ID}-r1")],
)
def test_find_run_by_id_date_or_latest(name: str, run_id: str) -> None:
    other_day = replace(later(), run_id="x")

    assert find_run(sources(whole_record().run, later(), other_day, latest="x"), name).run_id == run_id


@pytest.mark.parametrize("name", ["local-2022-03-17", "2022-03-17", "latest", "", "x2022-03-16", "2022-03-16x"])
def test_find_run_that_does_not_exist(name: str) -> None:
    with pytest.raises(
        UsageError, match=f"there is no run '{name}' in this environment; name a run such as local-2026"
    ):
        find_run(sources(), name)


def test_find_run_of_a_date_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="2022-02-31 is not a date"):
        find_run(sources(), "2022-02-31")


def test_gather_everything_about_a_run() -> None:
    run = whole_record().run
    broker = FakeBroker(listed=list(whole_record().broker_orders))

    record = gather(sources(run, broker=broker, mail=SENT, topic=Delivery(unanswered=2)), run)

    assert record.run == run
    assert record.broker_orders == whole_record().broker_orders
    assert record.broker_error == ""
    assert {entry.trade_id for entry in record.ledger} == {entry.trade_id for entry in whole_record().ledger}
    assert record.notices == ((COMPLETED_ID, True, SENT, Delivery(unanswered=2)),)
    assert record.decisions["calm_balance"] == {"from": f"s3://lake/decisions/v1/{RUN_ID}/calm_balance.json"}
    assert len(record.decisions) == 3


def test_gather_lists_all_orders_since_the_day_began() -> None:
    broker = FakeBroker()

    gather(sources(broker=broker), whole_record().run)

    assert broker.asked == [(datetime(2022, 3, 16, tzinfo=new_york()), "all")]


def test_gather_before_the_plan_asks_for_no_orders() -> None:
    record = gather(sources(broker=FakeBroker(error=UNREACHABLE)), failed_record().run)

    assert (record.broker_orders, record.broker_error) == ((), "")


def test_gather_without_the_broker_has_the_rest() -> None:
    record = gather(sources(broker=FakeBroker(error=UNREACHABLE)), whole_record().run)

    assert record.broker_error == "GET /v2/clock: connection refused"
    assert (record.broker_orders, len(record.ledger)) == ((), 6)


def test_notices_are_those_that_people_get() -> None:
    """A settlement is one of them, a request for a strategy is not."""
    message = settled(CANCELLED_LATE)
    item = RunItem(SETTLEMENT, outbox.encode(message), (message,), sent=False)
    run = whole_record().run
    run = replace(run, items={**run.items, SETTLEMENT: item}, sent=True)

    notices = gather(sources(), run).notices

    assert [(notice.message_id, notice.is_published) for notice in notices] == [
        (COMPLETED_ID, True),
        (message.message_id, False),
    ]
    assert notices[1].mail == Delivery()


def test_failed_strategy_has_no_decision() -> None:
    record = gather(sources(), failed_record().run)

    assert record.decisions == {}
    assert [notice.message_id for notice in record.notices] == [f"{RUN_ID}/RunFailed/run"]


def test_trades_join_plan_release_orders_and_ledger() -> None:
    trades = {trade.trade_id: trade for trade in whole_record().trades}

    assert next(iter(trades)) == SELL_QQQ
    spy = trades[BUY_SPY]
    assert spy.released == spy.decision.quantity / 2
    assert (spy.refusal, spy.outcome is not None) == (None, True)
    assert [order.client_order_id for order in spy.orders] == [f"{BUY_SPY}-1"]
    assert [entry.trade_id for entry in spy.ledger] == [BUY_SPY]
    assert len(trades) == 6


def test_trades_of_a_run_that_buys() -> None:
    trades = {trade.trade_id: trade for trade in buying_record().trades}

    refusal = trades[BUY_GLD].refusal
    assert refusal is not None
    assert (refusal.reason, trades[BUY_GLD].released) == ("day_notional_limit", None)
    assert (trades[BUY_SPY].refusal, trades[BUY_SPY].outcome) == (None, None)
    assert trades[SELL_QQQ].released == Decimal("61.5")


def test_order_that_belongs_to_no_trade_is_named() -> None:
    assert [order.id for order in with_stray_order().unplanned_orders] == [f"{RUN_ID}-BUY-ABC-9"]
    assert whole_record().unplanned_orders == ()


def test_trades_before_the_plan_are_none() -> None:
    assert failed_record().trades == ()


def test_phases_are_those_that_have_begun() -> None:
    run = whole_record().run
    selling = {RunState.SELLING: run.payloads[RunState.SELLING]}
    record = RunRecord(run=replace(run, payloads=selling))

    assert list(whole_record().phases) == [RunState.SELLING, RunState.BUYING]
    assert list(record.phases) == [RunState.SELLING]
    assert failed_record().phases == {}


def test_day_of_the_records_is_the_one_of_the_evidence() -> None:
    assert date(2022, 3, 16) == DAY
