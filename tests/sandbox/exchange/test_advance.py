"""Moving the exchange's clock in small steps, as a simulation does."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.exchange.clock import Phase, clock_at, fresh_clock
from sandbox.exchange.exchange import Exchange, State
from sandbox.exchange.orders import OrderStatus, Script
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.sessions import next_boundary
from tests.sandbox.exchange.worlds import (
    THURSDAY,
    WEDNESDAY,
    exchange_at,
    later,
    move,
    order_for,
    send,
    status,
    week_market,
)

CLOSE = datetime.fromisoformat("2022-03-16T16:00:00-04:00")


def test_advance_moves_the_clock_within_a_session() -> None:
    exchange = exchange_at()
    moment = exchange.now + timedelta(milliseconds=120)
    exchange.advance(moment)

    assert (exchange.now, exchange.clock.session, exchange.clock.phase) == (moment, WEDNESDAY, Phase.OTHER)


@pytest.mark.parametrize("seconds", [0, -5])
def test_advance_to_the_past_does_nothing(seconds: int) -> None:
    exchange = exchange_at()
    clock = exchange.clock
    exchange.advance(exchange.now + timedelta(seconds=seconds))

    assert exchange.clock == clock


@pytest.mark.parametrize(("before_s", "expected"), [(1, OrderStatus.NEW), (0, OrderStatus.EXPIRED)])
def test_advance_passes_the_close_when_it_gets_there(before_s: int, expected: OrderStatus) -> None:
    exchange = exchange_at()
    order = send(exchange, limit_price="50")
    exchange.advance(CLOSE - timedelta(seconds=before_s))

    assert status(exchange, order) is expected


def test_advance_over_a_night_opens_the_next_session() -> None:
    exchange = exchange_at()
    order = exchange.submit(order_for("RISE", "buy", "1", limit_price="60", time_in_force="gtc"), Script(delay_s=3600))
    later(exchange, 20 * 3600)
    filled = exchange.order(order.id)

    assert (exchange.clock.session, exchange.clock.phase) == (THURSDAY, Phase.OTHER)
    assert filled.filled_at is not None
    assert filled.filled_at.isoformat() == "2022-03-17T13:30:00.000001+00:00"
    assert [mark.session for mark in exchange.account.marks][-1] == WEDNESDAY


def test_advance_beyond_the_history_is_refused() -> None:
    exchange = exchange_at()

    with pytest.raises(Refusal, match="outside the history"):
        later(exchange, 30 * 86_400)


def test_advance_of_a_fresh_exchange_passes_nothing() -> None:
    market = week_market()
    exchange = exchange_at(market=market)
    fresh = Exchange(market, State(fresh_clock(market), exchange.account))
    fresh.advance(fresh.now + timedelta(days=1))

    assert not fresh.clock.is_fresh
    assert fresh.account.marks == exchange.account.marks


def test_clock_after_events_at_the_wanted_moment_is_past_them() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    exchange.submit(order_for("RISE", "buy", "1"))
    exchange.set_clock(clock_at(exchange.market, datetime.fromisoformat("2022-03-16T09:30:00-04:00")))
    first = exchange.account.fills[0].at
    send(exchange, "RISE")

    assert exchange.account.fills[0].at == first < exchange.account.fills[1].at
    assert exchange.account.fills[1].at - first == timedelta(microseconds=2)


def test_clock_that_is_set_over_timers_passes_them_in_order() -> None:
    exchange = exchange_at()
    slow = exchange.submit(order_for("CALM", "buy", "1"), Script(delay_s=60))
    fast = exchange.submit(order_for("RISE", "buy", "1"), Script(delay_s=30))
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)

    assert [fill.order_id for fill in exchange.account.fills] == [fast.id, slow.id]
    assert exchange.account.qty("CALM") == Decimal(1)


@pytest.mark.parametrize(
    ("moment", "boundary"),
    [
        ("2022-03-16T09:29:59-04:00", "2022-03-16T09:30:00-04:00"),
        ("2022-03-16T09:30:00-04:00", "2022-03-16T16:00:00-04:00"),
        ("2022-03-16T15:59:59-04:00", "2022-03-16T16:00:00-04:00"),
        ("2022-03-16T16:00:00-04:00", "2022-03-17T09:30:00-04:00"),
        ("2022-03-18T20:00:00-04:00", "2022-03-21T09:30:00-04:00"),
    ],
)
def test_next_boundary_is_the_next_open_or_close(moment: str, boundary: str) -> None:
    assert next_boundary(datetime.fromisoformat(moment)) == datetime.fromisoformat(boundary)
