from datetime import UTC, date, datetime
from itertools import chain

import pytest

from sandbox.exchange.history import load_history
from sandbox.exchange.sessions import (
    latest_opened,
    next_session,
    session_after,
    session_before,
    session_on,
    session_open_at,
    sessions_between,
    trading_session,
)
from tests.sandbox.exchange.worlds import FRIDAY, HISTORY, MONDAY, WEDNESDAY


def test_sessions_between_match_three_decades_of_bars() -> None:
    real = set(chain.from_iterable(series.dates for series in load_history(HISTORY).values()))
    by_rule = {session.date for session in sessions_between(min(real), max(real))}

    assert by_rule == real


def test_early_closes_are_the_announced_ones() -> None:
    early = [
        session.date for session in sessions_between(date(2019, 1, 1), date(2024, 12, 31)) if session.is_early_close
    ]

    assert [day.isoformat() for day in early] == [
        "2019-07-03",
        "2019-11-29",
        "2019-12-24",
        "2020-11-27",
        "2020-12-24",
        "2021-11-26",
        "2022-11-25",
        "2023-07-03",
        "2023-11-24",
        "2024-07-03",
        "2024-11-29",
        "2024-12-24",
    ]


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2022, 3, 11), "14:30", "21:00"),
        (date(2022, 3, 14), "13:30", "20:00"),
        (date(2022, 11, 25), "14:30", "18:00"),
    ],
    ids=["winter", "summer", "half day"],
)
def test_session_on_a_day_has_new_york_hours(day: date, opens: str, closes: str) -> None:
    session = session_on(day)

    assert session is not None
    assert (f"{session.opens:%H:%M}", f"{session.closes:%H:%M}") == (opens, closes)


@pytest.mark.parametrize("day", [date(2022, 6, 20), date(2021, 12, 24), date(2018, 12, 5), date(2022, 3, 13)])
def test_session_on_a_holiday_or_weekend_is_none(day: date) -> None:
    assert session_on(day) is None


def test_session_before_and_after_skip_the_weekend() -> None:
    assert session_before(MONDAY).date == date(2022, 3, 11)
    assert session_after(FRIDAY).date == date(2022, 3, 21)


def test_session_after_the_calendar_fails() -> None:
    with pytest.raises(ValueError, match="the exchange calendar covers"):
        session_after(date(2036, 12, 31))


def test_session_at_the_close_is_over() -> None:
    session = session_on(WEDNESDAY)

    assert session is not None
    assert session_open_at(session.opens) == session
    assert session_open_at(session.closes) is None
    assert latest_opened(session.closes) == session
    assert next_session(session.closes).date == date(2022, 3, 17)


def test_trading_session_on_a_weekend_is_monday() -> None:
    assert trading_session(datetime(2022, 3, 12, 18, tzinfo=UTC)).date == MONDAY
    assert latest_opened(datetime(2022, 3, 14, 3, tzinfo=UTC)).date == date(2022, 3, 11)
