"""The exchange answers over HTTP as it does in process, where the simulator calls it: equal requests and exchanges."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.exchange.rate_limit import RateLimit
from sandbox.exchange.service import Venue
from sandbox.exchange.store import NoStore, StateFile
from tests.fidelity.fakes import quiet_world
from tests.sandbox.exchange.serving import served
from tests.sandbox.exchange.worlds import exchange_at
from tests.simulation.broker_port import Brokerage
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.wire import Timeouts, http_client

pytestmark = pytest.mark.enable_socket

NONE = "00000000-0000-0000-0000-000000000000"
ORDER = {"symbol": "CALM", "side": "buy", "qty": "2.5", "type": "limit", "time_in_force": "day", "limit_price": "100"}
RESTING = {**ORDER, "limit_price": "99.9", "client_order_id": "b-1"}
type Request = tuple[str, str, dict[str, Any]]

# Method, path, and the parameters or the body, in the order in which they are sent.
REQUESTS: tuple[Request, ...] = (
    ("GET", "/v2/clock", {}),
    ("GET", "/v2/account", {}),
    ("GET", "/v2/calendar", {"params": {"start": "2022-03-14", "end": "2022-03-18"}}),
    ("GET", "/v2/assets/CALM", {}),
    ("GET", "/v2/assets/NOTHING", {}),
    ("GET", "/v2/assets", {"params": {"status": "active", "asset_class": "us_equity"}}),
    ("POST", "/v2/orders", {"json": {**ORDER, "client_order_id": "a-1"}}),
    ("POST", "/v2/orders", {"json": {**ORDER, "client_order_id": "a-1"}}),
    ("POST", "/v2/orders", {"json": {**ORDER, "symbol": "NOTHING"}}),
    ("POST", "/v2/orders", {"json": {**ORDER, "qty": "100000"}}),
    ("POST", "/v2/orders", {"json": {**ORDER, "side": "sell", "symbol": "RISE", "position_intent": "sell_to_close"}}),
    ("POST", "/v2/orders", {"json": {**ORDER, "qty": "-1"}}),
    ("POST", "/v2/orders", {"json": RESTING}),
    ("GET", "/v2/orders:by_client_order_id", {"params": {"client_order_id": "b-1"}}),
    ("GET", "/v2/orders:by_client_order_id", {"params": {"client_order_id": "c-1"}}),
    ("GET", f"/v2/orders/{NONE}", {}),
    ("DELETE", f"/v2/orders/{NONE}", {}),
    ("GET", "/v2/orders", {"params": {"status": "all", "direction": "asc", "limit": "500"}}),
    ("GET", "/v2/positions", {}),
    ("GET", "/v2/positions/CALM", {}),
    ("GET", "/v2/positions/RISE", {}),
    ("GET", "/v2/stocks/quotes/latest", {"params": {"symbols": "CALM,RISE"}}),
    ("GET", "/v2/stocks/trades/latest", {"params": {"symbols": "CALM"}}),
    (
        "GET",
        "/v2/stocks/bars",
        {"params": {"symbols": "CALM", "timeframe": "1Day", "start": "2022-03-14", "end": "2022-03-15"}},
    ),
    ("GET", "/v1/corporate-actions", {"params": {"symbols": "CALM", "start": "2022-03-14", "end": "2022-03-18"}}),
    ("GET", "/v2/nothing", {}),
    ("PATCH", "/v2/account", {}),
)


def venue(state: Path | None = None, *, per_minute: int = 200) -> Venue:
    """Return an exchange that is always the same; its minute never ends."""
    store = NoStore() if state is None else StateFile(state)
    return Venue(exchange_at(), store, limit=RateLimit(per_minute, clock=lambda: 0.0))


def simulated(per_minute: int = 200) -> Any:
    """Return the simulator's client; its clock stands where the exchange's stands."""
    brokerage = Brokerage(quiet_world(), venue(per_minute=per_minute))
    brokerage.world.now = 0
    return brokerage.connect(lambda: None, timeouts=Timeouts())


@pytest.fixture
def over_http(tmp_path: Path) -> Iterator[httpx.Client]:
    """Return the product's client of a served exchange."""
    with served(venue(tmp_path / "state.json")) as url:
        keys = Credentials("sandbox-key", "sandbox-secret")
        with http_client(lambda: keys, timeouts=Timeouts(), transport=None) as client:
            client.base_url = url
            yield client


def seen(response: Any) -> tuple[object, ...]:
    """Return what the product reads of a response."""
    limits = tuple(response.headers.get(f"X-RateLimit-{name}") for name in ("Limit", "Remaining", "Reset"))
    body = json.loads(response.text, parse_float=Decimal) if response.content else None
    return response.status_code, response.is_success, body, limits


def test_http_answers_as_the_port_in_process(over_http: httpx.Client) -> None:
    port = simulated()

    for method, path, options in REQUESTS:
        near, far = port.request(method, path, **options), over_http.request(method, path, **options)
        assert (method, path, seen(near)) == (method, path, seen(far))


def test_http_cancels_as_the_port_in_process(over_http: httpx.Client) -> None:
    clients = (simulated(), over_http)
    order_ids = [client.request("POST", "/v2/orders", json=RESTING).json()["id"] for client in clients]
    assert order_ids[0] == order_ids[1]

    for _ in range(2):
        near, far = (client.request("DELETE", f"/v2/orders/{order_ids[0]}") for client in clients)
        assert seen(near) == seen(far)
    near, far = (client.request("GET", f"/v2/orders/{order_ids[0]}") for client in clients)

    assert seen(near) == seen(far)
    assert near.json()["status"] == "canceled"


def test_http_refuses_beyond_the_limit_as_the_port_in_process(tmp_path: Path) -> None:
    keys = Credentials("sandbox-key", "sandbox-secret")
    with (
        served(venue(tmp_path / "state.json", per_minute=1)) as url,
        http_client(lambda: keys, timeouts=Timeouts(), transport=None) as client,
    ):
        port = simulated(per_minute=1)
        answers = [(seen(port.request("GET", "/v2/clock")), seen(client.get(f"{url}/v2/clock"))) for _ in range(2)]

    assert [near[0] for near, _ in answers] == [200, 429]
    assert [near for near, _ in answers] == [far for _, far in answers]
