"""The HTTP layer: read and write JSON, check keys, apply planted faults."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from secrets import compare_digest

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.exchange import account_routes, control_routes, data_routes, trading_routes
from sandbox.exchange.faults import Misbehaviour, refusal_of
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.service import Answer, Call, Endpoint, Venue

ENDPOINTS = (
    *account_routes.ENDPOINTS,
    *trading_routes.ENDPOINTS,
    *data_routes.ENDPOINTS,
    *control_routes.ENDPOINTS,
)
_BODY_METHODS = frozenset({"POST", "PATCH"})
_DATA_PATH = "/v2/stocks"
_CONTROL_PATH = "/_control"
_POLL_S = 0.05


def make_app(venue: Venue) -> ASGIApp:
    """Create the ASGI application that serves a venue."""
    routes = [Route(endpoint.path, _handler(venue, endpoint), methods=[endpoint.method]) for endpoint in ENDPOINTS]
    return _SingleSlashes(Starlette(routes=routes, exception_handlers={HTTPException: _no_route}))


class _SingleSlashes:
    """Collapse repeated slashes: the SDK sends `//v2/orders` when its URL ends in a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            scope = {**scope, "path": re.sub("/+", "/", scope["path"])}
        await self._app(scope, receive, send)


def _handler(venue: Venue, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return _response(await _answer(venue, endpoint, request))
        except Refusal as refusal:
            return _response(Answer(refusal.body(), refusal.status))

    return serve


async def _answer(venue: Venue, endpoint: Endpoint, request: Request) -> Answer:
    body = _read_json(await request.body()) if endpoint.method in _BODY_METHODS else {}
    query = dict(request.query_params)
    path = request.url.path
    if path.startswith(_CONTROL_PATH):
        return venue.answer(endpoint, Call(request.path_params, query, body))

    _check_key(venue, request)
    symbol = str(body.get("symbol") or query.get("symbols") or "")
    fault = venue.faults.take(endpoint.method, path, symbol)
    await _misbehave(fault, request)
    answer = venue.answer(endpoint, Call(request.path_params, query, body, fault.fill_fraction))
    if fault.loses_answer:
        raise refusal_of(504)
    return answer


async def _misbehave(fault: Misbehaviour, request: Request) -> None:
    if fault.delay_s:
        await asyncio.sleep(fault.delay_s)
    if fault.hangs:
        while not await request.is_disconnected():
            await asyncio.sleep(_POLL_S)
        raise refusal_of(504)
    if fault.refusal is not None:
        raise fault.refusal


def _check_key(venue: Venue, request: Request) -> None:
    headers = request.headers
    key, secret = headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", "")
    if _is_same(key, venue.key) and _is_same(secret, venue.secret):
        return
    if request.url.path.startswith(_DATA_PATH):
        raise Refusal(401, None, "unauthorized")
    raise Refusal(401, 40110000, "request is not authorized")


def _is_same(sent: str, expected: str) -> bool:
    return compare_digest(sent.encode(), expected.encode())


def _read_json(text: bytes) -> dict[str, object]:
    """Parse a JSON object, with its fractions as Decimal; an empty body is an empty object."""
    if not text.strip():
        return {}
    try:
        parsed = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, ArithmeticError):
        parsed = None
    if not isinstance(parsed, dict):
        raise Refusal(400, 40010000, "request body format is invalid")
    return parsed


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _response(answer: Answer) -> Response:
    if answer.payload is None:
        return Response(status_code=answer.status)
    content = json.dumps(answer.payload, separators=(",", ":"), allow_nan=False)
    return Response(content, answer.status, media_type="application/json")


async def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = "endpoint not found" if status == 404 else "method not allowed"
    return _response(Answer({"message": message}, status))
