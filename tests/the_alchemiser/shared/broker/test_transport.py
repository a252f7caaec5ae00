"""The product's connections over real sockets: how long they wait, what they never do, and which sockets they reuse."""

import gzip
import json
import re
import socket
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.the_alchemiser.shared.broker.answers import ORDER, answer
from tests.the_alchemiser.shared.broker.raw_server import HOLD, RawServer, authority, response, serving
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import (
    BrokerError,
    BrokerRejectionError,
    BrokerTimeoutError,
    BrokerUnreachableError,
    UnexpectedResponseError,
)
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.broker.rate_limit import Retries
from the_alchemiser.shared.broker.transport import Connections, Request, Timeouts
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket

# The server closes the connection: without this header, the next request may meet the closing one.
LAST = ["Connection: close"]
PATIENT = Timeouts(connect_s=5, read_s=5)
BUY = OrderRequest("SPY", Side.BUY, Decimal(1), OrderType.MARKET, "local-2024-03-15-BUY-SPY-1")
ORDER_FOUND = response(answer(200, ORDER).body)
NO_ORDER = response(answer(404, {"code": 40410000, "message": "order not found"}).body, status="404 Not Found")
POST, LOOK_UP = "POST /v2/orders", "GET /v2/orders:by_client_order_id"


@pytest.fixture
def connections() -> Iterator[Connections]:
    with closing(Connections(PATIENT)) as connections:
        yield connections


def get(server: RawServer) -> Request:
    return Request("GET", f"{server.url}/v2/clock")


def broker_of(server: RawServer, timeouts: Timeouts = PATIENT) -> Broker:
    keys = Credentials("the-key", "the-secret")
    return Broker(server.url, server.url, lambda: keys, timeouts=timeouts, retries=Retries(pauses_s=(0.0, 0.0)))


def assert_raises(connections: Connections, request: Request, error: type[OSError], text: str) -> None:
    """Check the error, whose text starts with `text`."""
    with pytest.raises(error, match=f"^{re.escape(text)}"):
        connections.send(request)


def assert_clock_raises(broker: Broker, error: type[BrokerError], text: str) -> None:
    with pytest.raises(error, match=f"^GET /v2/clock: {re.escape(text)}$"):
        broker.clock()


# How long they wait


def test_connections_wait_two_seconds_to_connect_and_four_for_bytes() -> None:
    assert Timeouts() == Timeouts(2.0, 4.0)


