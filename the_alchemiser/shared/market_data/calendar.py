"""Business time: which session was the last to complete, by the broker's own clock and calendar."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from the_alchemiser.shared.broker.models import Clock, Session
from the_alchemiser.shared.errors import AlchemiserError

NEW_YORK = ZoneInfo("America/New_York")
LOOK_BACK = timedelta(days=14)  # the longest closure since 1933, September 2001, was seven days


class NoCompletedSessionError(AlchemiserError):
    """The broker's calendar has no session that ended before the broker's clock."""

    retryable: ClassVar[bool] = True


class Exchange(Protocol):
    """What is needed of the broker to tell business time."""

    def clock(self) -> Clock: ...
    def calendar(self, start: date, end: date) -> tuple[Session, ...]: ...


class BusinessTime(NamedTuple):
    """The broker's now, UTC, and the last session whose close lies at or before it."""

    now: datetime
    as_of: date


def business_time(exchange: Exchange) -> BusinessTime:
    """Ask the broker what time it is, and through which session history is complete.

    Raises:
        NoCompletedSessionError: none in the last fourteen days.
        BrokerError: the broker did not answer.
    """
    now = exchange.clock().timestamp
    today = now.astimezone(NEW_YORK).date()
    return BusinessTime(now.astimezone(UTC), last_completed(exchange.calendar(today - LOOK_BACK, today), now))


def last_completed(sessions: Iterable[Session], now: datetime) -> date:
    """The date of the last session that closed at or before now.

    Raises:
        NoCompletedSessionError: there is none among them.
    """
    completed = [session.date for session in sessions if session.close <= now]
    if not completed:
        raise NoCompletedSessionError(f"no session closed in the {LOOK_BACK.days} days before {now.isoformat()}")
    return max(completed)
