"""Decides whether a run may start now, and under which id. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from the_alchemiser.coordinator_v2.settlement import EXECUTION_WINDOW
from the_alchemiser.shared.exchange_time import market_date, new_york
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.runs import Run, RunState, run_id_of
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


class NextRun(Frozen):
    """The run to create; `replaces` is the run that has the day until then."""

    run_id: str
    replaces: str | None = None


class TradingDay(Frozen):
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
    today = market_date(clock.timestamp)
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


def next_run(stage: str, day: TradingDay, runs: Sequence[Run], command: StartRun) -> NextRun | StartRefusal:
    """Return the run to create, or a refusal.

    A day has one run. A person may start another one in its place: the command then names the run that it replaces,
    which must have ended, with every order final and every fill in the ledger.

    Args:
        runs: the day's runs, the latest one last.
    """
    today = day.session.date
    if not runs:
        return _first_run(stage, today, command)
    latest = runs[-1]
    moving = next((run for run in runs if not run.state.is_final), None)

    if moving is not None:
        return StartRefusal(reason="run_exists", detail=f"{moving.run_id} is {moving.state}", is_routine=True)
    if not command.is_forced:
        return _refuse_second_run(latest, run_id_of(stage, today))
    if command.replaces is None:
        detail = f"{latest.run_id} is {latest.state}; {_how_to_replace(latest)}"
        return StartRefusal(reason="replaces_missing", detail=detail)
    if command.replaces != latest.run_id:
        detail = f"today's latest run is {latest.run_id}, not {command.replaces}; {_how_to_replace(latest)}"
        return StartRefusal(reason="replaces_another", detail=detail)
    return _refuse_unsettled(runs) or NextRun(_forced_id(stage, today, runs), latest.run_id)


def _first_run(stage: str, today: date, command: StartRun) -> NextRun | StartRefusal:
    if command.replaces is not None:
        detail = f"{command.replaces} is not a run of today; to start today's first run: inv run.start --env {stage}"
        return StartRefusal(reason="replaces_another", detail=detail)
    return NextRun(_forced_id(stage, today, ()) if command.is_forced else run_id_of(stage, today))


def _forced_id(stage: str, today: date, runs: Sequence[Run]) -> str:
    scheduled = run_id_of(stage, today)
    return run_id_of(stage, today, 1 + sum(run.run_id != scheduled for run in runs))


def _refuse_second_run(latest: Run, scheduled: str) -> StartRefusal:
    # The mail about a failed run went out when it failed. But a person may have forced that run hours ago and rely on
    # the schedule since, so the start that the schedule could not make is news.
    is_news = latest.state is RunState.FAILED and latest.run_id != scheduled
    detail = f"{latest.run_id} is {latest.state}; {_how_to_replace(latest)}"
    return StartRefusal(reason="run_exists", detail=detail, is_routine=not is_news)


def _refuse_unsettled(runs: Sequence[Run]) -> StartRefusal | None:
    unsettled = next((run for run in runs if not run.settled), None)
    if unsettled is None:
        return None
    window_s = EXECUTION_WINDOW.total_seconds()
    detail = (
        f"{unsettled.run_id} has ended, but its orders may not all be final yet; a sweep settles them, at the earliest "
        f"{window_s:.0f} s after the end: inv trading.sweep --env {unsettled.stage}, then start again"
    )
    return StartRefusal(reason="run_not_settled", detail=detail)


def _how_to_replace(run: Run) -> str:
    return f"to start another run in its place: inv run.start --env {run.stage} --replaces {run.run_id}"


def _time(moment: datetime) -> str:
    return moment.astimezone(new_york()).strftime("%H:%M")


def _hours(day: TradingDay) -> str:
    return f"{_time(day.session.open)} to {_time(day.session.close)}"