def test_send_without_a_connection_in_time_raises() -> None:
    with socket.socket() as full, socket.socket() as first, closing(Connections(Timeouts(0.1, 5))) as connections:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # room for one connection, which nobody accepts
        first.connect(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        assert_raises(connections, Request("GET", url), TimeoutError, "ConnectTimeout")


@pytest.mark.parametrize("script", [[HOLD], [response(b"{}")[:-1], HOLD]], ids=["head", "body"])
def test_send_without_bytes_in_time_raises(script: list[bytes | None]) -> None:
    with serving(script) as server, closing(Connections(Timeouts(5, 0.1))) as connections:
        assert_raises(connections, get(server), TimeoutError, "ReadTimeout")


def test_order_whose_answer_is_late_is_looked_up_and_sent_once() -> None:
    with serving([HOLD], [ORDER_FOUND]) as server, closing(broker_of(server, Timeouts(5, 0.1))) as broker:
        assert broker.submit(BUY).id == ORDER["id"]
    assert server.lines == [POST, LOOK_UP]


def test_read_whose_answers_are_late_is_attempted_three_times() -> None:
    with serving([HOLD], [HOLD], [HOLD]) as server, closing(broker_of(server, Timeouts(5, 0.1))) as broker:
        assert_clock_raises(broker, BrokerTimeoutError, "no response in time (ReadTimeout)")
    assert server.lines == ["GET /v2/clock"] * 3


# Which sockets they reuse


def test_requests_to_a_host_share_a_connection(connections: Connections) -> None:
    with serving([response(b"1"), response(b"2"), HOLD]) as server:
        bodies = [connections.send(get(server)).body for _ in range(2)]
        connections.close()

    assert (bodies, server.connections) == ([b"1", b"2"], 1)


def test_close_ends_the_connections(connections: Connections) -> None:
    with serving([response(), HOLD]) as server:
        connections.send(get(server))
        connections.close()
        server.wait()  # until the server has seen the end


@pytest.mark.parametrize(("idle_s", "used"), [(5.0, 1), (5.1, 2)])
def test_connection_that_was_idle_for_long_is_replaced(idle_s: float, used: int) -> None:
    """A frozen environment does not notice that its sockets die."""
    moments = iter([datetime(2024, 3, 15, tzinfo=UTC) + timedelta(seconds=seconds) for seconds in (0, 0, idle_s)])
    scripts = [[response(), response(), HOLD]] if used == 1 else [[response(), HOLD], [response(), HOLD]]
    with serving(*scripts) as server, closing(Connections(PATIENT, now=lambda: next(moments))) as connections:
        for _ in range(2):
            connections.send(get(server))
        connections.close()

    assert server.connections == used


def test_time_without_use_counts_from_the_latest_request() -> None:
    moments = iter([datetime(2024, 3, 15, 20, 0, seconds, tzinfo=UTC) for seconds in (0, 1, 5, 9)])
    with (
        serving([response()] * 3 + [HOLD]) as server,
        closing(Connections(PATIENT, now=lambda: next(moments))) as connections,
    ):
        for _ in range(3):
            connections.send(get(server))
        connections.close()

    assert server.connections == 1


def test_order_over_a_connection_that_the_server_has_closed_is_sent_once() -> None:
    """The connection is seen to be closed before anything is sent, so the order goes over a new one."""
    with serving([NO_ORDER], [ORDER_FOUND]) as server, closing(broker_of(server)) as broker:
        broker.order_by_client_id(BUY.client_order_id)
        server.wait(connections=1)
        assert broker.submit(BUY).id == ORDER["id"]

    assert server.lines == [LOOK_UP, POST]


@pytest.mark.parametrize("look_up", [[ORDER_FOUND], [NO_ORDER]], ids=["taken", "lost"])
def test_order_that_meets_a_closing_connection_is_looked_up_and_not_sent_again(look_up: list[bytes]) -> None:
    """The server closes the connection when the order arrives: nobody knows whether it has read the order."""
    with serving([NO_ORDER, b""], look_up) as server, closing(broker_of(server)) as broker:
        broker.order_by_client_id(BUY.client_order_id)
        if look_up == [ORDER_FOUND]:
            assert broker.submit(BUY).id == ORDER["id"]
        else:
            with pytest.raises(BrokerUnreachableError, match=r"^POST /v2/orders: Remote end closed connection"):
                broker.submit(BUY)

    assert server.lines == [LOOK_UP, POST, LOOK_UP]


def test_read_that_meets_a_closing_connection_is_repeated() -> None:
    with serving([NO_ORDER, b""], [ORDER_FOUND]) as server, closing(broker_of(server)) as broker:
        ids = [broker.order_by_client_id(BUY.client_order_id) for _ in range(2)]

    assert [order and order.id for order in ids] == [None, ORDER["id"]]
    assert server.lines == [LOOK_UP] * 3


def test_threads_get_one_answer_each(connections: Connections) -> None:
    scripts = [[response(bytes([number]), headers=LAST)] for number in range(8)]
    with serving(*scripts) as server, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(connections.send, [get(server)] * 8))

    assert sorted(answer.body for answer in answers) == [bytes([number]) for number in range(8)]


# What they send


def test_order_is_json_with_keys_and_length() -> None:
    with serving([ORDER_FOUND]) as server, closing(broker_of(server)) as broker:
        broker.submit(BUY)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert json.loads(body)["client_order_id"] == BUY.client_order_id
    assert body.startswith(b'{"symbol":"SPY","side":"buy",')
    assert headers.pop("User-Agent")
    assert headers == {
        "Host": f"127.0.0.1:{server.port}",
        "Accept-Encoding": "gzip",
        "APCA-API-KEY-ID": "the-key",
        "APCA-API-SECRET-KEY": "the-secret",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }


@pytest.mark.parametrize("key", ["the-key\n", "\N{LEFT DOUBLE QUOTATION MARK}the-key"])
def test_key_with_a_character_that_http_does_not_allow_is_not_quoted(key: str) -> None:
    with serving([HOLD]) as server:
        broker = Broker(server.url, server.url, lambda: Credentials(key, "the-secret"), retries=Retries(pauses_s=()))
        with closing(broker), pytest.raises(BrokerUnreachableError) as raised:
            broker.clock()

    assert "the-key" not in "".join(traceback.format_exception(raised.value))
    assert server.requests == []


def test_read_has_an_encoded_query_and_no_body(connections: Connections) -> None:
    with serving([response()]) as server:
        connections.send(Request("GET", f"{server.url}/v2/assets/BTC%2FUSD", {"symbols": "A,B", "after": "9:30+0"}))

    assert server.requests[0].startswith(b"GET /v2/assets/BTC%2FUSD?symbols=A%2CB&after=9%3A30%2B0 HTTP/1.1\r\n")
    assert b"Content-" not in server.requests[0]


