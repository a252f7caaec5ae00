"""A run may start only on a session, near its close, on checked data, and one at a time."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.the_alchemiser import run_builders as make
from the_alchemiser.coordinator_v2.admission import (
    NextRun,
    StartRefusal,
    TradingDay,
    next_run,
    refuse_time,
    refuse_verdict,
    trading_day,
)
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.run.runs import Run, RunState
from the_alchemiser.shared.values import Clock, Refusal, Session

WEDNESDAY = date(2022, 11, 23)
HALF_DAY = date(2022, 11, 25)  # Thanksgiving is the Thursday between
MONDAY = date(2022, 11, 28)
RUN_ID = "local-2022-11-28"


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), new_york())


SESSIONS = tuple(
    Session(day, at(day, "09:30"), at(day, closes))
    for day, closes in ((WEDNESDAY, "16:00"), (HALF_DAY, "13:00"), (MONDAY, "16:00"))
)


def clock_at(day: date, clock: str) -> Clock:
    moment = at(day, clock)
    return Clock(moment, is_open=True, next_open=moment + timedelta(days=1), next_close=moment + timedelta(hours=1))


def day_at(day: date, clock: str) -> TradingDay:
    day_or_refusal = trading_day(clock_at(day, clock), [session for session in SESSIONS if session.date <= day])
    assert isinstance(day_or_refusal, TradingDay)
    return day_or_refusal


def how_to_replace(run_id: str) -> str:
    return f"to start another run in its place: inv run.start --env local --replaces {run_id}"


def reason(answer: object) -> str | None:
    return answer.reason if isinstance(answer, Refusal) else None


def run(state: RunState, run_id: str = RUN_ID) -> Run:
    store = make.evaluating(run_id)
    make.move_to(store, state, run_id=run_id)
    return make.loaded(store, run_id)


def test_trading_day_decides_on_the_session_before() -> None:
    assert day_at(HALF_DAY, "12:45").as_of == WEDNESDAY
    assert day_at(MONDAY, "15:45").as_of == HALF_DAY


def test_trading_day_late_in_the_evening_is_still_new_yorks_date() -> None:
    assert day_at(MONDAY, "23:30").session.date == MONDAY


def test_trading_day_on_a_holiday_is_refused() -> None:
    assert reason(trading_day(clock_at(date(2022, 11, 24), "15:45"), SESSIONS[:1])) == "not_a_session"


@pytest.mark.parametrize("sessions", [SESSIONS[:1], ()], ids=["only today", "empty"])
def test_trading_day_without_a_session_before_is_refused(sessions: tuple[Session, ...]) -> None:
    assert reason(trading_day(clock_at(WEDNESDAY, "15:45"), sessions)) == "calendar_too_short"


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (MONDAY, "15:45", None),
        (MONDAY, "15:40", None),
        (MONDAY, "15:59", None),
        (MONDAY, "15:39", "not_near_close"),
        (MONDAY, "12:45", "not_near_close"),
        (MONDAY, "16:00", "market_closed"),
        (MONDAY, "20:00", "market_closed"),
        (MONDAY, "09:00", "market_closed"),
        (HALF_DAY, "12:45", None),
        (HALF_DAY, "15:45", "market_closed"),
    ],
)
def test_refuse_time_allows_only_the_last_twenty_minutes(day: date, clock: str, expected: str | None) -> None:
    assert reason(refuse_time(day_at(day, clock), force=False)) == expected


@pytest.mark.parametrize(
    ("day", "clock", "sentence"),
    [
        (date(2022, 11, 24), "15:45", "the exchange is closed on 2022-11-24"),
        (WEDNESDAY, "15:45", "the broker's calendar has no session before 2022-11-23"),
        (HALF_DAY, "15:45", "it is 15:45 in New York, the session is 09:30 to 13:00"),
        (MONDAY, "12:45", "it is 12:45 in New York, today's close is 16:00"),
    ],
)
def test_refusals_of_a_time_say_what_was_compared(day: date, clock: str, sentence: str) -> None:
    answer = trading_day(clock_at(day, clock), [session for session in SESSIONS if session.date <= day])
    refusal = answer if isinstance(answer, Refusal) else refuse_time(answer, force=False)

    assert refusal is not None
    assert refusal.detail == sentence


@pytest.mark.parametrize(
    ("clock", "expected"), [("09:29", "market_closed"), ("09:30", None), ("12:00", None), ("16:00", "market_closed")]
)
def test_refuse_time_when_forced_allows_the_whole_session(clock: str, expected: str | None) -> None:
    assert reason(refuse_time(day_at(MONDAY, clock), force=True)) == expected


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (HALF_DAY, None),
        (WEDNESDAY, "verdict_stale"),
        (MONDAY, "verdict_stale"),
        (None, "verdict_missing"),
    ],
)
def test_refuse_verdict_requires_that_of_the_session_before(as_of: date | None, expected: str | None) -> None:
    verdict = None if as_of is None else Verdict(checked_at=make.AT, as_of=as_of, quarantined={})

    assert reason(refuse_verdict(verdict, HALF_DAY)) == expected


def day_of_runs(*states: RunState, settled: bool = True) -> list[Run]:
    """Return the scheduled run and the forced ones of the day, in those states."""
    names = [RUN_ID, f"{RUN_ID}-r1", f"{RUN_ID}-r2"]
    return [replace(run(state, name), settled=settled) for state, name in zip(states, names, strict=False)]


def answer(runs: list[Run], *, force: bool = False, replaces: str | None = None) -> NextRun | StartRefusal:
    command = StartRun(command="start-run", force=force, replaces=replaces)
    return next_run("local", day_at(MONDAY, "15:45"), runs, command)


def refused(runs: list[Run], *, force: bool = False, replaces: str | None = None) -> StartRefusal:
    refusal = answer(runs, force=force, replaces=replaces)
    assert isinstance(refusal, StartRefusal)
    return refusal


def test_next_run_of_a_day_without_runs_is_the_scheduled_one() -> None:
    assert answer([]) == NextRun(RUN_ID, None)


def test_next_run_forced_on_a_day_without_runs_has_number_one() -> None:
    assert answer([], force=True) == NextRun(f"{RUN_ID}-r1", None)


def test_next_run_replacing_on_a_day_without_runs_is_refused() -> None:
    refusal = refused([], force=True, replaces="local-2022-11-25")

    assert refusal == StartRefusal(
        reason="replaces_another",
        detail="local-2022-11-25 is not a run of today; to start today's first run: inv run.start --env local",
    )


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
def test_next_run_scheduled_after_a_scheduled_run_is_refused_by_routine(state: RunState) -> None:
    refusal = refused(day_of_runs(state))

    assert refusal == StartRefusal(
        reason="run_exists", detail=f"{RUN_ID} is {state}; {how_to_replace(RUN_ID)}", is_routine=True
    )


@pytest.mark.parametrize(("state", "is_routine"), [(RunState.COMPLETED, True), (RunState.FAILED, False)])
def test_next_run_scheduled_after_a_forced_run_is_news_if_it_failed(state: RunState, *, is_routine: bool) -> None:
    refusal = refused([run(state, f"{RUN_ID}-r1")])

    assert (refusal.reason, refusal.is_routine) == ("run_exists", is_routine)
    assert refusal.detail == f"{RUN_ID}-r1 is {state}; {how_to_replace(f'{RUN_ID}-r1')}"


@pytest.mark.parametrize(
    ("states", "named"),
    [
        ([RunState.EVALUATING], RUN_ID),
        ([RunState.FAILED, RunState.BUYING], f"{RUN_ID}-r1"),
        ([RunState.SELLING, RunState.COMPLETED], RUN_ID),
    ],
    ids=["only", "latest", "of an earlier release"],
)
@pytest.mark.parametrize("command", [{}, {"force": True}, {"force": True, "replaces": RUN_ID}])
def test_next_run_while_one_moves_is_refused(states: list[RunState], named: str, command: dict[str, Any]) -> None:
    moving = next(state for state in states if not state.is_final)

    assert refused(day_of_runs(*states), **command) == StartRefusal(
        reason="run_exists", detail=f"{named} is {moving}", is_routine=True
    )


def test_next_run_forced_without_the_run_it_replaces_is_refused() -> None:
    refusal = refused(day_of_runs(RunState.FAILED, RunState.COMPLETED), force=True)

    assert refusal == StartRefusal(
        reason="replaces_missing", detail=f"{RUN_ID}-r1 is COMPLETED; {how_to_replace(f'{RUN_ID}-r1')}"
    )


@pytest.mark.parametrize("replaces", [RUN_ID, "local-2022-11-25"])
def test_next_run_replacing_another_than_the_latest_is_refused(replaces: str) -> None:
    refusal = refused(day_of_runs(RunState.FAILED, RunState.FAILED), force=True, replaces=replaces)

    assert refusal == StartRefusal(
        reason="replaces_another",
        detail=f"today's latest run is {RUN_ID}-r1, not {replaces}; {how_to_replace(f'{RUN_ID}-r1')}",
    )


def test_next_run_replacing_an_unsettled_run_is_refused() -> None:
    refusal = refused(day_of_runs(RunState.FAILED, settled=False), force=True, replaces=RUN_ID)

    assert refusal == StartRefusal(
        reason="run_not_settled",
        detail=f"{RUN_ID} has ended, but its orders may not all be final yet; a sweep settles them, at the earliest "
        "110 s after the end: inv trading.sweep --env local, then start again",
    )


def test_next_run_while_an_earlier_run_is_unsettled_is_refused() -> None:
    [first], [_, second] = day_of_runs(RunState.FAILED, settled=False), day_of_runs(RunState.FAILED, RunState.FAILED)

    refusal = refused([first, second], force=True, replaces=second.run_id)

    assert (refusal.reason, refusal.detail.partition(" ")[0]) == ("run_not_settled", RUN_ID)


@pytest.mark.parametrize(
    ("runs", "replaces", "expected"),
    [
        (day_of_runs(RunState.FAILED), RUN_ID, f"{RUN_ID}-r1"),
        (day_of_runs(RunState.FAILED, RunState.COMPLETED), f"{RUN_ID}-r1", f"{RUN_ID}-r2"),
        (day_of_runs(RunState.FAILED, RunState.COMPLETED)[1:], f"{RUN_ID}-r1", f"{RUN_ID}-r2"),
    ],
    ids=["the scheduled run", "a forced one", "a forced one without a scheduled one"],
)
@pytest.mark.parametrize("force", [True, False], ids=["forced", "replaces alone"])
def test_next_run_replaces_the_settled_latest_run(
    runs: list[Run], replaces: str, expected: str, *, force: bool
) -> None:
    assert answer(runs, force=force, replaces=replaces) == NextRun(expected, replaces)
