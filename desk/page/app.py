"""The routes of the page. All but one only read; the one that trades exists on the sandbox alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import compare_digest, token_urlsafe
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from desk.page import guards
from desk.page.feeds import Feed
from desk.page.next_session import NextSession
from desk.page.parts import PARTS, Renderer, find, templates

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
_STATIC = {
    "report.css": ("report.css", "text/css"),
    "desk.css": ("desk/desk.css", "text/css"),
    "desk.js": ("desk/desk.js", "text/javascript"),
    "icon.svg": ("desk/icon.svg", "image/svg+xml"),
}
_MOST_BODY_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Desk:
    """What the page shows.

    Attributes:
        environment: its name, and its target in words.
        feeds: by the names that the parts use.
        next_session: trades the next session; None where days are not simulated.
        token: what a form must send, so that no other page can.
    """

    environment: str
    target: str
    feeds: Mapping[str, Feed[object]]
    next_session: NextSession | None = None
    token: str = field(default_factory=lambda: token_urlsafe(32))


def make_app(desk: Desk, port: int, *, redact: Callable[[bytes], bytes]) -> ASGIApp:
    """Return the application that serves a desk on a port of loopback, behind the guards."""
    renderer = Renderer(desk.environment)
    routes = [
        Route("/", _page(desk, renderer)),
        Route("/parts/{name}", _part(desk, renderer)),
        Route("/static/{name}", _static),
    ]
    if desk.next_session is not None:
        routes += [
            Route("/next-session", _show_session(desk, desk.next_session)),
            Route("/next-session", _trade(desk, desk.next_session), methods=["POST"]),
        ]
    return guards.guarded(Starlette(routes=routes), port, redact=redact)


def _page(desk: Desk, renderer: Renderer) -> Callable[[Request], Response]:
    def page(_request: Request) -> Response:
        fragments = [renderer.render(part, desk.feeds[part.feed]) for part in PARTS]
        session = _session_html(desk, desk.next_session) if desk.next_session else ""
        html = templates().get_template("desk/page.html").render(desk=desk, fragments=fragments, session=session)
        return HTMLResponse(html)

    return page


def _part(desk: Desk, renderer: Renderer) -> Callable[[Request], Response]:
    def part(request: Request) -> Response:
        known = find(request.path_params["name"])
        if known is None:
            return PlainTextResponse("this part does not exist\n", 404)
        fragment = renderer.render(known, desk.feeds[known.feed])
        headers = {
            "ETag": fragment.tag,
            "Desk-Next-Ms": str(fragment.next_ms),
            "Desk-Age-Ms": "" if fragment.reading.value is None else str(round(fragment.reading.age_s * 1000)),
        }
        if request.headers.get("if-none-match") == fragment.tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(fragment.html, headers=headers)

    return part


def _static(request: Request) -> Response:
    known = _STATIC.get(request.path_params["name"])
    if known is None:
        return PlainTextResponse("this file does not exist\n", 404)
    file, kind = known
    return Response((_TEMPLATES / file).read_bytes(), media_type=kind)


def _show_session(desk: Desk, session: NextSession) -> Callable[[Request], Response]:
    def show(_request: Request) -> Response:
        return HTMLResponse(_session_html(desk, session))

    return show


def _trade(desk: Desk, session: NextSession) -> Callable[[Request], object]:
    async def trade(request: Request) -> Response:
        body = await _read_body(request)
        tokens = parse_qs(body.decode("utf-8", "replace")).get("token", [])
        if len(tokens) != 1 or not compare_digest(tokens[0].encode(), desk.token.encode()):
            return PlainTextResponse("the page is from an earlier start of the desk; load it again\n", 403)
        if not session.begin():
            return PlainTextResponse("a session is being traded; wait for its end\n", 409)
        for feed in desk.feeds.values():
            feed.expire()
        return RedirectResponse("/#top", 303)

    return trade


async def _read_body(request: Request) -> bytes:
    """Return the body; nothing when it is longer than any form of the page."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BODY_BYTES:
            return b""
    return body


def _session_html(desk: Desk, session: NextSession) -> str:
    template = templates().get_template("desk/session.html")
    return template.render(token=desk.token, progress=session.progress)
