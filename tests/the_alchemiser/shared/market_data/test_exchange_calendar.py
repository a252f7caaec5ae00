"""The shipped calendar: generated, the same as the sandbox's rules, and compared with the broker's."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from sandbox.exchange.sessions import sessions_between
from tests.the_alchemiser.shared.market_data.calendar_file import FIRST_YEAR, LAST_YEAR, generated_text
from the_alchemiser.shared.market_data.exchange_calendar import (
    FILE,
    Difference,
    ExchangeCalendar,
    differences,
    parse_calendar,
    shipped_calendar,
)
from the_alchemiser.shared.values import Session

NEW_YORK = ZoneInfo("America/New_York")
MONDAY, TUESDAY, WEDNESDAY, SATURDAY = (date(2022, 3, day) for day in (14, 15, 16, 19))
WEEK = ExchangeCalendar(MONDAY, SATURDAY, frozenset({TUESDAY}), {WEDNESDAY: time(13)})


def session(day: date, closes: time = time(16)) -> Session:
    return Session(day, datetime.combine(day, time(9, 30), NEW_YORK), datetime.combine(day, closes, NEW_YORK))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pandas")
@pytest.mark.filterwarnings("ignore::pandas.errors.PandasChangeWarning")
def test_calendar_file_is_what_the_generator_writes() -> None:
    assert FILE.read_text() == generated_text()


def test_shipped_calendar_equals_the_rules_of_the_paper_exchange() -> None:
    first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)

    shipped = [(day.date, day.open, day.close) for day in shipped_calendar().sessions(first, last)]

    assert shipped == [(rule.date, rule.opens, rule.closes) for rule in sessions_between(first, last)]


def test_shipped_calendar_covers_whole_years() -> None:
    assert (shipped_calendar().first, shipped_calendar().last) == (date(1990, 1, 1), date(2036, 12, 31))


def test_sessions_have_the_hours_of_new_york() -> None:
    assert WEEK.sessions(MONDAY, WEDNESDAY) == (session(MONDAY), session(WEDNESDAY, time(13)))


def test_sessions_outside_the_calendar_are_left_out() -> None:
    days = [day.date.day for day in WEEK.sessions(date(2022, 3, 1), date(2022, 3, 31))]

    assert days == [14, 16, 17, 18]


def test_parse_calendar_reads_closed_days_and_early_closes() -> None:
    text = '{"years": {"2022": {"closed": ["07-04"], "early": {"11-25": "13:00"}}}}'

    assert parse_calendar(text) == ExchangeCalendar(
        date(2022, 1, 1), date(2022, 12, 31), frozenset({date(2022, 7, 4)}), {date(2022, 11, 25): time(13)}
    )


def test_differences_of_equal_calendars_are_none() -> None:
    assert differences(WEEK, WEEK.sessions(MONDAY, SATURDAY), start=MONDAY, end=SATURDAY) == ()


@pytest.mark.parametrize(
    ("broker", "difference"),
    [
        ([session(WEDNESDAY, time(13))], (MONDAY, "the broker has no session, the exchange has one")),
        (
            [session(MONDAY), session(TUESDAY), session(WEDNESDAY, time(13))],
            (TUESDAY, "the broker has a session, the exchange has none"),
        ),
        (
            [session(MONDAY), session(WEDNESDAY)],
            (WEDNESDAY, "the broker's session closes at 16:00, the exchange's at 13:00"),
        ),
    ],
)
def test_differences_name_the_day_and_both_sides(broker: list[Session], difference: tuple[date, str]) -> None:
    assert differences(WEEK, broker, start=MONDAY, end=WEDNESDAY) == (Difference(*difference),)


def test_differences_outside_the_calendar_or_the_dates_are_none() -> None:
    broker = [session(date(2022, 3, 11)), session(MONDAY), session(TUESDAY), session(date(2022, 3, 21))]

    assert differences(WEEK, broker, start=date(2022, 3, 11), end=MONDAY) == ()
