"""The invariants of limits and of the close notice their planted violations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.exchange.orders import Side
from tests.simulation.healthy import BUY, BUY_ID, DAY, SELL, history, order, post, sentences

CLOSE = datetime(2022, 6, 15, 20, tzinfo=UTC)
OPEN = datetime(2022, 6, 15, 13, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def limited(**settings: str) -> Mapping[str, Any]:
    return {"scenario": replace(history().scenario, settings=settings)}


@pytest.mark.parametrize("at", [OPEN, CLOSE - 60 * SECOND])
def test_order_within_the_session_is_right(at: datetime) -> None:
    assert sentences("never_near_the_close", posts=(post(f"{SELL}-1", "sell", "AAA", at),)) == []


@pytest.mark.parametrize(
    ("at", "clock"),
    [
        (OPEN - SECOND, "09:29:59"),
        (CLOSE - 59 * SECOND, "15:59:01"),
        (CLOSE + timedelta(days=3), "16:00:00"),
    ],
)
def test_order_in_the_last_minute_or_outside_the_session_violates(at: datetime, clock: str) -> None:
    expected = [f"{SELL}-1 was sent at {clock}"]
    assert sentences("never_near_the_close", posts=(post(f"{SELL}-1", "sell", "AAA", at),)) == expected


def test_order_that_arrives_late_counts_from_when_it_was_sent() -> None:
    late = post(f"{SELL}-1", "sell", "AAA", CLOSE)._replace(sent_at=CLOSE - 60 * SECOND)
    assert sentences("never_near_the_close", posts=(late,)) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"ORDER_NOTIONAL_LIMIT": "1000"}, []),
        ({"ORDER_NOTIONAL_LIMIT": "999.99"}, [f"{SELL}-1 is worth 1000, the limit is 999.99"]),
        ({"ALLOWED_SYMBOLS": "AAA,BBB"}, []),
        ({"ALLOWED_SYMBOLS": "AAA"}, [f"{BUY}-1 trades BBB, which is not in the universe"]),
        ({"PRICE_DISTANCE_LIMIT": "0"}, []),
    ],
)
def test_order_beyond_a_limit_violates(settings: Mapping[str, str], expected: list[str]) -> None:
    assert sentences("order_limits_hold", **limited(**settings)) == expected


@pytest.mark.parametrize(("price", "violates"), [("101", False), ("99", False), ("101.01", True), ("98.99", True)])
def test_order_far_from_the_last_close_violates(price: str, violates: bool) -> None:
    orders = (order(BUY_ID, f"{BUY}-1", Side.BUY, "BBB", "5", OPEN, limit_price=Decimal(price)),)
    expected = [f"{BUY}-1 at {price} is beyond 0.01 of the last close"] if violates else []
    assert sentences("order_limits_hold", **limited(PRICE_DISTANCE_LIMIT="0.01"), orders=orders) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"DAY_TRADE_LIMIT": "2"}, []),
        ({"DAY_TRADE_LIMIT": "1"}, [f"2 trades were sent on {DAY}, the limit is 1"]),
        ({"DAY_NOTIONAL_LIMIT": "1000"}, []),
        ({"DAY_NOTIONAL_LIMIT": "999"}, [f"trades worth 1000 were sent on {DAY}, the limit is 999"]),
        ({}, []),
    ],
)
def test_day_beyond_a_limit_violates(settings: Mapping[str, str], expected: list[str]) -> None:
    assert sentences("day_limits_hold", **limited(**settings)) == expected
