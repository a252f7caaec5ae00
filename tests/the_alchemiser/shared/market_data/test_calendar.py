"""as_of follows the broker's clock: a session counts from its close, also on half days and around holidays."""

from datetime import UTC, date, datetime

import pytest

from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.market_data.calendar import NoCompletedSessionError, read_business_time
from the_alchemiser.shared.values import Clock, Session

FRIDAY, MONDAY = date(2022, 11, 25), date(2022, 11, 28)


def session(day: date, *, closes_at: int = 16) -> Session:
    midnight = datetime(day.year, day.month, day.day, tzinfo=new_york())
    return Session(day, midnight.replace(hour=9, minute=30), midnight.replace(hour=closes_at))


class Exchange:
    """A stopped clock, and a calendar."""

    def __init__(self, now: datetime, sessions: tuple[Session, ...]) -> None:
        self._now = now
        self._sessions = sessions

    def clock(self) -> Clock:
        return Clock(self._now, False, self._now, self._now)

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        return tuple(session for session in self._sessions if start <= session.date <= end)


WEEK = (session(date(2022, 11, 23)), session(FRIDAY, closes_at=13), session(MONDAY))


@pytest.mark.parametrize(
    ("now", "as_of"),
    [
        (datetime(2022, 11, 25, 12, 59, tzinfo=new_york()), date(2022, 11, 23)),
        (datetime(2022, 11, 25, 13, 0, tzinfo=new_york()), FRIDAY),
        (datetime(2022, 11, 27, 20, 0, tzinfo=new_york()), FRIDAY),
        (datetime(2022, 11, 28, 15, 45, tzinfo=new_york()), FRIDAY),
        (datetime(2022, 11, 28, 16, 0, tzinfo=new_york()), MONDAY),
        (datetime(2022, 11, 29, 1, 0, tzinfo=UTC), MONDAY),
    ],
    ids=["before the half day's close", "at it", "weekend", "in the session", "at the close", "next day in UTC"],
)
def test_business_time_counts_sessions_from_their_close(now: datetime, as_of: date) -> None:
    time = read_business_time(Exchange(now, WEEK))

    assert time.as_of == as_of
    assert (time.now, time.now.tzinfo) == (now, UTC)


def test_business_time_without_a_session_raises() -> None:
    with pytest.raises(NoCompletedSessionError, match="no session closed"):
        read_business_time(Exchange(datetime(2022, 11, 28, 15, 45, tzinfo=new_york()), ()))
