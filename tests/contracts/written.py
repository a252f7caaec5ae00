"""What the product writes today: one message of each type, and one item of each kind, through its own writers."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from tests.contracts.table import FakeTable
from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.examples import example
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.data_quality_monitor.acceptances import (
    ACCEPTED_KEY,
    Acceptance,
    Acceptances,
    write_acceptances,
)
from the_alchemiser.data_quality_monitor.doubts import DoubtKind
from the_alchemiser.data_quality_monitor.scorecards import (
    PASSED,
    SCORECARDS_KEY,
    Incident,
    Scorecard,
    Scorecards,
    StoredDispute,
    StoredDoubt,
    write_scorecards,
)
from the_alchemiser.data_v2.fetch_requests import DynamoFetchRequests
from the_alchemiser.data_v2.progress import DynamoProgress, RefreshProgress, SymbolOutcome
from the_alchemiser.metrics_v2.performance_table import DynamoPerformanceStore
from the_alchemiser.notifications_v2.channels import Delivery, DynamoDeliveries
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_KEY, ActionsEntry, ActionsFetch, write_actions
from the_alchemiser.shared.market_data.lake import Description
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, QuarantineEntry, Verdict, write_verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import REGISTRY, Difference, RunSettled, StrategyRequested, TradeRequested
from the_alchemiser.shared.performance.rows import AccountTotals, Performance
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.plan import RebalancePlan, trade_id
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import PLAN, SETTLEMENT, SIGNAL, STRATEGY, TRADE, Move, RunItem, RunState
from the_alchemiser.shared.values import Refusal, Side

NOW = datetime(2022, 3, 16, 19, 45, tzinfo=UTC)
GAP = date(2022, 3, 1)


def written() -> dict[str, Any]:
    """Return the JSON of one message or item of each kind, by the name of its contract."""
    messages = {kind.__name__: example(kind, symbols=2).to_content() for kind in REGISTRY}
    return messages | _runs() | _tables() | _objects()


def _runs() -> dict[str, Any]:
    table = FakeTable()
    store = DynamoRunStore(cast("Any", table), "runs")
    store.create(make.new_run(), by="coordinator_v2", at=NOW, outbox=(example(StrategyRequested),))
    buy = trade_id(make.RUN_ID, Side.BUY, "SPY")
    items = (
        RunItem(f"{STRATEGY}#calm", outbox.encode(make.evaluated("calm", {"SPY": "1"})), (make.signal(),), sent=False),
        RunItem(SIGNAL, outbox.encode(make.signal())),
        RunItem(PLAN, _plan().to_content()),
        RunItem(f"{TRADE}#{buy}", outbox.encode(make.executed("SPY", Side.BUY, "10"))),
        RunItem(SETTLEMENT, outbox.encode(example(RunSettled)), (example(RunSettled),), sent=False),
    )
    for item in items:
        store.put_once(make.RUN_ID, item)
    _move_through_every_state(store, buy)
    kinds = ("RunMeta", "RunStrategy", "RunSignal", "RunPlan", "RunTrade", "RunSettlement")
    return dict(zip(kinds, table.rows, strict=True)) | {"RunDay": table.others[0]}


def _plan() -> RebalancePlan:
    left_out = {"quarantined": {"628ESC012": "odd_symbol"}, "untradable": {"GONE": "not_tradable"}}
    plan = make.plan(make.decision("SPY", Side.BUY, "10"), make.decision("TLT", None))
    return plan.changed(investable=Decimal(99_000), **left_out)


def _move_through_every_state(store: DynamoRunStore, buy: str) -> None:
    refusal = Refusal(reason="day_limit", detail="3 trades were sent today")
    release = Release(
        quantities={buy: Decimal(10)},
        refused={trade_id(make.RUN_ID, Side.BUY, "TLT"): refusal},
        spendable=Decimal("1000.50"),
        factor=Decimal("0.5"),
    ).to_content()
    payloads = {RunState.SELLING: release, RunState.BUYING: release}
    for state in (RunState.AGGREGATED, RunState.PLANNED, RunState.SELLING, RunState.BUYING, RunState.COMPLETED):
        move = Move(RunState.EVALUATING, state, "a_module", NOW, NOW, payloads.get(state), (example(TradeRequested),))
        store.move(make.RUN_ID, move)

    run = store.load(make.RUN_ID)
    assert run is not None
    failure = Failure(reason="overdue_BUYING", detail="still BUYING", missing=(buy,))
    store.move(make.RUN_ID, failing_move(run, failure, by="coordinator_v2", at=NOW, occurred_at=NOW))
    store.mark_settled(make.RUN_ID)


def _tables() -> dict[str, Any]:
    books, ledger, performance, claims = FakeTable(), FakeTable(), FakeTable(), FakeTable()
    fetches, refreshes = FakeTable(), FakeTable()
    DynamoBooks(cast("Any", books), "runs").put(_books())
    DynamoLedger(cast("Any", ledger), "ledger").record(_fill())
    DynamoPerformanceStore(cast("Any", performance), "performance").put(_performance())
    DynamoFetchRequests(cast("Any", fetches), "requests", now=lambda: NOW).claim("SPY", message_id="a-message")
    DynamoProgress(cast("Any", refreshes), "requests", now=lambda: NOW).write(_progress())
    DynamoDeliveries(cast("Any", claims), "claims").record("notifications_v2#mail#a-message", Delivery(unanswered=1))
    return {
        "BooksOfDay": books.rows[0],
        "LedgerFill": ledger.rows[0],
        "PerformanceDay": performance.rows[0],
        "TradedSymbols": {"pk": "SYMBOLS", "sk": "TRADED", "kept": True, "symbols": ["SPY", "TLT"]},
        "FetchRequest": fetches.rows[0],
        "RefreshRequest": refreshes.rows[0],
        "Delivery": claims.rows[0],
    }


def _progress() -> RefreshProgress:
    timeout = "broker_timeout: GET /v2/stocks/bars: no answer in time"
    outcomes = {
        "SPY": SymbolOutcome(before="", after="0" * 64),
        "TLT": SymbolOutcome(before="1" * 64, after="1" * 64, error=timeout, is_retryable=True),
    }
    return RefreshProgress(request_id="a-request", symbols=("SPY", "TLT"), outcomes=outcomes)


def _fill() -> LedgerEntry:
    return LedgerEntry(
        symbol="SPY",
        filled_at=NOW,
        order_id="an-order",
        fill="1",
        client_order_id="an-order-1",
        trade_id="a-trade",
        run_id=make.RUN_ID,
        side=Side.BUY,
        quantity=Decimal("1.5"),
        price=Decimal("420.07"),
        cash=Decimal("-630.11"),
        attribution={"calm": Decimal(2), "bold": Decimal("-0.5")},
        planning_price=Decimal("420.05"),
    )


def _books() -> BooksCheck:
    difference = Difference(symbol="SPY", broker=Decimal("1.5"), books=Decimal(1), cause="ordered by hand: BUY 0.5")
    order = Difference(
        kind="order", symbol="TLT", broker=Decimal(2), books=Decimal(0), order="local-2022-03-16-BUY-TLT-1"
    )
    return BooksCheck(
        trading_date=make.DAY,
        state=CheckState.ACCEPTED,
        checked_at=NOW,
        holdings={"SPY": Decimal("1.5"), "628ESC012": Decimal(12)},
        held_at=NOW,
        account="123456789",
        runs=(make.RUN_ID,),
        differences=(difference, order),
        accepted_by="a-person",
    )


def _performance() -> Performance:
    return Performance(
        strategy="calm",
        trading_date=make.DAY,
        completed_at=NOW,
        run_id=make.RUN_ID,
        equity=Decimal(100_000),
        cash=Decimal(5_000),
        market_value=Decimal(95_000),
        cost=Decimal(90_000),
        realised=Decimal("12.5"),
        unrealised=Decimal(5_000),
        holdings={"SPY": Decimal("1.5")},
        unmarked=("TLT",),
        proceeds=Decimal(-90_000),
        turnover=Decimal(110_000),
        slippage=Decimal("4.25"),
        closed_lots=3,
        winning_lots=2,
        account=AccountTotals(
            owners=("bold", "calm"),
            strategies=Decimal("5012.5"),
            unattributed=Decimal(0),
            deposits=Decimal(-250),
            fees=Decimal("-0.42"),
            dividends=Decimal("1.02"),
            interest=Decimal("0.3"),
            other={"MISC": Decimal(7)},
            rounding=Decimal("0.001"),
            opening_equity=Decimal(95_000),
        ),
    )


def _objects() -> dict[str, Any]:
    objects = InMemoryObjects()
    verdict = Verdict(
        checked_at=NOW,
        as_of=make.AS_OF,
        quarantined={"SPY": "gap: 2022-03-01"},
        problems=("old",),
        entries=(QuarantineEntry(symbol="SPY", code="gap", detail="2022-03-01", since=GAP, expires=make.DAY),),
    )
    write_verdict(objects, verdict, keep_newer=True)
    write_scorecards(objects, _scorecards(), replaces=None)
    write_acceptances(objects, Acceptances(accepted=(_acceptance(),)), replaces=None)
    description = Description(
        rows=2,
        first_date=date(2022, 3, 14),
        last_date=make.AS_OF,
        digest="0" * 64,
        source="data.alpaca.markets",
        fetched_at=NOW,
        close_only=False,
        asked_from=date(2016, 3, 15),
    )
    split = CorporateAction("SPY", date(2022, 3, 21), CorporateActionKind.SPLIT, Decimal(1), Decimal(2))
    fetch = ActionsFetch(NOW, ("SPY", "TLT"), date(2021, 3, 15), date(2022, 3, 25), (split,))
    write_actions(objects, ActionsEntry(), fetch)
    return {
        "Verdict": json.loads(objects.objects[VERDICT_KEY].body),
        "Scorecards": json.loads(objects.objects[SCORECARDS_KEY].body),
        "Acceptances": json.loads(objects.objects[ACCEPTED_KEY].body),
        "Description": json.loads(description.to_json()),
        "StoredActions": json.loads(objects.objects[ACTIONS_KEY].body),
    }


def _scorecards() -> Scorecards:
    card = Scorecard(
        symbol="SPY",
        as_of=make.AS_OF,
        checks={"gap": "2022-03-01", "stale": PASSED},
        bars=1500,
        first_bar=date(2016, 3, 15),
        last_bar=make.AS_OF,
        gaps=1,
        disagreements=1,
        compared_on=make.AS_OF,
        comparison="1500 sessions compared, 1 disputed",
        quarantined_since=GAP,
        incidents=(Incident(code="gap", detail="2022-03-01", since=GAP, until=make.AS_OF, quarantines=True),),
        confirmed=(StoredDoubt(kind=DoubtKind.MOVE, date=date(2020, 3, 16), value=-0.1094),),
        disputes=(StoredDispute(code="disagreement", date=GAP, move=0.3, detail="a phrase", second=0.1),),
        unconfirmed=(StoredDoubt(kind=DoubtKind.FLAT, date=date(2020, 3, 17), value=6.0),),
        accepted=(_acceptance(),),
    )
    return Scorecards(checked_at=NOW, as_of=make.AS_OF, problems=("old",), symbols=(card,))


def _acceptance() -> Acceptance:
    return Acceptance(
        symbol="SPY",
        code="disagreement",
        date=GAP,
        value=0.3,
        second=0.1,
        detail="a phrase",
        by="a-person",
        at=NOW,
        reason="a reason",
    )


def as_json(content: Mapping[str, Any]) -> Any:
    """Return the content as a JSON file has it: a whole number of DynamoDB as an int, a set as a sorted list."""
    return json.loads(json.dumps(content, default=_plain_value))


def _plain_value(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else sorted(value)
