"""The broker at the end of the product's HTTP client: the core of the paper exchange on virtual time.

`connect` takes the place of `http_client` in the product's broker adapter. Everything above it is the product's own:
paths, parsing, errors, retries and pace. KeyAuth is left out, but the keys are read before each request.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from sandbox.exchange.service import Answer, Venue
from tests.simulation.calls import Port, call
from tests.simulation.end_state import Post
from tests.simulation.latencies import SECOND
from tests.simulation.scenario import FaultKind
from tests.simulation.world import World

_ORDERS = "/v2/orders"
_TOO_MANY = '{"code": 42910000, "message": "rate limit exceeded"}'
_FAILED = '{"code": 50010000, "message": "internal server error occurred"}'
_LOST = "<html><body>504 Gateway Time-out</body></html>"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Response:
    """What the product's Wire reads of a response."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def content(self) -> str:
        return self.text

    def json(self, *, parse_float: Callable[[str], Any] = float) -> object:
        return _decoder(parse_float).decode(self.text)


class _AnsweredError(Exception):
    """A fault that reaches the product as a response."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status_code}")
        self.response_of_fault = response


@dataclass(slots=True)
class Brokerage:
    """The exchange of one history, and the orders that the product sent it."""

    world: World
    venue: Venue
    posts: list[Post] = field(default_factory=list)

    def respond(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Answer a request at the present virtual time."""
        self.venue.exchange.advance(self.world.at)
        return self.venue.respond(method, path, query, body)

    def connect(self, keys: Callable[[], object], *, timeouts: Any, **_: object) -> "HttpClient":
        """Return a client, as the product's `http_client` does."""
        limit = int(timeouts.read_s * SECOND)
        return HttpClient(self, keys, Port("broker", 1, limit, _error))


@dataclass(frozen=True, slots=True)
class HttpClient:
    """The part of httpx.Client that the product uses."""

    brokerage: Brokerage
    keys: Callable[[], object]
    port: Port

    def close(self) -> None:
        """Do nothing: no socket is open."""

    def request(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, json: Mapping[str, str] | None = None
    ) -> Response:
        """Send a request.

        Raises:
            httpx.TransportError: the seed lets it fail without a response.
        """
        self.keys()
        parts = urlsplit(url)
        path = unquote(parts.path)
        sent_at = self.brokerage.world.at

        def effect() -> Response:
            answer = self.brokerage.respond(method, path, dict(params or {}), dict(json or {}))
            response = _response(answer)
            if (method, path) == ("POST", _ORDERS):
                self._note_order(json or {}, response, sent_at)
            return response

        try:
            subject = "" if method == "POST" else _query_text(params)
            return call(self.brokerage.world, self.port, f"{method} {path}", effect, subject=subject, show=_shown)
        except _AnsweredError as fault:
            return fault.response_of_fault

    def _note_order(self, body: Mapping[str, str], response: Response, sent_at: datetime) -> None:
        world = self.brokerage.world
        invocation = world.current
        self.brokerage.posts.append(
            Post(
                world.at,
                body.get("client_order_id", ""),
                body.get("symbol", ""),
                body.get("side", ""),
                response.status_code,
                "" if invocation is None else invocation.module,
                "" if invocation is None else invocation.name,
                sent_at,
            )
        )


@cache
def _decoder(parse_float: Callable[[str], Any]) -> json.JSONDecoder:
    """Return a decoder; json.loads would build one for every response."""
    return json.JSONDecoder(parse_float=parse_float)


def _response(answer: Answer) -> Response:
    text = "" if answer.payload is None else _ENCODER.encode(answer.payload)
    return Response(answer.status, text, dict(answer.headers))


def _error(operation: str, fault: FaultKind) -> Exception:
    match fault:
        case FaultKind.THROTTLE:
            return _AnsweredError(Response(429, _TOO_MANY, {}))
        case FaultKind.TIMEOUT_BEFORE | FaultKind.TIMEOUT_AFTER | FaultKind.LATE_EFFECT:
            return httpx.ReadTimeout("the read operation timed out")
        case FaultKind.FAIL_AFTER:
            return _AnsweredError(Response(504, _LOST, {}))
    if operation.startswith("GET"):
        return _AnsweredError(Response(500, _FAILED, {}))
    return httpx.ConnectError("connection refused")


def _shown(response: Response) -> str:
    if response.is_success:
        return str(response.status_code)
    try:
        return f"{response.status_code} {json.loads(response.text)['code']}"
    except (ValueError, KeyError, TypeError):
        return str(response.status_code)


def _query_text(params: Mapping[str, str] | None) -> str:
    return " ".join(f"{name}={value}" for name, value in (params or {}).items())


def plain(number: Decimal) -> str:
    """Return a decimal without an exponent, as a person types it."""
    return format(number, "f")
