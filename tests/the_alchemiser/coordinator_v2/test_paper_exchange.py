"""The settlement with the real client at the paper exchange: what an ended run left there becomes final."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.ended_runs import BUY_SPY, end, send_trades
from tests.the_alchemiser.coordinator_v2.test_admission import RUN_ID
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from tests.the_alchemiser.paper import KEYS, Paper
from the_alchemiser.coordinator_v2.settling import OrderSettler
from the_alchemiser.shared.broker.models import Order, OrderRequest, OrderType
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket

HEADERS = {"APCA-API-KEY-ID": KEYS.key, "APCA-API-SECRET-KEY": KEYS.secret}


@pytest.fixture
def store() -> InMemoryRunStore:
    store = make.evaluating(RUN_ID)
    send_trades(store)
    end(store, RunState.FAILED, missing=(BUY_SPY,))
    return store


def leave_order(paper: Paper, number: int = 1, *, limit: str | None = "400") -> Order:
    """Send an order of the run's purchase; one with a limit of $400 rests."""
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    price = None if limit is None else Decimal(limit)
    return paper.broker.submit(OrderRequest("SPY", Side.BUY, Decimal(2), kind, f"{BUY_SPY}-{number}", price))


def settle(paper: Paper, store: InMemoryRunStore) -> tuple[LedgerEntry, ...]:
    """Settle the run long after its end; return the fills in the ledger."""
    ledger = InMemoryLedger()
    settler = OrderSettler(store, paper.broker, ledger, lambda: make.WALL + timedelta(hours=1))
    now = paper.broker.clock().timestamp
    settler.settle(make.loaded(store, RUN_ID), opened_at=now - timedelta(hours=1), at=now)
    return ledger.entries_of("SPY")


def is_settled(store: InMemoryRunStore) -> bool:
    return make.loaded(store, RUN_ID).settled


def test_resting_order_is_cancelled_and_an_earlier_fill_recorded(paper: Paper, store: InMemoryRunStore) -> None:
    filled, resting = leave_order(paper, 1, limit=None), leave_order(paper, 2)

    entries = settle(paper, store)

    assert [(entry.order_id, entry.quantity) for entry in entries] == [(filled.id, Decimal(2))]
    assert paper.broker.order(resting.id).status == "canceled"
    assert is_settled(store)


@pytest.mark.parametrize(("fault", "terms"), [("cancel_ignored", {}), ("cancel_slowly", {"seconds": 120})])
def test_order_that_is_not_cancelled_yet_keeps_the_run_unsettled(
    paper: Paper, store: InMemoryRunStore, fault: str, terms: dict[str, int]
) -> None:
    paper.control.plant(fault, **terms)
    leave_order(paper)

    settle(paper, store)

    assert not is_settled(store)


def test_order_edited_by_hand_is_settled_with_its_successor(paper: Paper, store: InMemoryRunStore) -> None:
    order = leave_order(paper)
    paper.broker.order(order.id)
    edited = httpx.patch(f"{paper.url}/v2/orders/{order.id}", json={"qty": "5"}, headers=HEADERS).json()

    settle(paper, store)

    assert paper.broker.order(edited["id"]).status == "canceled"
    assert is_settled(store)
