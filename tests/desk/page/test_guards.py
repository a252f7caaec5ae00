"""Requests of other sites are refused, and every answer forbids what the page does not need."""

from collections.abc import Mapping

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from desk.page.guards import CONTENT_POLICY, HEADERS, guarded
from tests.desk.page.asgi import HOST, ORIGIN, PORT, get, request


def app(*, redact: bytes = b"") -> ASGIApp:
    def answer(request: Request) -> Response:
        return PlainTextResponse(f"{request.method} the secret word")

    served = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    return guarded(served, PORT, redact=(lambda body: body.replace(redact, b"***")) if redact else bytes)


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}"])
def test_own_host_is_served(host: str) -> None:
    assert get(app(), "/", Host=host).text == "GET the secret word"


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "localhost:80", f"127.0.0.1:{PORT}.evil.example", ""]
)
def test_another_host_is_refused(host: str) -> None:
    """A site that points its name to loopback sends its own name as the host."""
    answer = get(app(), "/", Host=host)

    assert (answer.status_code, answer.text) == (403, f"refused: this page is only served at {ORIGIN}\n")


@pytest.mark.parametrize("origin", [ORIGIN, f"http://localhost:{PORT}"])
def test_own_origin_may_post(origin: str) -> None:
    assert request(app(), "POST", "/", headers=[("Origin", origin)]).text == "POST the secret word"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", f"https://{HOST}", f"{ORIGIN}.evil.example", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(origin: str, method: str) -> None:
    answer = request(app(), method, "/", headers=[("Origin", origin)])

    assert (answer.status_code, answer.text) == (403, "refused: another site sent this request\n")


def test_post_without_an_origin_is_refused() -> None:
    answer = request(app(), "POST", "/")

    assert (answer.status_code, answer.text) == (403, "refused: the request does not say which page sent it\n")


def test_two_hosts_are_refused() -> None:
    answer = request(app(), "GET", "/", headers=[("Host", HOST), ("Host", HOST)])

    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Host": "evil.example"}], ids=["served", "refused"])
def test_every_answer_has_the_security_headers(headers: Mapping[str, str]) -> None:
    answer = get(app(), "/", **headers)

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_content_policy_allows_only_what_the_page_needs() -> None:
    policy = dict(part.strip().split(" ", 1) for part in CONTENT_POLICY.split(";"))

    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src-elem": "'self'",
        "style-src-attr": "'unsafe-inline'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_body_is_redacted_and_its_length_fits() -> None:
    answer = get(app(redact=b"secret"), "/")

    assert answer.text == "GET the *** word"
    assert answer.headers["content-length"] == "16"
