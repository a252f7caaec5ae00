"""The sweep owns the orders of runs that have ended: it cancels, reads and records until all of them are final."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.ended_runs import BUY_SPY, SELL_TLT, end, failed, fill, record, send_trades
from tests.the_alchemiser.coordinator_v2.office import Bell, Office, order
from tests.the_alchemiser.coordinator_v2.test_admission import MONDAY, RUN_ID, at
from tests.the_alchemiser.fakes import InMemoryLedger
from the_alchemiser.shared.broker.errors import BrokerServerError
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import RunFailed, RunSettled
from the_alchemiser.shared.run.runs import SETTLEMENT, RunState
from the_alchemiser.shared.values import Side

CANCELED, FILLED, PENDING = OrderStatus.CANCELED, OrderStatus.FILLED, OrderStatus.PENDING_CANCEL
RESTING = order(f"{BUY_SPY}-1", OrderStatus.PARTIALLY_FILLED, filled="4")
SOLD = order(f"{SELL_TLT}-1", FILLED, side=Side.SELL, filled="10")


@dataclass
class WatchedLedger(InMemoryLedger):
    """Counts the attempts to record; raises `error` if there is one."""

    error: Exception | None = None
    attempts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def record(self, entry: LedgerEntry) -> bool:
        self.attempts.append(entry.order_id)
        if self.error is not None:
            raise self.error
        return super().record(entry)


@pytest.fixture
def ledger() -> WatchedLedger:
    return WatchedLedger()


@pytest.fixture
def office(ledger: WatchedLedger) -> Office:
    """A run of today that has sent a sale and a purchase, and failed 110 s ago waiting for the purchase."""
    office = Office(ledger=ledger)
    office.create_run(MONDAY)
    send_trades(office.store)
    record(office.store, make.executed("TLT", Side.SELL, "20", run_id=RUN_ID))
    end(office.store, RunState.FAILED, missing=(BUY_SPY,))
    office.later(minutes=0, seconds=110)
    return office


def is_settled(office: Office) -> bool:
    return make.loaded(office.store, RUN_ID).settled


def test_sweep_cancels_a_resting_order_and_records_its_fill(office: Office) -> None:
    office.floor.listed = [RESTING]

    office.sweep()

    assert office.floor.cancelled == [RESTING.id]
    [entry] = office.ledger.entries_of("SPY")
    assert (entry.order_id, entry.quantity, entry.trade_id, entry.run_id) == (RESTING.id, Decimal(4), BUY_SPY, RUN_ID)
    assert entry.attribution == {"calm": Decimal(4)}
    assert is_settled(office)


def test_sweep_tells_once_what_the_run_did_not_report(office: Office) -> None:
    office.floor.listed = [RESTING]

    office.sweep()
    office.sweep()

    [settled] = office.published
    assert isinstance(settled, RunSettled)
    assert (settled.message_id, settled.trading_date) == (f"{RUN_ID}/RunSettled/run", MONDAY)
    assert settled.occurred_at == at(MONDAY, "15:45")
    assert [(found.client_order_id, found.status, found.filled_quantity) for found in settled.orders] == [
        (f"{BUY_SPY}-1", "canceled", Decimal(4))
    ]
    assert make.loaded(office.store, RUN_ID).items[SETTLEMENT].sent


def test_sweep_after_a_lost_publish_tells_again(office: Office) -> None:
    office.floor.listed = [RESTING]
    lost = office.coordinator.sweep(command=None)  # type: ignore[arg-type]  # the sweep reads nothing of its command

    again = office.sweep()

    assert again.messages == lost.messages != ()


def test_sweep_lists_the_orders_since_the_session_opened(office: Office) -> None:
    office.sweep()

    assert office.floor.asked == [at(MONDAY, "09:30")]


def test_sweep_of_the_next_day_settles_the_session_before(office: Office) -> None:
    tuesday = date(2022, 11, 29)
    office.bell = Bell(tuesday, "09:35", (*office.bell.sessions, office.bell.sessions[-1].changed(date=tuesday)))
    office.floor.listed = [RESTING]

    office.sweep()

    assert office.floor.asked == [at(MONDAY, "09:30")] * 2
    assert is_settled(office)


def test_sweep_before_the_window_is_over_cancels_and_waits(office: Office) -> None:
    office.later(minutes=0, seconds=-1)
    office.floor.listed = [RESTING]

    office.sweep()
    early = is_settled(office)
    office.later(minutes=0, seconds=1)
    office.sweep()

    assert office.floor.cancelled == [RESTING.id]
    assert not early
    assert is_settled(office)


def test_sweep_of_a_pending_cancellation_waits_as_long_as_it_takes(office: Office) -> None:
    office.floor.listed, office.floor.after_cancel = [RESTING], PENDING

    office.sweep()
    office.later(minutes=300)
    office.sweep()
    pending = is_settled(office)
    office.floor.listed = [RESTING.changed(status=FILLED, filled_quantity=Decimal(10))]
    office.sweep()

    assert not pending
    assert is_settled(office)
    assert [entry.quantity for entry in office.ledger.entries_of("SPY")] == [Decimal(10)]
    assert len(office.published) == 1


def test_sweep_of_a_refused_cancellation_looks_again(office: Office) -> None:
    office.floor.listed, office.floor.refused = [RESTING, order(f"{BUY_SPY}-2")], frozenset({RESTING.id})

    office.sweep()

    assert office.floor.cancelled == [RESTING.id, f"id-{BUY_SPY}-2"]
    assert len(office.floor.asked) == 2
    assert not is_settled(office)


def test_sweep_without_open_orders_lists_once(office: Office) -> None:
    office.floor.listed = [RESTING.changed(status=CANCELED)]

    office.sweep()

    assert len(office.floor.asked) == 1
    assert office.floor.cancelled == []


def test_sweep_cancels_fifty_orders_at_most(office: Office) -> None:
    office.floor.listed = [order(f"{BUY_SPY}-{number}") for number in range(1, 52)]

    office.sweep()

    assert office.floor.cancelled == [f"id-{BUY_SPY}-{number}" for number in range(1, 51)]
    assert not is_settled(office)


def test_sweep_while_the_broker_lists_nothing_still_tells_that_a_run_failed(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    office.create_run(MONDAY)
    send_trades(office.store)
    office.floor.error = BrokerServerError("GET /v2/orders: 500")
    office.later(minutes=8)

    office.sweep()

    assert [type(message) for message in office.published] == [RunFailed]
    assert not is_settled(office)
    [line] = [vars(line) for line in caplog.records if line.message == "run not settled"]
    assert (line["run_id"], line["detail"], line["exc_info"]) == (RUN_ID, "GET /v2/orders: 500", None)


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "AccessDeniedException"])
def test_sweep_while_the_ledger_refuses_is_continued_by_the_next(
    office: Office, ledger: WatchedLedger, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    office.floor.listed = [RESTING]
    ledger.error = ClientError({"Error": {"Code": code, "Message": "a test"}}, "PutItem")

    office.sweep()
    refused = is_settled(office)
    ledger.error = None
    office.sweep()

    assert not refused
    assert is_settled(office)
    [line] = [vars(line) for line in caplog.records if line.message == "run not settled"]
    assert line["run_id"] == RUN_ID
    assert line["exc_info"]


def test_sweep_records_only_what_execution_has_not(office: Office, ledger: WatchedLedger) -> None:
    office.floor.listed = [RESTING.changed(status=CANCELED), SOLD]
    office.sweep()
    office.store.runs[RUN_ID] = replace(make.loaded(office.store, RUN_ID), settled=False)
    ledger.attempts.clear()

    office.sweep()

    assert ledger.attempts == []
    assert is_settled(office)


def test_sweep_of_a_settled_run_asks_nothing(office: Office) -> None:
    office.sweep()
    office.floor.asked.clear()

    office.sweep()

    assert office.floor.asked == []


def test_sweep_of_a_run_that_moves_cancels_nothing() -> None:
    office = Office()
    office.create_run(MONDAY)
    send_trades(office.store)
    office.floor.listed = [RESTING]

    office.sweep()

    assert (office.floor.asked, office.floor.cancelled) == ([], [])


def test_sweep_of_a_run_that_sent_nothing_settles_it_at_once() -> None:
    office = Office()
    office.create_run(MONDAY)
    end(office.store, RunState.FAILED)

    office.sweep()

    assert is_settled(office)
    assert (office.floor.asked, office.published) == ([], [])


def test_sweep_of_a_completed_run_settles_it_silently(office: Office) -> None:
    office.store.runs.clear()
    office.store.days.clear()
    office.wall = make.WALL
    office.create_run(MONDAY)
    send_trades(office.store)
    for outcome in (
        make.executed("TLT", Side.SELL, "20", run_id=RUN_ID).changed(fills=(fill(f"{SELL_TLT}-1", "10"),)),
        failed(fill(f"{BUY_SPY}-1", "4")),
    ):
        record(office.store, outcome)
    end(office.store, RunState.COMPLETED)
    office.floor.listed = [RESTING.changed(status=CANCELED), SOLD]
    office.later(minutes=5)

    office.sweep()

    assert is_settled(office)
    assert office.published == []
    assert SETTLEMENT not in make.loaded(office.store, RUN_ID).items
