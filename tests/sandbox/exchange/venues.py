"""Venues for the tests that need no HTTP, and a clock for their rate limits."""

from typing import Any

from sandbox.exchange.rate_limit import RateLimit
from sandbox.exchange.service import Answer, Venue
from sandbox.exchange.store import NoStore
from tests.sandbox.exchange.worlds import exchange_at

BUY = {"symbol": "CALM", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}
REST = {**BUY, "type": "limit", "limit_price": "50"}


class Clock:
    """Unix seconds that are set by hand."""

    def __init__(self, now: float = 1000.25) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def venue_of(per_minute: int = 0, **terms: Any) -> Venue:
    return Venue(exchange_at(**terms), NoStore(), limit=RateLimit(per_minute, Clock()))


def payload(answer: Answer, status: int = 200) -> Any:
    assert answer.status == status, answer
    return answer.payload
