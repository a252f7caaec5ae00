"""The coordinator's surroundings in memory."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, SESSIONS, WEDNESDAY, clock_at
from tests.the_alchemiser.fakes import InMemoryGauges, InMemoryRunStore
from the_alchemiser.coordinator_v2.service import Coordinator
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import CheckDay, StartRun, SweepRuns
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import NewRun
from the_alchemiser.shared.values import Clock, Session

RUN_ID = "local-2022-11-28"
START = StartRun(command="start-run")
FORCE = StartRun(command="start-run", force=True)
SWEEP = SweepRuns(command="sweep-runs")
CHECK = CheckDay(command="check-day")
BOOK = {"trend": Decimal("0.6"), "rotation": Decimal("0.4")}


@dataclass
class Bell:
    """The exchange's clock and calendar; it answers with `error` if there is one."""

    day: date = MONDAY
    time: str = "15:45"
    sessions: tuple[Session, ...] = SESSIONS
    error: Exception | None = None

    def clock(self) -> Clock:
        if self.error is not None:
            raise self.error
        return clock_at(self.day, self.time)

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        return tuple(session for session in self.sessions if start <= session.date <= end)


@dataclass
class Office:
    """The coordinator's surroundings, in order; `published` holds its messages."""

    bell: Bell = field(default_factory=Bell)
    store: InMemoryRunStore = field(default_factory=InMemoryRunStore)
    enabled: bool = True
    verdict: Verdict | VerdictMalformedError | None = field(
        default_factory=lambda: Verdict(checked_at=make.AT, as_of=HALF_DAY, quarantined={})
    )
    gauges: InMemoryGauges = field(default_factory=InMemoryGauges)
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
            gauges=lambda: self.gauges,
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

    def check_day(self) -> Reaction:
        return self.finish(self.coordinator.check_day(CHECK))

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


class Log:
    """The log's lines as values."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def refusals(self) -> list[tuple[str, str]]:
        lines = [vars(record) for record in self._caplog.records if record.message == "run refused"]
        return [(line["reason"], line["detail"]) for line in lines]
