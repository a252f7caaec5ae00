"""The broker at the end of the product's transport: the core of the paper exchange on virtual time.

`connect` takes the place of `Connections` in the product's broker adapter. Everything above it is the product's own:
paths, keys, parsing, errors, retries and pace.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.exchange.service import Answer, Venue
from tests.simulation.calls import Port, call
from tests.simulation.end_state import Post
from tests.simulation.latencies import SECOND
from tests.simulation.scenario import FaultKind
from tests.simulation.world import World
from the_alchemiser.shared.broker.transport import Request, Response, Timeouts

_ORDERS = "/v2/orders"
_TOO_MANY = b'{"code": 42910000, "message": "rate limit exceeded"}'
_FAILED = b'{"code": 50010000, "message": "internal server error occurred"}'
_LOST = b"<html><body>504 Gateway Time-out</body></html>"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class _AnsweredError(Exception):
    """A fault that reaches the product as a response."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status}")
        self.response_of_fault = response


@dataclass(slots=True)
class Brokerage:
    """The exchange of one history, and the orders that the product sent it."""

    world: World
    venue: Venue
    posts: list[Post] = field(default_factory=list)

    def respond(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any], *, key: str = ""
    ) -> Answer:
        """Answer a request at the present virtual time; `key` is that of the second source."""
        self.venue.exchange.advance(self.world.at)
        return self.venue.respond(method, path, query, body, key=key)

    def connect(self, timeouts: Timeouts) -> "SimulatedConnections":
        """Return what takes the place of the product's connections."""
        limit = int(timeouts.read_s * SECOND)
        return SimulatedConnections(self, Port("broker", 1, limit, _error))


@dataclass(frozen=True, slots=True)
class SimulatedConnections:
    """The product's Transport, without sockets."""

    brokerage: Brokerage
    port: Port

    def close(self) -> None:
        """Do nothing: no socket is open."""

    def send(self, request: Request) -> Response:
        """Send a request.

        Raises:
            OSError: the seed lets it fail without a response.
        """
        method, body = request.method, request.body or {}
        path = unquote(urlsplit(request.url).path)
        sent_at = self.brokerage.world.at

        def effect() -> Response:
            key = request.headers.get("Authorization", "").removeprefix("apikey ")
            response = _response(self.brokerage.respond(method, path, dict(request.params), dict(body), key=key))
            if (method, path) == ("POST", _ORDERS):
                self._note_order(body, response, sent_at)
            return response

        try:
            subject = "" if method == "POST" else _query_text(request.params)
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
                response.status,
                "" if invocation is None else invocation.module,
                "" if invocation is None else invocation.name,
                sent_at,
            )
        )


def _response(answer: Answer) -> Response:
    body = b"" if answer.payload is None else _ENCODER.encode(answer.payload).encode()
    return Response(answer.status, dict(answer.headers), body)


def _error(operation: str, fault: FaultKind) -> Exception:
    match fault:
        case FaultKind.THROTTLE:
            return _AnsweredError(Response(429, {}, _TOO_MANY))
        case FaultKind.TIMEOUT_BEFORE | FaultKind.TIMEOUT_AFTER | FaultKind.LATE_EFFECT:
            return TimeoutError("ReadTimeout")
        case FaultKind.FAIL_AFTER:
            return _AnsweredError(Response(504, {}, _LOST))
    if operation.startswith("GET"):
        return _AnsweredError(Response(500, {}, _FAILED))
    return ConnectionError("connection refused")


def _shown(response: Response) -> str:
    if response.is_success:
        return str(response.status)
    try:
        return f"{response.status} {json.loads(response.body)['code']}"
    except (ValueError, KeyError, TypeError):
        return str(response.status)


def _query_text(params: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items())


def plain(number: Decimal) -> str:
    """Return a decimal without an exponent, as a person types it."""
    return format(number, "f")
