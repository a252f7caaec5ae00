"""The HTTP layer: read and write JSON, check keys, and wait where a planted fault says so."""

import asyncio
import json
import re
from decimal import Decimal
from secrets import compare_digest

from starlette import requests, responses
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.exchange.faults import Misbehaviour, refusal_of
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.routing import is_data_path
from sandbox.exchange.service import Answer, Request, Venue

_BODY_METHODS = frozenset({"POST", "PATCH"})
_POLL_S = 0.05


def make_app(venue: Venue) -> ASGIApp:
    """Create the ASGI application that serves a venue."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            http = requests.Request(scope, receive)
            await _response(await _respond(venue, http))(scope, receive, send)

    return app


async def _respond(venue: Venue, http: requests.Request) -> Answer:
    try:
        return await _answer(venue, http)
    except Refusal as refusal:
        return Answer(refusal.body(), refusal.status)


async def _answer(venue: Venue, http: requests.Request) -> Answer:
    body = _read_json(await http.body()) if http.method in _BODY_METHODS else {}
    # The SDK sends `//v2/orders` when its URL ends in a slash.
    path = re.sub("/+", "/", http.scope["path"])
    request = Request(http.method, path, dict(http.query_params), body, _second_key(http))
    if not request.is_control and not request.is_of_second_source:
        _check_key(venue, http, path)

    reception = venue.receive(request)
    await _wait(reception.misbehaviour, http)
    return venue.carry_out(request, reception)


async def _wait(fault: Misbehaviour, http: requests.Request) -> None:
    if fault.delay_s:
        await asyncio.sleep(fault.delay_s)
    if fault.hangs:
        while not await http.is_disconnected():
            await asyncio.sleep(_POLL_S)
        raise refusal_of(504)


def _second_key(http: requests.Request) -> str:
    """Return the second source's key in the header `Authorization: apikey KEY`; empty without one."""
    scheme, _, key = http.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "apikey" else ""


def _check_key(venue: Venue, http: requests.Request, path: str) -> None:
    key, secret = http.headers.get("APCA-API-KEY-ID", ""), http.headers.get("APCA-API-SECRET-KEY", "")
    if _is_same(key, venue.key) and _is_same(secret, venue.secret):
        return
    if is_data_path(path):
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


def _response(answer: Answer) -> responses.Response:
    headers = dict(answer.headers)
    if answer.payload is None:
        return responses.Response(status_code=answer.status, headers=headers)
    content = json.dumps(answer.payload, separators=(",", ":"), allow_nan=False)
    return responses.Response(content, answer.status, headers=headers, media_type="application/json")
