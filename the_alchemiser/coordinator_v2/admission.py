"""May we trade today, and under which name? Pure: the broker's time and calendar in, a day or a refusal out."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from the_alchemiser.shared.broker.models import Clock, Session
from the_alchemiser.shared.market_data.calendar import NEW_YORK
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.run.runs import Run, run_id_of

# The schedule fires 15 minutes before the close; five more for a schedule that is early or a clock that is off.
STARTS_AT_MOST_BEFORE_CLOSE = timedelta(minutes=20)


class Refused(NamedTuple):
    """Why no run starts: a short code that never changes its spelling, and a sentence for people."""

    reason: str
    detail: str


class TradingDay(NamedTuple):
    """A session of the exchange, as seen at one moment of it.

    Attributes:
        as_of: the session before, through which a run decides.
        now: business time, UTC.
    """

    session: Session
    as_of: date
    now: datetime

    @property
    def to_close(self) -> timedelta:
        """Negative once the session is over."""
        return self.session.close - self.now


def trading_day(clock: Clock, sessions: Sequence[Session]) -> TradingDay | Refused:
    """The session of the broker's date.

    Args:
        sessions: ascending, at least the two up to the broker's date.
    """
    today = market_date(clock)
    before = [session for session in sessions if session.date < today]
    session = next((session for session in sessions if session.date == today), None)
    if session is None:
        return Refused("not_a_session", f"the exchange is closed on {today}")
    if not before:
        return Refused("calendar_too_short", f"the broker's calendar has no session before {today}")
    return TradingDay(session, before[-1].date, clock.timestamp.astimezone(UTC))


def market_date(clock: Clock) -> date:
    """The exchange's date."""
    return clock.timestamp.astimezone(NEW_YORK).date()


def untimely(day: TradingDay, *, force: bool) -> Refused | None:
    """Whether this is not the moment: near the close of this very day, or, when forced, any time of the session."""
    if day.now < day.session.open or day.to_close <= timedelta(0):
        return Refused("market_closed", f"it is {_time(day.now)}, the session is {_hours(day)}")
    if not force and day.to_close > STARTS_AT_MOST_BEFORE_CLOSE:
        return Refused("not_near_close", f"it is {_time(day.now)}, today's close is {_time(day.session.close)}")
    return None


def unfit(verdict: Verdict | None, as_of: date) -> Refused | None:
    """Whether the lake was not checked through the session the run decides on."""
    if verdict is None:
        return Refused("verdict_missing", "the lake has no quality verdict")
    if verdict.as_of != as_of:
        return Refused("verdict_stale", f"the quality verdict is of {verdict.as_of}, the run needs that of {as_of}")
    return None


def free_run_id(stage: str, day: TradingDay, runs: Iterable[Run], *, force: bool) -> str | Refused:
    """The id of the run to create, given the day's runs, the scheduled one first.

    Two runs never trade at once: another may be forced only when the ones before it are over.
    """
    scheduled = run_id_of(stage, day.session.date)
    known = {run.run_id: run for run in runs}
    blocking = [run for run in known.values() if not run.state.is_final]
    if scheduled in known and not force:
        blocking.insert(0, known[scheduled])
    if blocking:
        return Refused("run_exists", f"{blocking[0].run_id} is {blocking[0].state}")
    return run_id_of(stage, day.session.date, 1 + len(known.keys() - {scheduled})) if force else scheduled


def _time(moment: datetime) -> str:
    return moment.astimezone(NEW_YORK).strftime("%H:%M")


def _hours(day: TradingDay) -> str:
    return f"{_time(day.session.open)} to {_time(day.session.close)}"
