"""The exchange answers over HTTP as it does in process, where the simulator calls it: equal requests and exchanges."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandbox.exchange.rate_limit import RateLimit
from sandbox.exchange.service import Venue
from sandbox.exchange.store import NoStore, StateFile
from tests.fidelity.fakes import quiet_world
from tests.sandbox.exchange.serving import served
from tests.sandbox.exchange.worlds import exchange_at
from tests.simulation.broker_port import Brokerage
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.transport import Connections, Request, Response, Timeouts, Transport
from the_alchemiser.shared.broker.wire import Signed

pytestmark = pytest.mark.enable_socket

NONE = "00000000-0000-0000-0000-000000000000"
ORDER = {"symbol": "CALM", "side": "buy", "qty": "2.5", "type": "limit", "time_in_force": "day", "limit_price": "100"}
RESTING = {**ORDER, "limit_price": "99.9", "client_order_id": "b-1"}

# Method, path, and the parameters or the body, in the order in which they are sent.
REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/v2/clock", {}),
    ("GET", "/v2/account", {}),
    ("GET", "/v2/calendar", {"params": {"start": "2022-03-14", "end": "2022-03-18"}}),
    ("GET", "/v2/assets/CALM", {}),
    ("GET", "/v2/assets/NOTHING", {}),
    ("GET", "/v2/assets", {"params": {"status": "active", "asset_class": "us_equity"}}),
    ("POST", "/v2/orders", {"body": {**ORDER, "client_order_id": "a-1"}}),
    ("POST", "/v2/orders", {"body": {**ORDER, "client_order_id": "a-1"}}),
    ("POST", "/v2/orders", {"body": {**ORDER, "symbol": "NOTHING"}}),
    ("POST", "/v2/orders", {"body": {**ORDER, "qty": "100000"}}),
    ("POST", "/v2/orders", {"body": {**ORDER, "side": "sell", "symbol": "RISE", "position_intent": "sell_to_close"}}),
    ("POST", "/v2/orders", {"body": {**ORDER, "qty": "-1"}}),
    ("POST", "/v2/orders", {"body": RESTING}),
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


def simulated(per_minute: int = 200) -> Transport:
    """Return the simulator's connections; its clock stands where the exchange's stands."""
    brokerage = Brokerage(quiet_world(), venue(per_minute=per_minute))
    brokerage.world.now = 0
    return brokerage.connect(Timeouts())


class Far(NamedTuple):
    """A served exchange, and the product's connections to it."""

    url: str
    transport: Transport

    def send(self, request: Request) -> Response:
        return self.transport.send(request.changed(url=self.url + request.url))


@contextmanager
def over_http(venue: Venue) -> Iterator[Far]:
    keys = Credentials("sandbox-key", "sandbox-secret")
    with served(venue) as url, closing(Signed(Connections(Timeouts()), lambda: keys, None)) as transport:
        yield Far(url, transport)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    with over_http(venue(tmp_path / "state.json")) as served_venue:
        yield served_venue


def seen(response: Response) -> tuple[object, ...]:
    """Return what the product reads of a response."""
    limits = tuple(response.headers.get(f"X-RateLimit-{name}") for name in ("Limit", "Remaining", "Reset"))
    body = json.loads(response.body, parse_float=Decimal) if response.body else None
    return response.status, response.is_success, body, limits


def test_http_answers_as_the_port_in_process(far: Far) -> None:
    near = simulated()

    for method, path, options in REQUESTS:
        request = Request(method, path, **options)
        assert (request, seen(near.send(request))) == (request, seen(far.send(request)))


def test_http_cancels_as_the_port_in_process(far: Far) -> None:
    near = simulated()
    order = Request("POST", "/v2/orders", body=RESTING)
    order_id, far_id = (json.loads(end.send(order).body)["id"] for end in (near, far))
    assert order_id == far_id

    cancel = Request("DELETE", f"/v2/orders/{order_id}")
    for _ in range(2):
        assert seen(near.send(cancel)) == seen(far.send(cancel))

    look_up = Request("GET", f"/v2/orders/{order_id}")
    response = near.send(look_up)
    assert seen(response) == seen(far.send(look_up))
    assert json.loads(response.body)["status"] == "canceled"


def test_http_refuses_beyond_the_limit_as_the_port_in_process(tmp_path: Path) -> None:
    near, clock = simulated(per_minute=1), Request("GET", "/v2/clock")
    with over_http(venue(tmp_path / "state.json", per_minute=1)) as far:
        answers = [(seen(near.send(clock)), seen(far.send(clock))) for _ in range(2)]

    assert [near_answer[0] for near_answer, _ in answers] == [200, 429]
    assert [near_answer for near_answer, _ in answers] == [far_answer for _, far_answer in answers]
