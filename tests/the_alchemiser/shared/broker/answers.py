"""Responses as the broker documents them, and a transport that returns scripted responses in turn."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.rate_limit import Pacing, Retries
from the_alchemiser.shared.broker.transport import Request, Response, Transport

ORDER = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "local-2024-03-15-BUY-SPY-1",
    "submitted_at": "2024-03-15T19:45:01.123456789Z",
    "filled_at": "2024-03-15T19:45:01.5Z",
    "canceled_at": None,
    "symbol": "SPY",
    "side": "buy",
    "type": "limit",
    "status": "filled",
    "qty": "12.345678",
    "filled_qty": "12.345678",
    "filled_avg_price": "509.83",
    "limit_price": "509.88",
}
ACCOUNT = {
    "id": "904837e3-3b76-47ec-b432-046db621571b",
    "status": "ACTIVE",
    "cash": "100000",
    "equity": "100000.10",
    "last_equity": "99999.99",
    "buying_power": "100000",
    "multiplier": "1",
    "trading_blocked": False,
    "account_blocked": False,
}

Answer = Response | Exception


def answer(status: int, body: object = None, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with this body: a string unchanged, anything else as JSON."""
    content = body if isinstance(body, str) else json.dumps(body)
    return Response(status, headers or {}, content.encode())


class Script:
    """A transport that returns the answers in turn and records the requests."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request.changed(params=dict(request.params)))  # a caller may change its params later
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Do nothing: no socket is open."""

    @property
    def request_lines(self) -> list[str]:
        return [f"{request.method} {urlsplit(request.url).path}" for request in self.requests]

    @property
    def is_spent(self) -> bool:
        return not self._answers


def broker_over(
    script: Transport,
    pauses: list[float] | None = None,
    pacing: Pacing | None = None,
    *,
    data_url: str = "http://data.test/",
) -> Broker:
    """Return a broker over this transport. It appends its pauses to `pauses` instead of waiting."""
    recorded = pauses if pauses is not None else []
    return Broker(
        "http://trading.test",
        data_url,
        lambda: Credentials(key="the-key", secret="the-secret"),
        transport=script,
        retries=Retries(sleep=recorded.append),
        pacing=pacing,
    )
