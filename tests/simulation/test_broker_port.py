"""The product's own broker adapter over the simulated port: answers, refusals and faults."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulation.broker_port import Brokerage
from tests.simulation.scenario import AccountPlan, FaultKind, FaultPlan
from tests.simulation.system import build_system
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.transport import Request, Timeouts

OPEN = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)


@pytest.fixture
def brokerage() -> Brokerage:
    system = build_system(OPEN, seed=1, plan=AccountPlan(), faults=FaultPlan(), skews={})
    return system.brokerage


def connections(brokerage: Brokerage) -> Any:
    return brokerage.connect(Timeouts())


def test_products_adapter_gets_answers_and_headers(brokerage: Brokerage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("the_alchemiser.shared.broker.client.Connections", brokerage.connect)
    broker = Broker("https://broker.simulated", "https://data.simulated", lambda: Credentials("k", "s"))
    assert broker.account().cash == 100_000

    answer = connections(brokerage).send(Request("GET", "https://broker.simulated/v2/clock"))
    assert (answer.headers["X-RateLimit-Remaining"], answer.is_success) == ("198", True)


def test_order_is_recorded_with_the_status_of_its_answer(brokerage: Brokerage) -> None:
    body = {"symbol": "AAA", "side": "buy", "qty": "1", "type": "market", "time_in_force": "day"}
    for client_order_id, symbol in (("a-1", "AAA"), ("b-1", "NOTHING")):
        order = {**body, "symbol": symbol, "client_order_id": client_order_id}
        connections(brokerage).send(Request("POST", "https://broker.simulated/v2/orders", body=order))

    assert [(post.client_order_id, post.symbol, post.status) for post in brokerage.posts] == [
        ("a-1", "AAA", 200),
        ("b-1", "NOTHING", 422),
    ]


def test_exchange_follows_virtual_time(brokerage: Brokerage) -> None:
    brokerage.world.run(brokerage.world.now + 16 * 60 * 1_000_000)

    answer = connections(brokerage).send(Request("GET", "https://broker.simulated/v2/clock"))

    assert json.loads(answer.body)["is_open"] is False


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.LATE_EFFECT])
def test_time_out_is_an_error_of_the_transport(brokerage: Brokerage, kind: FaultKind) -> None:
    assert isinstance(connections(brokerage).port.error("POST /v2/orders", kind), TimeoutError)


@pytest.mark.parametrize(
    ("operation", "kind", "status"),
    [
        ("GET /v2/clock", FaultKind.FAIL_BEFORE, 500),
        ("POST /v2/orders", FaultKind.FAIL_AFTER, 504),
        ("POST /v2/orders", FaultKind.THROTTLE, 429),
    ],
)
def test_fault_is_a_response(brokerage: Brokerage, operation: str, kind: FaultKind, status: int) -> None:
    error = connections(brokerage).port.error(operation, kind)

    assert error.response_of_fault.status == status


def test_order_that_is_not_sent_is_an_error_of_the_transport(brokerage: Brokerage) -> None:
    assert isinstance(connections(brokerage).port.error("POST /v2/orders", FaultKind.FAIL_BEFORE), ConnectionError)
