"""Requests to an ASGI application, without a socket."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from starlette.types import ASGIApp

PORT = 8642
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"


def request(
    app: ASGIApp, method: str, path: str, *, headers: Sequence[tuple[str, str]] = (), content: bytes = b""
) -> httpx.Response:
    """Return the answer of an application; redirects are not followed."""

    async def send() -> httpx.Response:
        transport: Any = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.request(method, path, headers=list(headers), content=content)

    return asyncio.run(send())


def get(app: ASGIApp, path: str, **headers: str) -> httpx.Response:
    """Return the answer to a GET; an underscore in the name of a header is a hyphen."""
    return request(app, "GET", path, headers=[(name.replace("_", "-"), value) for name, value in headers.items()])
