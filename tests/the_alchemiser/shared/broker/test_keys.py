"""The keys are read with the first request, not on construction: a function can start before its secret exists."""

import httpx

from tests.the_alchemiser.shared.broker.answers import ACCOUNT
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials


def test_keys_are_read_with_a_request_and_sent_as_headers() -> None:
    reads: list[str] = []
    received: list[httpx.Headers] = []

    def keys() -> Credentials:
        reads.append("keys")
        return Credentials(key="the-key", secret="the-secret")

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request.headers)
        return httpx.Response(200, json=ACCOUNT)

    broker = Broker("http://trading.test", "http://data.test", keys, transport=httpx.MockTransport(answer))
    reads_on_construction = list(reads)
    broker.account()

    assert reads_on_construction == []
    assert (received[0]["APCA-API-KEY-ID"], received[0]["APCA-API-SECRET-KEY"]) == ("the-key", "the-secret")
