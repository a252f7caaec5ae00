"""The sessions of the New York Stock Exchange from 1989 to 2036, computed from its rules.

Source: NYSE holidays and trading hours; `_SPECIAL_CLOSURES` and `_SPECIAL_EARLY_CLOSES` list what follows no rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
FIRST_YEAR = 1989
LAST_YEAR = 2036

_OPEN, _CLOSE, _EARLY_CLOSE = time(9, 30), time(16, 0), time(13, 0)
_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6
_DAY = timedelta(days=1)
_SPECIAL_CLOSURES = frozenset(
    {
        date(1994, 4, 27),  # funeral of Richard Nixon
        *(date(2001, 9, day) for day in (11, 12, 13, 14)),
        date(2004, 6, 11),  # funeral of Ronald Reagan
        date(2007, 1, 2),  # mourning for Gerald Ford
        date(2012, 10, 29),  # hurricane Sandy
        date(2012, 10, 30),
        date(2018, 12, 5),  # mourning for George H. W. Bush
        date(2025, 1, 9),  # mourning for Jimmy Carter
    }
)
_SPECIAL_EARLY_CLOSES = {
    **dict.fromkeys((date(1990, 12, 24), date(1991, 12, 24), date(1992, 11, 27), date(1992, 12, 24)), time(14)),
    **dict.fromkeys((date(1997, 12, 26), date(1999, 12, 31), date(2003, 12, 26)), _EARLY_CLOSE),
}


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day; `opens` and `closes` are aware UTC."""

    date: date
    opens: datetime
    closes: datetime

    @property
    def is_early_close(self) -> bool:
        return self.closes.astimezone(NEW_YORK).time() < _CLOSE


def session_on(day: date) -> Session | None:
    return _by_date(day.year).get(day) if FIRST_YEAR <= day.year <= LAST_YEAR else None


def sessions_between(start: date, end: date) -> Iterator[Session]:
    """Yield the sessions from start through end, both included, ascending."""
    for year in range(max(start.year, FIRST_YEAR), min(end.year, LAST_YEAR) + 1):
        for session in sessions_of(year):
            if start <= session.date <= end:
                yield session


def session_before(day: date) -> Session:
    return _nearest(day, -_DAY)


def session_after(day: date) -> Session:
    return _nearest(day, _DAY)


def session_open_at(now: datetime) -> Session | None:
    """Return the session that is open at this moment; at the moment of the close it is not."""
    session = session_on(now.astimezone(NEW_YORK).date())
    return session if session is not None and session.opens <= now < session.closes else None


def latest_opened(now: datetime) -> Session:
    """Return the session that is open now or, when closed, the last one that was."""
    day = now.astimezone(NEW_YORK).date()
    session = session_on(day)
    return session if session is not None and session.opens <= now else session_before(day)


def next_session(now: datetime) -> Session:
    """Return the session that opens next."""
    day = now.astimezone(NEW_YORK).date()
    session = session_on(day)
    return session if session is not None and now < session.opens else session_after(day)


def trading_session(now: datetime) -> Session:
    """Return the session in which an order sent now trades."""
    return session_open_at(now) or next_session(now)


def next_boundary(now: datetime) -> datetime:
    """Return the next open or close after a moment."""
    session = session_open_at(now)
    return next_session(now).opens if session is None else session.closes


def at_new_york(day: date, moment: time) -> datetime:
    """Return a New York wall-clock time as an aware UTC moment."""
    return datetime.combine(day, moment, NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=128)
def sessions_of(year: int) -> tuple[Session, ...]:
    closed = frozenset(_holidays(year)) | _SPECIAL_CLOSURES
    early = _SPECIAL_EARLY_CLOSES | dict.fromkeys(_early_closes(year), _EARLY_CLOSE)
    first = date(year, 1, 1)
    length = (date(year + 1, 1, 1) - first).days
    days = (first + timedelta(days=number) for number in range(length))
    return tuple(
        _session(day, early.get(day, _CLOSE)) for day in days if day.weekday() <= _FRIDAY and day not in closed
    )


@lru_cache(maxsize=128)
def _by_date(year: int) -> dict[date, Session]:
    return {session.date: session for session in sessions_of(year)}


def _session(day: date, closes: time) -> Session:
    return Session(day, at_new_york(day, _OPEN), at_new_york(day, closes))


def _nearest(day: date, step: timedelta) -> Session:
    while FIRST_YEAR <= day.year <= LAST_YEAR:
        day += step
        session = session_on(day)
        if session is not None:
            return session
    raise ValueError(f"{day}: the exchange calendar covers {FIRST_YEAR} to {LAST_YEAR}")


def _holidays(year: int) -> Iterator[date]:
    new_year = date(year, 1, 1)
    # A New Year's Day on a Saturday is not observed on the Friday, which is in the old year.
    yield new_year + _DAY if new_year.weekday() == _SUNDAY else new_year
    if year >= 1998:
        yield _weekday_of_month(year, 1, _MONDAY, nth=3)
    yield _weekday_of_month(year, 2, _MONDAY, nth=3)
    yield _easter(year) - 2 * _DAY
    yield _weekday_of_month(year, 6, _MONDAY, nth=1) - 7 * _DAY
    if year >= 2022:
        yield _observed(date(year, 6, 19))
    yield _observed(date(year, 7, 4))
    yield _weekday_of_month(year, 9, _MONDAY, nth=1)
    yield _thanksgiving(year)
    yield _observed(date(year, 12, 25))


def _early_closes(year: int) -> Iterator[date]:
    if year < 1993:
        return
    yield _thanksgiving(year) + _DAY
    yield date(year, 12, 24)
    eve = date(year, 7, 3)
    # Until 2012, when July 4 was a Thursday, the Friday after it closed early, not the Wednesday before.
    yield date(year, 7, 5) if year < 2013 and eve.weekday() == _THURSDAY - 1 else eve


def _thanksgiving(year: int) -> date:
    return _weekday_of_month(year, 11, _THURSDAY, nth=4)


def _observed(day: date) -> date:
    """Return when a holiday is observed: on the Friday before a Saturday, on the Monday after a Sunday."""
    if day.weekday() == _SATURDAY:
        return day - _DAY
    return day + _DAY if day.weekday() == _SUNDAY else day


def _weekday_of_month(year: int, month: int, weekday: int, *, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _easter(year: int) -> date:
    """Return the date of Western Easter.

    Source: the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8).
    """
    century, rest = divmod(year, 100)
    leaps, century_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - leaps - correction + 15) % 30
    weekday = (32 + 2 * century_rest + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)
