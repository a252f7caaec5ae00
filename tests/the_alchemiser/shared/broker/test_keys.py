"""The keys are fetched with the first request, not with the wiring: a function answers before its secret exists."""

import httpx

from tests.the_alchemiser.shared.broker.answers import ACCOUNT
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials


def test_keys_are_asked_for_with_a_request_and_sent_as_the_brokers_headers() -> None:
    asked: list[str] = []
    seen: list[httpx.Headers] = []

    def keys() -> Credentials:
        asked.append("keys")
        return Credentials(key="the-key", secret="the-secret")

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json=ACCOUNT)

    broker = Broker("http://trading.test", "http://data.test", keys, transport=httpx.MockTransport(answer))
    asked_by_the_wiring = list(asked)
    broker.account()

    assert asked_by_the_wiring == []
    assert (seen[0]["APCA-API-KEY-ID"], seen[0]["APCA-API-SECRET-KEY"]) == ("the-key", "the-secret")
