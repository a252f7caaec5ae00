"""The coordinator starts one run per day, and logs every refusal."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.office import BOOK, FORCE, REPLACE, START, Bell, Log, Office
from tests.the_alchemiser.coordinator_v2.test_admission import (
    HALF_DAY,
    MONDAY,
    RUN_ID,
    SESSIONS,
    WEDNESDAY,
    at,
    how_to_replace,
)
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.messaging.messages import Message, StrategyRequested
from the_alchemiser.shared.run.runs import NewRun, RunState, Transition
from the_alchemiser.shared.values import Session


def test_start_near_the_close_creates_and_requests_strategies(office: Office) -> None:
    office.start()

    run = make.loaded(office.store, RUN_ID)
    assert (run.trading_date, run.as_of, run.allocations) == (MONDAY, HALF_DAY, BOOK)
    assert (run.state, run.sent) == (RunState.EVALUATING, True)
    assert run.deadline_at == make.WALL + timedelta(minutes=7)
    requests = [message for message in office.published if isinstance(message, StrategyRequested)]
    assert [(request.strategy, request.allocation, request.as_of) for request in requests] == [
        ("rotation", Decimal("0.4"), HALF_DAY),
        ("trend", Decimal("0.6"), HALF_DAY),
    ]
    assert [request.message_id for request in requests] == [
        f"{RUN_ID}/StrategyRequested/rotation",
        f"{RUN_ID}/StrategyRequested/trend",
    ]


def test_start_publishes_business_time_and_stores_wall_clock_time(office: Office) -> None:
    office.start()

    assert office.published[0].occurred_at.isoformat() == "2022-11-28T20:45:00+00:00"
    assert make.loaded(office.store, RUN_ID).timeline == (Transition(RunState.EVALUATING, make.WALL, "coordinator_v2"),)


def test_start_again_the_same_day_publishes_nothing(office: Office, log: Log) -> None:
    office.start()
    office.published.clear()

    office.start()

    assert office.published == []
    assert log.refusals() == [("run_exists", f"{RUN_ID} is EVALUATING")]


def test_start_again_after_a_lost_publish_publishes_the_unsent(office: Office) -> None:
    lost = office.coordinator.start(START)

    again = office.start()

    assert again.messages == lost.messages
    assert make.loaded(office.store, RUN_ID).sent


@pytest.mark.parametrize(
    ("first_command", "command", "created", "told"),
    [
        (START, START, RUN_ID, []),
        (FORCE, START, f"{RUN_ID}-r1", []),
        (START, FORCE, RUN_ID, ["RunRefused"]),
        (FORCE, FORCE, f"{RUN_ID}-r1", ["RunRefused"]),
    ],
    ids=["two schedules", "a forced one first", "the schedule first", "two forced ones"],
)
def test_starts_at_once_create_one_run(
    office: Office, log: Log, first_command: StartRun, command: StartRun, created: str, told: list[str]
) -> None:
    """Every start has seen that the day has no run; the item of the day decides."""

    def first() -> None:
        office.start(first_command)

    class OtherWorkerFirst(InMemoryRunStore):
        def create(
            self, run: NewRun, *, by: str, at: datetime, outbox: tuple[Message, ...], replaces: str | None = None
        ) -> bool:
            self.runs, self.days = office.store.runs, office.store.days
            first()
            return super().create(run, by=by, at=at, outbox=outbox, replaces=replaces)

    office.later(minutes=0, seconds=1)

    late = Office(store=OtherWorkerFirst()).start(command)

    assert [type(message).__name__ for message in late.messages] == told
    assert len(office.published) == 2
    assert list(office.store.runs) == [created]
    assert log.refusals() == [("run_exists", f"a run of {MONDAY} was created a moment ago")]


@pytest.mark.parametrize(
    ("day", "time", "reason"),
    [
        (MONDAY, "12:45", "not_near_close"),
        (date(2022, 11, 24), "15:45", "not_a_session"),
        (HALF_DAY, "15:45", "market_closed"),
    ],
)
def test_start_at_another_time_is_refused_in_one_line(
    office: Office, log: Log, day: date, time: str, reason: str
) -> None:
    office.bell = Bell(day, time)

    office.start()

    assert [refused for refused, _ in log.refusals()] == [reason]
    assert office.store.runs == {}


def test_start_on_a_half_day_starts_at_a_quarter_to_one(office: Office) -> None:
    office.bell = Bell(HALF_DAY, "12:45")
    office.verdict = Verdict(checked_at=make.AT, as_of=WEDNESDAY, quarantined={})

    office.start()

    assert list(office.store.runs) == ["local-2022-11-25"]


def test_start_while_paused_is_refused(office: Office, log: Log) -> None:
    office.enabled = False

    office.start()

    assert log.refusals() == [("paused", "the kill switch is not enabled")]
    assert office.store.runs == {}


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (None, "verdict_missing"),
        (Verdict(checked_at=make.AT, as_of=WEDNESDAY, quarantined={}), "verdict_stale"),
        (VerdictMalformedError("quality/v1/latest.json is not a verdict"), "verdict_malformed"),
    ],
)
def test_start_on_unchecked_data_is_refused(
    office: Office, log: Log, verdict: Verdict | VerdictMalformedError | None, reason: str
) -> None:
    office.verdict = verdict

    office.start()

    assert [refused for refused, _ in log.refusals()] == [reason]
    assert office.store.runs == {}


def test_start_forced_at_noon_creates_another_run(office: Office) -> None:
    office.bell.time = "12:00"

    office.start(FORCE)

    assert list(office.store.runs) == [f"{RUN_ID}-r1"]


def test_start_forced_while_a_run_moves_is_refused(office: Office, log: Log) -> None:
    office.start()
    office.published.clear()

    office.start(FORCE)

    assert list(office.store.runs) == [RUN_ID]
    assert [reason for reason, _ in log.refusals()] == ["run_exists"]


def test_start_forced_replaces_the_settled_run(office: Office) -> None:
    office.end_run()

    office.start(REPLACE)

    run = make.loaded(office.store, f"{RUN_ID}-r1")
    assert (run.state, run.trading_date, run.sent) == (RunState.EVALUATING, MONDAY, True)
    assert office.store.days == {RUN_ID: run.run_id}
    assert {message.run_id for message in office.published} == {run.run_id}


@pytest.mark.parametrize(
    ("command", "settled", "reason"), [(FORCE, True, "replaces_missing"), (REPLACE, False, "run_not_settled")]
)
def test_start_forced_is_refused_unless_the_run_is_named_and_settled(
    office: Office, log: Log, command: StartRun, reason: str, *, settled: bool
) -> None:
    office.end_run(settled=settled)

    office.start(command)

    assert [refused for refused, _ in log.refusals()] == [reason]
    assert list(office.store.runs) == [RUN_ID]


def test_start_on_a_day_of_an_earlier_release_creates_no_second_run(office: Office, log: Log) -> None:
    """A release before this one wrote no item of the day."""
    office.end_run(RunState.COMPLETED)
    office.store.days.clear()

    office.start()
    office.start(FORCE)

    assert list(office.store.runs) == [RUN_ID]
    assert log.refusals()[0] == ("run_exists", f"{RUN_ID} is COMPLETED; {how_to_replace(RUN_ID)}")


def test_start_forced_replaces_a_run_of_an_earlier_release(office: Office) -> None:
    office.end_run()
    office.store.days.clear()

    office.start(REPLACE)

    assert office.store.days == {RUN_ID: f"{RUN_ID}-r1"}


def test_start_of_the_next_day_leaves_a_failed_run_dead(office: Office) -> None:
    office.end_run(settled=False)
    tuesday = date(2022, 11, 29)
    office.bell = Bell(tuesday, "15:45", (*SESSIONS, Session(tuesday, at(tuesday, "09:30"), at(tuesday, "16:00"))))
    office.verdict = Verdict(checked_at=make.AT, as_of=MONDAY, quarantined={})

    office.start()

    assert office.store.state_of("local-2022-11-29") is RunState.EVALUATING
    assert office.store.state_of(RUN_ID) is RunState.FAILED


def test_start_forced_does_not_override_the_kill_switch(office: Office) -> None:
    office.enabled = False

    office.start(FORCE)

    assert office.store.runs == {}
