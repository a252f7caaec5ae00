"""The coordinator starts one run per day, logs every refusal, and sweeps without ever placing an order."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, SESSIONS, WEDNESDAY, clock_at
from tests.the_alchemiser.examples import example
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.coordinator_v2.service import Coordinator
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.commands import StartRun, SweepRuns
from the_alchemiser.shared.messaging.messages import Message, RunFailed, StrategyRequested, TradeRequested
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import Move, NewRun, RunItem, RunState
from the_alchemiser.shared.values import Clock, Session

RUN_ID = "local-2022-11-28"
START = StartRun(command="start-run")
FORCE = StartRun(command="start-run", force=True)
SWEEP = SweepRuns(command="sweep-runs")
BOOK = {"trend": Decimal("0.6"), "rotation": Decimal("0.4")}


@dataclass
class Bell:
    """The exchange's clock and calendar."""

    day: date = MONDAY
    time: str = "15:45"

    def clock(self) -> Clock:
        return clock_at(self.day, self.time)

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        return tuple(session for session in SESSIONS if start <= session.date <= end)


@dataclass
class Office:
    """The coordinator's surroundings, in order; `published` holds its messages."""

    bell: Bell = field(default_factory=Bell)
    store: InMemoryRunStore = field(default_factory=InMemoryRunStore)
    enabled: bool = True
    verdict: Verdict | VerdictMalformedError | None = field(
        default_factory=lambda: Verdict(checked_at=make.AT, as_of=HALF_DAY, quarantined={})
    )
    wall: datetime = make.WALL
    published: list[Message] = field(default_factory=list)

    @property
    def coordinator(self) -> Coordinator:
        return Coordinator(
            stage="local",
            exchange=self.bell,
            runs=self.store,
            switch=self,
            verdict=self.read_verdict,
            allocations=lambda: BOOK,
            now=lambda: self.wall,
        )

    def is_enabled(self) -> bool:
        return self.enabled

    def read_verdict(self) -> Verdict | None:
        if isinstance(self.verdict, VerdictMalformedError):
            raise self.verdict
        return self.verdict

    def start(self, command: StartRun = START) -> Reaction:
        return self.finish(self.coordinator.start(command))

    def sweep(self) -> Reaction:
        return self.finish(self.coordinator.sweep(SWEEP))

    def finish(self, reaction: Reaction) -> Reaction:
        self.published.extend(reaction.messages)
        reaction.on_published()
        return reaction

    def create_run(self, day: date, *, outbox: tuple[Message, ...] = ()) -> str:
        """Store a run of that day, as the coordinator would have created it; return its id."""
        run = NewRun(f"local-{day}", "local", day, WEDNESDAY, BOOK, self.wall + timedelta(minutes=7))
        self.store.create(run, by="coordinator_v2", at=self.wall, outbox=outbox)
        return run.run_id

    def later(self, minutes: int) -> None:
        self.wall += timedelta(minutes=minutes)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> "Log":
    return Log(caplog)


