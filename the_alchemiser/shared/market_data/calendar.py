"""The market calendar and business time: the broker's clock and sessions decide how far history is complete."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Protocol

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Clock, Session

LOOK_BACK = timedelta(days=14)  # the longest closure since 1933 was seven days, in September 2001


class NoCompletedSessionError(AlchemiserError):
    """The broker's calendar shows no completed session in the look-back period."""

    retryable: ClassVar[bool] = True


class Exchange(Protocol):
    """The part of the broker that gives the time and the sessions."""

    def clock(self) -> Clock: ...
    def calendar(self, start: date, end: date) -> tuple[Session, ...]: ...


class BusinessTime(Frozen):
    """The broker's current time in UTC, and the date of the last session that closed at or before it."""

    now: datetime
    as_of: date


def read_business_time(exchange: Exchange) -> BusinessTime:
    """Ask the broker for its time and its calendar, and find the last completed session.

    Raises:
        NoCompletedSessionError: no session closed within LOOK_BACK.
        BrokerError: the broker did not answer, or refused.
    """
    now = exchange.clock().timestamp
    today = market_date(now)
    return BusinessTime(now.astimezone(UTC), last_completed_session(exchange.calendar(today - LOOK_BACK, today), now))


def last_completed_session(sessions: Iterable[Session], now: datetime) -> date:
    """Return the date of the last session that closed at or before `now`.

    Raises:
        NoCompletedSessionError: none of the sessions has closed.
    """
    completed = [session.date for session in sessions if session.close <= now]
    if not completed:
        raise NoCompletedSessionError(f"no session closed in the {LOOK_BACK.days} days before {now.isoformat()}")
    return max(completed)
