"""The connection to the broker: what it never does, how long it waits, and what its errors say."""

import httpx
import pytest

from tests.the_alchemiser.shared.broker.answers import Script, answer, broker_over
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.wire import Timeouts, http_client


def keys() -> Credentials:
    return Credentials(key="the-key", secret="the-secret")


def failure_of(*answers: httpx.Response | Exception) -> str:
    with pytest.raises(BrokerError) as caught:
        broker_over(Script(answers)).clock()
    return str(caught.value)


def test_http_client_reaches_only_the_configured_hosts() -> None:
    with http_client(keys, timeouts=Timeouts(), transport=httpx.MockTransport(Script([]))) as client:
        assert (client.trust_env, client.follow_redirects) == (False, False)


def test_http_client_waits_two_seconds_for_a_connection_and_four_for_bytes() -> None:
    with http_client(keys, timeouts=Timeouts(), transport=httpx.MockTransport(Script([]))) as client:
        assert client.timeout == httpx.Timeout(4.0, connect=2.0)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (httpx.ReadTimeout("slow"), "GET /v2/clock: no response in time (ReadTimeout)"),
        (httpx.ConnectError("refused"), "GET /v2/clock: refused"),
        (httpx.ReadError(""), "GET /v2/clock: ReadError"),
    ],
    ids=["time-out", "with a text", "without a text"],
)
def test_request_without_an_answer_says_what_happened(error: Exception, shown: str) -> None:
    assert failure_of(error, error, error) == shown


def test_answer_that_is_not_json_is_quoted() -> None:
    pages = [answer(200, "<html>" + "x" * 300) for _ in range(3)]

    assert failure_of(*pages) == "GET /v2/clock: 200 with a body that is not JSON: '<html>" + "x" * 193
