from datetime import UTC, date, datetime

import pytest

from sandbox.exchange.clock import Phase, clock_at, clock_at_phase, fresh_clock
from sandbox.exchange.refusals import Refusal
from tests.sandbox.exchange.worlds import MONDAY, THURSDAY, WEDNESDAY, exchange_at, move, real_market, send, week_market


@pytest.mark.parametrize(
    ("day", "phase", "moment"),
    [
        ("2022-03-16", Phase.EVENING_BEFORE, "2022-03-15T20:00:00-04:00"),
        ("2022-03-16", Phase.BEFORE_CLOSE, "2022-03-16T15:45:00-04:00"),
        ("2022-03-16", Phase.AFTER_CLOSE, "2022-03-16T16:05:00-04:00"),
        ("2022-03-14", Phase.EVENING_BEFORE, "2022-03-11T20:00:00-05:00"),
        ("2022-11-25", Phase.BEFORE_CLOSE, "2022-11-25T12:45:00-05:00"),
        ("2023-07-03", Phase.AFTER_CLOSE, "2023-07-03T13:05:00-04:00"),
    ],
)
def test_clock_at_phase_is_the_new_york_time(day: str, phase: Phase, moment: str) -> None:
    clock = clock_at_phase(real_market(), date.fromisoformat(day), phase)

    assert clock.now == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2022-03-13", r"2022-03-13 \(Sunday\) is not a session"),
        ("2022-06-20", r"2022-06-20 \(Monday\) is not a session"),
        ("2024-01-02", "outside the history, 1990-01-02 to 2023-12-29"),
    ],
)
def test_clock_at_phase_of_a_bad_day_is_refused(day: str, message: str) -> None:
    with pytest.raises(Refusal, match=message) as caught:
        clock_at_phase(real_market(), date.fromisoformat(day), Phase.BEFORE_CLOSE)

    assert caught.value.status == 422


@pytest.mark.parametrize("moment", [datetime(1989, 12, 29, 12, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)])
def test_clock_at_outside_the_history_is_refused(moment: datetime) -> None:
    with pytest.raises(Refusal, match="outside the history"):
        clock_at(real_market(), moment)


def test_fresh_clock_is_after_the_first_common_close() -> None:
    clock = fresh_clock(real_market())

    assert (clock.session, clock.is_fresh) == (date(2020, 1, 2), True)
    assert clock.now.isoformat() == "2020-01-02T21:05:00+00:00"


def test_set_clock_backwards_is_refused() -> None:
    exchange = exchange_at(THURSDAY)
    before = exchange.snapshot()

    with pytest.raises(Refusal, match="cannot go back") as caught:
        move(exchange, WEDNESDAY)

    assert caught.value.status == 409
    assert exchange.snapshot() == before


def test_set_clock_to_its_own_time_changes_nothing() -> None:
    exchange = exchange_at()
    send(exchange)
    now = exchange.now
    move(exchange, WEDNESDAY)

    assert exchange.now == now


def test_set_clock_backwards_after_an_order_is_refused() -> None:
    market = week_market()
    exchange = exchange_at(MONDAY, Phase.AFTER_CLOSE, market=market)
    exchange.clock = fresh_clock(market)
    send(exchange, limit_price="50")

    with pytest.raises(Refusal, match="cannot go back"):
        move(exchange, MONDAY, Phase.BEFORE_CLOSE)


def test_now_after_two_order_events_is_two_microseconds_later() -> None:
    exchange = exchange_at()
    before = exchange.now
    send(exchange)

    assert (exchange.now - before).microseconds == 2