class Log:
    """The log's lines as values."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def refusals(self) -> list[tuple[str, str]]:
        lines = [vars(record) for record in self._caplog.records if record.message == "run refused"]
        return [(line["reason"], line["detail"]) for line in lines]


def late_failure(office: Office) -> RunFailed:
    [run_failed] = office.published
    assert isinstance(run_failed, RunFailed)
    return run_failed


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
    assert make.loaded(office.store, RUN_ID).timeline[0].at == make.WALL


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


def test_start_by_two_workers_at_once_is_published_by_one(office: Office) -> None:
    class OtherWorkerFirst(InMemoryRunStore):
        def create(self, run: NewRun, *, by: str, at: datetime, outbox: tuple[Message, ...]) -> bool:
            office.start()
            return super().create(run, by=by, at=at, outbox=outbox)

    racing = OtherWorkerFirst()
    racing.runs = office.store.runs

    late = Office(store=racing).start()

    assert late.messages == ()
    assert len(office.published) == 2


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
    assert office.published == []


def test_start_forced_does_not_override_the_kill_switch(office: Office) -> None:
    office.enabled = False

    office.start(FORCE)

    assert office.store.runs == {}


def test_sweep_of_a_day_without_runs_does_nothing(office: Office) -> None:
    assert office.sweep().messages == ()


def test_sweep_on_a_holiday_sweeps_the_session_before(office: Office) -> None:
    run_id = office.create_run(WEDNESDAY)
    office.bell = Bell(date(2022, 11, 24), "10:00")
    office.later(minutes=8)

    office.sweep()

    assert make.loaded(office.store, run_id).state is RunState.FAILED


def test_sweep_before_the_deadline_changes_nothing(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    office.later(minutes=7)

    office.sweep()

    assert make.loaded(office.store, run_id).state is RunState.EVALUATING
    assert office.published == []


def test_sweep_after_the_deadline_fails_and_names_the_missing(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    answer = make.strategy_failed("trend")
    office.store.put_once(run_id, RunItem("STRATEGY#trend", outbox.encode(answer)))
    office.later(minutes=8)

    office.sweep()

    failure = late_failure(office)
    assert (failure.state, failure.reason, failure.missing) == ("EVALUATING", "overdue_EVALUATING", ("rotation",))
    assert failure.detail == "still EVALUATING, 60 s past its deadline; missing: rotation"
    run = make.loaded(office.store, run_id)
    assert (run.state, run.sent, run.payloads[RunState.FAILED]["reason"]) == (
        RunState.FAILED,
        True,
        "overdue_EVALUATING",
    )


def test_sweep_of_yesterdays_overdue_run_fails_it(office: Office) -> None:
    run_id = office.create_run(HALF_DAY)
    office.later(minutes=8)

    office.sweep()

    assert make.loaded(office.store, run_id).state is RunState.FAILED


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
def test_sweep_of_a_final_run_publishes_nothing(office: Office, state: RunState) -> None:
    run_id = office.create_run(MONDAY)
    make.move_to(office.store, state, run_id=run_id)
    office.later(minutes=999)

    office.sweep()

    assert office.published == []


def test_sweep_twice_publishes_once(office: Office) -> None:
    office.create_run(MONDAY)
    office.later(minutes=8)

    office.sweep()
    office.sweep()

    assert len(office.published) == 1


def test_sweep_after_a_lost_publish_publishes_again(office: Office) -> None:
    office.create_run(MONDAY)
    office.later(minutes=8)
    lost = office.coordinator.sweep(SWEEP)

    again = office.sweep()

    assert again.messages == lost.messages != ()


def test_sweep_publishes_unsent_outboxes_of_run_and_items(office: Office) -> None:
    request, run_failed = example(StrategyRequested), example(RunFailed)
    run_id = office.create_run(MONDAY, outbox=(request,))
    office.store.put_once(run_id, RunItem("PLAN", {}, outbox=(run_failed,)))

    office.sweep()

    run = make.loaded(office.store, run_id)
    assert office.published == [request, run_failed]
    assert run.sent
    assert run.items["PLAN"].sent


def test_sweep_never_sends_a_trade(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    trade = example(TradeRequested)
    make.move_to(office.store, RunState.SELLING, run_id=run_id, outbox=(trade,))

    office.sweep()

    assert office.published == []
    assert not make.loaded(office.store, run_id).sent


def test_sweep_of_a_run_that_moves_meanwhile_fails_nothing(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    office.later(minutes=8)

    class OtherWorkerFirst(InMemoryRunStore):
        def move(self, run_id: str, move: Move) -> bool:
            make.move_to(office.store, RunState.AGGREGATED, run_id=run_id)
            return super().move(run_id, move)

    racing = OtherWorkerFirst()
    racing.runs = office.store.runs

    Office(store=racing, wall=office.wall).sweep()

    assert make.loaded(office.store, run_id).state is RunState.AGGREGATED
