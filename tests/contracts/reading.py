"""How the product reads each message and item: through its own readers."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from msgspec.structs import replace

from desk.deployment.stored_items import FetchRequest, RunDay
from tests.contracts.table import FakeTable
from tests.contracts.written import NOW, written
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.data_quality_monitor.acceptances import ACCEPTED_KEY, read_acceptances
from the_alchemiser.data_quality_monitor.scorecards import SCORECARDS_KEY, read_scorecards
from the_alchemiser.data_v2.progress import DynamoProgress
from the_alchemiser.metrics_v2.performance_table import DynamoPerformanceStore
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_KEY, read_actions_entry
from the_alchemiser.shared.market_data.lake import Lake, description_key
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, read_verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.delivery import parse
from the_alchemiser.shared.performance.rows import performance_of
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.progress import plan_of, releases_of
from the_alchemiser.shared.run.runs import Run

type Content = Mapping[str, Any]


def read(kind: str, content: Content) -> Any:
    """Return what the product makes of a message or an item; its contract has the name `kind`."""
    reader = READERS.get(kind)
    return _message(kind, content) if reader is None else reader(content)


def _message(kind: str, content: Content) -> Any:
    return parse(json.dumps({"detail-type": kind, "detail": content}))


def _load(*rows: Content) -> Run:
    run = DynamoRunStore(cast("Any", FakeTable(*rows)), "runs").load("a-run")
    assert run is not None
    return run


def _meta(row: Content) -> Any:
    run = _load(row)
    # The payloads are JSON as it was stored; releases are the part of them that the product reads.
    return replace(run, payloads={}), sorted(run.payloads), releases_of(run)


def _item(row: Content) -> Any:
    item = _load(written()["RunMeta"], row).items[row["sk"]]
    return outbox.decode(item.body), item.outbox, item.sent


def _plan(row: Content) -> Any:
    return plan_of(_load(written()["RunMeta"], row))


def _day(row: Content) -> Any:
    return RunDay.read(row)  # DynamoDB itself compares it, in a condition


def _books(row: Content) -> Any:
    # The condition of the next write compares the state and the time with those of the check that was read.
    return DynamoBooks(cast("Any", FakeTable(row)), "runs").latest(), row["check_state"], row["checked_at"]


def _fill(row: Content) -> Any:
    return DynamoLedger(cast("Any", FakeTable(row)), "ledger").entries_of("SPY")


def _traded(row: Content) -> Any:
    return DynamoPerformanceStore(cast("Any", FakeTable(row)), "performance").add_traded(())


def _verdict(content: Content) -> Any:
    objects = InMemoryObjects()
    objects.plant(VERDICT_KEY, json.dumps(content).encode())
    return read_verdict(objects)


def _scorecards(content: Content) -> Any:
    objects = InMemoryObjects()
    objects.plant(SCORECARDS_KEY, json.dumps(content).encode())
    scorecards = read_scorecards(objects).scorecards
    assert scorecards is not None
    return scorecards


def _acceptances(content: Content) -> Any:
    objects = InMemoryObjects()
    objects.plant(ACCEPTED_KEY, json.dumps(content).encode())
    entry = read_acceptances(objects)
    assert not entry.fault, entry.fault
    return entry.acceptances


def _actions(content: Content) -> Any:
    objects = InMemoryObjects()
    objects.plant(ACTIONS_KEY, json.dumps(content).encode())
    return read_actions_entry(objects).changed(version=None)


def _description(content: Content) -> Any:
    objects = InMemoryObjects()
    objects.plant(description_key("SPY"), json.dumps(content).encode())
    description = Lake(objects).describe("SPY").description
    assert description is not None
    return description


def _delivery(row: Content) -> Any:
    return row["claim"]  # only its presence counts


def _performance(row: Content) -> Any:
    return performance_of(row)


def _request(row: Content) -> Any:
    return FetchRequest.read(row)  # DynamoDB itself reads it, in a condition


def _refresh(row: Content) -> Any:
    return DynamoProgress(cast("Any", FakeTable(row)), "requests", now=lambda: NOW).read("a-request")


READERS: Mapping[str, Callable[[Content], Any]] = {
    "RunMeta": _meta,
    "RunStrategy": _item,
    "RunSignal": _item,
    "RunPlan": _plan,
    "RunTrade": _item,
    "RunSettlement": _item,
    "RunDay": _day,
    "BooksOfDay": _books,
    "LedgerFill": _fill,
    "PerformanceDay": _performance,
    "TradedSymbols": _traded,
    "FetchRequest": _request,
    "RefreshRequest": _refresh,
    "Delivery": _delivery,
    "Verdict": _verdict,
    "Scorecards": _scorecards,
    "Acceptances": _acceptances,
    "Description": _description,
    "StoredActions": _actions,
}
