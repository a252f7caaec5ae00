"""Requests to the services of a CI system: what is an answer, what is repeated, and where a token may go."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from automation.system import web
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.github_server import TOKEN, Fault, GitHub, served

pytestmark = pytest.mark.enable_socket

NOW = 1000.0
FAILED = Fault(502, "<html>")


@dataclass
class Clock:
    """Sleeps without waiting."""

    slept: list[float] = field(default_factory=list)

    def service(self, *, token: str = TOKEN, timeout_s: float = 5.0) -> web.Service:
        return web.Service("GitHub", token, timeout_s, self.slept.append, lambda: NOW)


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served() as github:
        yield github


@pytest.fixture
def clock() -> Clock:
    return Clock()


def token_url(github: GitHub) -> str:
    return f"{github.url}/token?audience=a"


def test_read_returns_the_answer(github: GitHub, clock: Clock) -> None:
    answer = clock.service().read(token_url(github))

    assert (answer.status, answer.is_ok, answer.body) == (200, True, {"value": "identity-token for a"})
    assert clock.slept == []


def test_send_returns_a_refusal_as_an_answer(github: GitHub, clock: Clock) -> None:
    answer = clock.service(token="other").send("GET", token_url(github))

    assert (answer.status, answer.is_ok, answer.message) == (401, False, "401 Unauthorized: Bad credentials")
    assert len(github.requests) == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (FAILED, "GitHub: failed: 502 Bad Gateway: no message"),
        (Fault(500, '{"message": "oops"}'), "GitHub: failed: 500 Internal Server Error: oops"),
        (Fault(), "GitHub: did not answer: .*; run it again"),
        (Fault(200, '{"value": "abcdefgh"}', is_half=True), "GitHub: did not answer: .*; run it again"),
        (Fault(200, "<html>"), "GitHub: did not answer: .*; run it again"),
        (Fault(200, "{}", is_slow=True), "GitHub: did not answer: timed out; run it again"),
    ],
)
def test_read_is_repeated_while_there_is_no_answer(github: GitHub, clock: Clock, fault: Fault, message: str) -> None:
    service = clock.service(timeout_s=0.2 if fault.is_slow else 5.0)
    github.faults = [fault, fault]
    answer = service.read(token_url(github))
    slept = list(clock.slept)
    github.faults = [fault, fault, fault]

    with pytest.raises(web.UnreachableError, match=f"^{message}$") as caught:
        service.read(token_url(github))

    assert (answer.status, slept, len(github.requests)) == (200, [1.0, 3.0], 6)
    assert (caught.value.exit_code, isinstance(caught.value, ToolError)) == (5, True)


def test_read_nobody_listens_is_unreachable(github: GitHub, clock: Clock) -> None:
    with pytest.raises(web.UnreachableError, match=r"Connection refused; run it again$"):
        clock.service().read("http://127.0.0.1:1/token")


@pytest.mark.parametrize(
    ("status", "headers", "slept"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (403, {"Retry-After": "60"}, 60.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1020"}, 20.0),
        (429, {"X-RateLimit-Reset": "1005"}, 5.0),
        (429, {}, 1.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "990"}, 1.0),
        (429, {"Retry-After": "soon"}, 1.0),
        (429, {"Retry-After": "-5"}, 0.0),
        (429, {"X-RateLimit-Reset": "soon"}, 1.0),
    ],
)
def test_send_waits_for_a_limit_of_requests(
    github: GitHub, clock: Clock, status: int, headers: dict[str, str], slept: float
) -> None:
    github.faults = [Fault(status, "{}", headers)]

    answer = clock.service().send("GET", token_url(github))

    assert (answer.status, clock.slept, len(github.requests)) == (200, [slept], 2)


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "61"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1061"}]
)
def test_send_does_not_wait_for_longer_than_a_minute(github: GitHub, clock: Clock, headers: dict[str, str]) -> None:
    github.faults = [Fault(403, '{"message": "rate limit"}', headers)]

    with pytest.raises(web.UnreachableError) as caught:
        clock.service().send("GET", token_url(github))

    message = "allows no more requests for 61 s (403 Forbidden: rate limit); run it again then"
    assert (str(caught.value), clock.slept) == (f"GitHub: {message}", [])


def test_send_that_is_limited_twice_gives_up(github: GitHub, clock: Clock) -> None:
    github.faults = [Fault(429, "{}", {"Retry-After": "2"})] * 2

    with pytest.raises(web.UnreachableError, match="allows no more requests for 2 s"):
        clock.service().send("GET", token_url(github))

    assert clock.slept == [2.0]


@pytest.mark.parametrize("headers", [{}, {"X-RateLimit-Remaining": "10"}])
def test_send_refused_is_not_a_limit(github: GitHub, clock: Clock, headers: dict[str, str]) -> None:
    github.faults = [Fault(403, '{"message": "no"}', headers)]

    assert clock.service().send("GET", token_url(github)).message == "403 Forbidden: no"
    assert clock.slept == []


def test_send_says_who_asks_and_sends_json(github: GitHub, clock: Clock) -> None:
    clock.service().read(token_url(github))
    asked = dict(github.headers)

    answer = clock.service().send("POST", f"{github.url}/repos/shop/till/issues/7/comments", {"body": "ä"})

    assert (asked["Accept"], asked["User-Agent"]) == ("application/json", "inv")
    assert "Content-Type" not in asked
    assert github.headers["Content-Type"] == "application/json"
    assert (answer.status, github.bodies()) == (201, ["ä"])


def test_send_to_this_machine_uses_no_proxy(github: GitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert clock.service().read(token_url(github)).is_ok


@pytest.mark.parametrize(("status", "is_ok"), [(199, False), (200, True), (299, True), (300, False)])
def test_answer_is_ok(status: int, *, is_ok: bool) -> None:
    assert web.Answer(status, {}, None).is_ok is is_ok


def test_answer_of_an_unknown_status_has_a_message() -> None:
    assert web.Answer(599, {}, None).message == "599 : no message"


def test_send_html_of_another_status_is_an_answer_without_a_body(github: GitHub, clock: Clock) -> None:
    github.faults = [Fault(300, "<html>")]

    answer = clock.service().send("GET", token_url(github))

    assert (answer.status, answer.body) == (300, None)


@pytest.mark.parametrize("url", ["http://localhost:1/x", "http://[::1]:1/x", "https://127.0.0.1:1/x"])
def test_send_to_a_safe_place_is_tried(clock: Clock, url: str) -> None:
    with pytest.raises(web.UnreachableError, match=r"^GitHub: did not answer: "):
        clock.service().send("GET", url)


def test_service_waits_15_seconds_for_an_answer() -> None:
    assert web.Service("GitHub", "t").timeout_s == 15.0


def test_send_follows_no_redirect(github: GitHub, clock: Clock) -> None:
    """Planted fault: the token would go to another host."""
    github.faults = [Fault(302, "", {"Location": f"{github.url}/stolen"})]

    answer = clock.service().send("GET", token_url(github))

    assert (answer.status, len(github.requests)) == (302, 1)


@pytest.mark.parametrize("url", ["http://api.github.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "127.0.0.1"])
def test_send_to_a_place_that_is_not_safe_is_refused(clock: Clock, url: str) -> None:
    host = {"http://api.github.com/x": "http://api.github.com", "ftp://127.0.0.1/x": "ftp://127.0.0.1"}

    with pytest.raises(ConfigurationError) as caught:
        clock.service().send("GET", url)

    assert str(caught.value).startswith(host.get(url, ""))
    assert str(caught.value).endswith(" would get a token without encryption; use https")
