"""People read of each refused start, once per day and reason, unless the refusal is routine."""

from datetime import UTC, date

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.office import FORCE, REPLACE, START, Bell, Office
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, RUN_ID, SESSIONS, WEDNESDAY, at
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.messaging.messages import RunRefused, StrategyRequested
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Session

THANKSGIVING = date(2022, 11, 24)


def stale_verdict(as_of: date) -> Verdict:
    return Verdict(checked_at=at(as_of, "20:00"), as_of=as_of, quarantined={})


def reasons(reaction: Reaction) -> list[str]:
    return [message.reason for message in reaction.messages if isinstance(message, RunRefused)]


def test_start_while_paused_is_published_as_a_refusal(office: Office) -> None:
    office.enabled = False

    office.start()

    assert office.published == [
        RunRefused(
            message_id=f"{RUN_ID}/RunRefused/paused",
            run_id=RUN_ID,
            occurred_at=at(MONDAY, "15:45").astimezone(UTC),
            trading_date=MONDAY,
            reason="paused",
            detail="the kill switch is not enabled",
        )
    ]


def test_start_while_paused_again_repeats_the_message_id(office: Office) -> None:
    office.enabled = False

    office.start()
    office.bell.time = "15:50"
    office.start()

    first, second = office.published
    assert first.message_id == second.message_id


def test_start_refused_for_two_reasons_has_two_message_ids(office: Office) -> None:
    office.enabled = False
    office.start()
    office.enabled, office.verdict = True, None
    office.start()

    assert [message.message_id for message in office.published] == [
        f"{RUN_ID}/RunRefused/paused",
        f"{RUN_ID}/RunRefused/verdict_missing",
    ]


def test_start_after_the_pause_publishes_requests_only(office: Office) -> None:
    office.enabled = False
    office.start()
    office.published.clear()
    office.enabled = True

    office.start()

    assert {type(message) for message in office.published} == {StrategyRequested}


@pytest.mark.parametrize(
    ("verdict", "reason", "detail"),
    [
        (None, "verdict_missing", "the lake has no quality verdict"),
        (
            stale_verdict(WEDNESDAY),
            "verdict_stale",
            "the quality verdict is of 2022-11-23, the run needs that of 2022-11-25",
        ),
        (VerdictMalformedError("not a verdict"), "verdict_malformed", "not a verdict"),
    ],
)
def test_start_on_unchecked_data_is_published(
    office: Office, verdict: Verdict | VerdictMalformedError | None, reason: str, detail: str
) -> None:
    office.verdict = verdict

    [refusal] = office.start().messages

    assert isinstance(refusal, RunRefused)
    assert (refusal.reason, refusal.detail) == (reason, detail)


@pytest.mark.parametrize("sessions", [SESSIONS[2:], ()], ids=["only today", "empty"])
def test_start_on_an_incomplete_calendar_is_published(office: Office, sessions: tuple[Session, ...]) -> None:
    office.bell.sessions = sessions

    [refusal] = office.start().messages

    assert isinstance(refusal, RunRefused)
    assert (refusal.reason, refusal.trading_date) == ("calendar_too_short", MONDAY)


@pytest.mark.parametrize(
    ("day", "time"),
    [(MONDAY, "16:00"), (MONDAY, "18:00"), (MONDAY, "09:29"), (HALF_DAY, "13:00"), (HALF_DAY, "15:00")],
)
def test_start_that_is_late_or_early_is_published(office: Office, day: date, time: str) -> None:
    office.bell = Bell(day, time)

    assert reasons(office.start()) == ["market_closed"]


@pytest.mark.parametrize(
    ("day", "time"),
    [
        (THANKSGIVING, "12:45"),
        (THANKSGIVING, "15:45"),
        (MONDAY, "12:45"),
        (HALF_DAY, "15:45"),
        (HALF_DAY, "15:01"),
    ],
    ids=["holiday at noon", "holiday", "full day at noon", "half day in the afternoon", "over two hours late"],
)
def test_start_refused_by_routine_is_silent(office: Office, day: date, time: str) -> None:
    office.bell = Bell(day, time)

    assert office.start().messages == ()


def test_start_while_paused_at_noon_of_a_full_day_is_silent(office: Office) -> None:
    office.enabled, office.bell.time = False, "12:45"

    assert office.start().messages == ()


def test_start_paused_on_a_half_day_is_published_once(office: Office) -> None:
    office.enabled = False

    office.bell = Bell(HALF_DAY, "12:45")
    office.start()
    office.bell = Bell(HALF_DAY, "15:45")
    office.start()

    assert [message.message_id for message in office.published] == ["local-2022-11-25/RunRefused/paused"]


@pytest.mark.parametrize(
    ("day", "time", "reason"),
    [
        (THANKSGIVING, "12:00", "not_a_session"),
        (HALF_DAY, "15:45", "market_closed"),
        (MONDAY, "20:00", "market_closed"),
    ],
)
def test_start_forced_always_gets_an_answer(office: Office, day: date, time: str, reason: str) -> None:
    office.bell = Bell(day, time)

    assert reasons(office.start(FORCE)) == [reason]


def test_start_forced_while_paused_is_published(office: Office) -> None:
    office.enabled = False

    assert reasons(office.start(FORCE)) == ["paused"]


def test_start_forced_while_a_run_moves_publishes_the_refusal(office: Office) -> None:
    office.start()

    [refusal] = office.start(FORCE).messages

    assert isinstance(refusal, RunRefused)
    assert (refusal.message_id, refusal.detail) == (f"{RUN_ID}/RunRefused/run_exists", f"{RUN_ID} is EVALUATING")


def test_start_forced_after_a_lost_publish_publishes_unsent_and_refusal(office: Office) -> None:
    lost = office.coordinator.start(START)

    again = office.start(FORCE)

    assert again.messages[:-1] == lost.messages
    assert reasons(again) == ["run_exists"]
    assert office.store.runs[RUN_ID].sent


@pytest.mark.parametrize(
    ("command", "settled", "reason"), [(FORCE, True, "replaces_missing"), (REPLACE, False, "run_not_settled")]
)
def test_start_forced_in_vain_after_a_run_is_published(
    office: Office, command: StartRun, reason: str, *, settled: bool
) -> None:
    office.end_run(settled=settled)

    assert reasons(office.start(command)) == [reason]


def test_start_by_replaces_alone_at_noon_gets_an_answer(office: Office) -> None:
    office.bell.time = "12:00"

    assert reasons(office.start(StartRun(command="start-run", replaces=RUN_ID))) == ["replaces_another"]


def test_scheduled_start_after_a_forced_run_that_failed_is_published(office: Office) -> None:
    office.bell.time = "12:00"
    office.start(FORCE)
    make.move_to(office.store, RunState.FAILED, run_id=f"{RUN_ID}-r1")
    office.bell.time = "15:45"

    assert reasons(office.start()) == ["run_exists"]


def test_sweep_of_a_paused_day_publishes_nothing(office: Office) -> None:
    office.enabled = False
    office.start()
    office.published.clear()

    assert office.sweep().messages == ()
