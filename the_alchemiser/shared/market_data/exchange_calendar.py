"""The sessions of the New York Stock Exchange that a release ships, in exchange_calendar.json.

They are a second opinion on the broker's calendar. The file has the weekdays without a session and the sessions that
close early; every other weekday is a session. It is generated: tests/the_alchemiser/shared/market_data/calendar_file.py
says how, and how years are added.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Session

FILE = Path(__file__).with_suffix(".json")
_OPEN, _CLOSE = time(9, 30), time(16)
_FRIDAY = 4
_DAY = timedelta(days=1)


class ExchangeCalendar(Frozen):
    """Which days from `first` through `last` have a session.

    Attributes:
        closed: the weekdays without one.
        early: the closing times of the sessions that close early, New York time.
    """

    first: date
    last: date
    closed: frozenset[date]
    early: Mapping[date, time]

    def sessions(self, start: date, end: date) -> tuple[Session, ...]:
        """Return the sessions from start through end, as far as the calendar covers them, ascending."""
        first, last = max(start, self.first), min(end, self.last)
        days = (first + _DAY * number for number in range((last - first).days + 1))
        return tuple(self._session(day) for day in days if day.weekday() <= _FRIDAY and day not in self.closed)

    def _session(self, day: date) -> Session:
        closes = self.early.get(day, _CLOSE)
        return Session(day, datetime.combine(day, _OPEN, new_york()), datetime.combine(day, closes, new_york()))


class Difference(Frozen):
    """A day on which two calendars differ, and how."""

    date: date
    text: str


@cache
def shipped_calendar() -> ExchangeCalendar:
    """Return the calendar of this release."""
    return parse_calendar(FILE.read_text())


def parse_calendar(text: str) -> ExchangeCalendar:
    """Return the calendar in the text of the file."""
    years = json.loads(text)["years"]
    closed: set[date] = set()
    early: dict[date, time] = {}
    for year, days in years.items():
        closed.update(date.fromisoformat(f"{year}-{day}") for day in days["closed"])
        early |= {date.fromisoformat(f"{year}-{day}"): time.fromisoformat(end) for day, end in days["early"].items()}
    return ExchangeCalendar(date(int(min(years)), 1, 1), date(int(max(years)), 12, 31), frozenset(closed), early)


def differences(
    shipped: ExchangeCalendar, broker: Iterable[Session], *, start: date, end: date
) -> tuple[Difference, ...]:
    """Return the days from start through end on which the broker's calendar differs, ascending.

    Days that the shipped calendar does not cover are left out.
    """
    ours = {session.date: session for session in shipped.sessions(start, end)}
    first, last = max(start, shipped.first), min(end, shipped.last)
    theirs = {session.date: session for session in broker if first <= session.date <= last}

    texts: dict[date, str] = {}
    for day in ours.keys() - theirs.keys():
        texts[day] = "the broker has no session, the exchange has one"
    for day in theirs.keys() - ours.keys():
        texts[day] = "the broker has a session, the exchange has none"
    for day in ours.keys() & theirs.keys():
        closes = [session.close.astimezone(new_york()).strftime("%H:%M") for session in (theirs[day], ours[day])]
        if closes[0] != closes[1]:
            texts[day] = f"the broker's session closes at {closes[0]}, the exchange's at {closes[1]}"
    return tuple(Difference(day, texts[day]) for day in sorted(texts))
