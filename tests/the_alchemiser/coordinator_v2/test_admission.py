"""A run may start only on a session, near its close, on checked data, and one at a time."""

from datetime import date, datetime, time, timedelta

import pytest

from tests.the_alchemiser import run_builders as make
from the_alchemiser.coordinator_v2.admission import (
    TradingDay,
    free_run_id,
    refuse_time,
    refuse_verdict,
    trading_day,
)
from the_alchemiser.shared.exchange_time import NEW_YORK
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.run.runs import Run, RunState
from the_alchemiser.shared.values import Clock, Refusal, Session

WEDNESDAY = date(2022, 11, 23)
HALF_DAY = date(2022, 11, 25)  # Thanksgiving is the Thursday between
MONDAY = date(2022, 11, 28)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK)


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


def reason(answer: object) -> str | None:
    return answer.reason if isinstance(answer, Refusal) else None


def run(state: RunState, run_id: str = "local-2022-11-28") -> Run:
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


@pytest.mark.parametrize(
    ("states", "force", "expected"),
    [
        ([], False, "local-2022-11-28"),
        ([RunState.COMPLETED], False, None),
        ([RunState.FAILED], False, None),
        ([RunState.EVALUATING], False, None),
        ([], True, "local-2022-11-28-r1"),
        ([RunState.COMPLETED], True, "local-2022-11-28-r1"),
        ([RunState.COMPLETED, RunState.FAILED], True, "local-2022-11-28-r2"),
        ([RunState.SELLING], True, None),
        ([RunState.COMPLETED, RunState.BUYING], True, None),
    ],
)
def test_free_run_id_only_when_no_run_blocks_it(states: list[RunState], *, force: bool, expected: str | None) -> None:
    names = ["local-2022-11-28", "local-2022-11-28-r1", "local-2022-11-28-r2"]
    runs = [run(state, name) for state, name in zip(states, names, strict=False)]

    answer = free_run_id("local", day_at(MONDAY, "15:45"), runs, force=force)

    assert answer == expected if expected else reason(answer) == "run_exists"


def test_free_run_id_beside_a_forced_run_that_moves_is_refused() -> None:
    forced = run(RunState.EVALUATING, "local-2022-11-28-r1")

    assert reason(free_run_id("local", day_at(MONDAY, "15:45"), [forced], force=False)) == "run_exists"


def test_free_run_id_after_a_forced_run_is_the_scheduled_one() -> None:
    forced = run(RunState.COMPLETED, "local-2022-11-28-r1")

    assert free_run_id("local", day_at(MONDAY, "15:45"), [forced], force=False) == "local-2022-11-28"
