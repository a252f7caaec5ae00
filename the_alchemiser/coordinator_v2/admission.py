"""Decides whether a run may start now, and under which id. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from the_alchemiser.shared.exchange_time import NEW_YORK
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.run.runs import Run, run_id_of
from the_alchemiser.shared.values import Clock, Refusal, Session

# The schedule fires 15 minutes before the close; five more for a schedule that is early or a clock that is off.
STARTS_AT_MOST_BEFORE_CLOSE = timedelta(minutes=20)
# The afternoon's start comes 2:45 hours after the close of a half day. A start that is only late comes sooner.
ROUTINE_AFTER_CLOSE = timedelta(hours=2)


class StartRefusal(Refusal):
    """Why no run is started.

    Attributes:
        is_routine: the schedules themselves lead to this refusal, on holidays and half days for example, so nobody has
            to know of it.
    """

    is_routine: bool = False


class TradingDay(NamedTuple):
    """A session of the exchange, at one moment of it.

    Attributes:
        as_of: the session before; the run decides on closes through it.
        now: business time, UTC.
    """

    session: Session
    as_of: date
    now: datetime

    @property
    def to_close(self) -> timedelta:
        """Return the time to the close; negative once the session is over."""
        return self.session.close - self.now


def trading_day(clock: Clock, sessions: Sequence[Session]) -> TradingDay | StartRefusal:
    """Return the session of the broker's date, or the refusal of a day that is not one.

    Args:
        sessions: ascending, at least the two up to the broker's date.
    """
    today = market_date(clock)
    before = [session for session in sessions if session.date < today]
    session = next((session for session in sessions if session.date == today), None)

    # Checked first: a calendar without any session says nothing about today either.
    if not before:
        detail = f"the broker's calendar has no session before {today}"
        return StartRefusal(reason="calendar_too_short", detail=detail)
    if session is None:
        detail = f"the exchange is closed on {today}"
        return StartRefusal(reason="not_a_session", detail=detail, is_routine=True)
    return TradingDay(session, before[-1].date, clock.timestamp.astimezone(UTC))


def market_date(clock: Clock) -> date:
    """Return the exchange's date."""
    return clock.timestamp.astimezone(NEW_YORK).date()


def refuse_time(day: TradingDay, *, force: bool) -> StartRefusal | None:
    """Refuse a start outside the session, or, unless forced, one that is not near the close of this very day."""
    if day.now < day.session.open or day.to_close <= timedelta(0):
        detail = f"it is {_time(day.now)} in New York, the session is {_hours(day)}"
        return StartRefusal(reason="market_closed", detail=detail, is_routine=day.to_close < -ROUTINE_AFTER_CLOSE)
    if not force and day.to_close > STARTS_AT_MOST_BEFORE_CLOSE:
        detail = f"it is {_time(day.now)} in New York, today's close is {_time(day.session.close)}"
        return StartRefusal(reason="not_near_close", detail=detail, is_routine=True)
    return None


def refuse_verdict(verdict: Verdict | None, as_of: date) -> StartRefusal | None:
    """Refuse a start unless the lake was checked through the session that the run decides on."""
    if verdict is None:
        return StartRefusal(reason="verdict_missing", detail="the lake has no quality verdict")
    if verdict.as_of != as_of:
        detail = f"the quality verdict is of {verdict.as_of}, the run needs that of {as_of}"
        return StartRefusal(reason="verdict_stale", detail=detail)
    return None


def free_run_id(stage: str, day: TradingDay, runs: Iterable[Run], *, force: bool) -> str | StartRefusal:
    """Return the id of the run to create, or a refusal.

    Two runs never trade at once: another run may be forced only when all runs before it have ended.

    Args:
        runs: the day's runs, the scheduled one first.
    """
    scheduled = run_id_of(stage, day.session.date)
    known = {run.run_id: run for run in runs}
    blocking = [run for run in known.values() if not run.state.is_final]
    if scheduled in known and not force:
        blocking.insert(0, known[scheduled])

    if blocking:
        detail = f"{blocking[0].run_id} is {blocking[0].state}"
        return StartRefusal(reason="run_exists", detail=detail, is_routine=True)
    if not force:
        return scheduled
    return run_id_of(stage, day.session.date, 1 + len(known.keys() - {scheduled}))


def _time(moment: datetime) -> str:
    return moment.astimezone(NEW_YORK).strftime("%H:%M")


def _hours(day: TradingDay) -> str:
    return f"{_time(day.session.open)} to {_time(day.session.close)}"