@pytest.mark.parametrize(("host", "name"), [("::1", "[::1]"), ("127.0.0.1", "localhost")])
def test_host_of_the_url_is_reached_and_named(connections: Connections, host: str, name: str) -> None:
    with serving([response(b"1")], host=host) as server:
        assert connections.send(Request("GET", f"http://{name}:{server.port}/v2/clock")).body == b"1"

    assert f"Host: {name}:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxy_of_the_environment_is_not_used(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving([response(b"1")]) as server:
        assert connections.send(get(server)).body == b"1"


# What they make of an answer


def test_compressed_answer_is_read_as_json() -> None:
    body = gzip.compress(answer(200, ORDER).body)
    with serving([response(body, headers=["Content-Encoding: gzip"])]) as server, closing(broker_of(server)) as broker:
        assert broker.order("an-id").id == ORDER["id"]


def test_limits_are_read_from_headers_of_any_case() -> None:
    limits = ["x-ratelimit-limit: 200", "x-ratelimit-remaining: 7", "x-ratelimit-reset: 4102444800"]
    page = response(answer(200, ORDER).body, headers=limits)
    with serving([page]) as server, closing(broker_of(server)) as broker:
        broker.order("an-id")

        assert broker.allowance == 7


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_redirect_is_not_followed(status: str) -> None:
    with serving([response()]) as target:
        redirect = response(status=status, headers=[f"Location: {target.url}/v2/clock"])
        with serving([redirect]) as server, closing(broker_of(server)) as broker:
            assert_clock_raises(broker, BrokerRejectionError, status[:3])

    assert (server.lines, target.lines) == (["GET /v2/clock"], [])


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_answer_that_asks_for_a_retry_is_returned(connections: Connections, status: str) -> None:
    with serving([response(status=status, headers=["Retry-After: 0"])]) as server:
        assert connections.send(get(server)).status == int(status[:3])

    assert server.lines == ["GET /v2/clock"]


def test_page_in_place_of_json_is_quoted() -> None:
    pages = [[response("<html>ü</html>".encode(), headers=LAST)] for _ in range(3)]
    with serving(*pages) as server, closing(broker_of(server)) as broker:
        assert_clock_raises(broker, UnexpectedResponseError, "200 with a body that is not JSON: '<html>ü</html>'")


def test_body_of_other_bytes_than_text_is_quoted() -> None:
    with serving(*[[response(b"\xff", headers=LAST)]] * 3) as server, closing(broker_of(server)) as broker:
        assert_clock_raises(broker, UnexpectedResponseError, "200 with a body that is not JSON: '\ufffd'")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (b"", "Remote end closed connection without response"),
        (response(b"12345")[:-1], "IncompleteRead(4 bytes read, 1 more expected)"),
        (b"hello\r\n\r\n", "hello\r\n"),
        (response(b"12345", headers=["Content-Encoding: gzip"]), "Error -3 while decompressing data"),
    ],
    ids=["nothing", "cut off", "not HTTP", "not gzip"],
)
def test_broken_answer_raises_with_the_text_of_the_first_error(
    connections: Connections, reply: bytes, text: str
) -> None:
    with serving([reply]) as server:
        assert_raises(connections, get(server), ConnectionError, text)


def test_error_of_an_earlier_request_is_not_part_of_the_text(connections: Connections) -> None:
    with serving([b""]) as server:
        try:
            connections.send(Request("GET", "ftp://broker.test"))
        except ConnectionError:
            assert_raises(connections, get(server), ConnectionError, "Remote end closed")


def test_refused_connection_raises_with_the_text_of_the_socket(connections: Connections) -> None:
    with serving() as server:
        url = server.url

    assert_raises(connections, Request("GET", url), ConnectionError, "[Errno 111] Connection refused")


@pytest.mark.parametrize("url", ["ftp://broker.test", "http://", f"http://{'a' * 64}.test"])
def test_url_that_cannot_be_reached_raises(connections: Connections, url: str) -> None:
    assert_raises(connections, Request("GET", url), ConnectionError, "")


@pytest.mark.parametrize("earlier", ["http", "https"])
def test_certificate_that_nobody_signed_is_refused(connections: Connections, earlier: str) -> None:
    with serving([response()], tls=True) as server:
        assert_raises(connections, Request("GET", f"{earlier}://127.0.0.1:1"), ConnectionError, "[Errno 111]")
        request = Request("GET", f"https://localhost:{server.port}")
        assert_raises(connections, request, ConnectionError, "[SSL: CERTIFICATE_VERIFY_FAILED]")

    assert server.requests == []


def test_certificate_of_another_host_is_refused(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority().cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with serving([response()], [response(b"1")], tls=True) as server:
        request = Request("GET", f"https://127.0.0.1:{server.port}")
        assert_raises(connections, request, ConnectionError, "[SSL: CERTIFICATE_VERIFY_FAILED]")
        assert connections.send(Request("GET", f"https://localhost:{server.port}")).body == b"1"
