"""One trading day: the evening before, the quarter to the close, and everything until the queues are empty again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from automation.system.errors import CheckFailedError, UsageError
from sandbox.brokerage import Brokerage
from sandbox.cloud import Cloud
from sandbox.evidence import BrokerState, DayEvidence
from sandbox.exchange.clock import Phase
from sandbox.exchange.sessions import session_before
from sandbox.follow import Pace, Wall, Watch
from sandbox.milestones import milestones
from sandbox.schedules import due
from the_alchemiser.shared.messaging.messages import StrategyEvaluated
from the_alchemiser.shared.run.progress import missing
from the_alchemiser.shared.run.runs import Run

COORDINATOR, DATA, MONITOR = "coordinator_v2", "data_v2", "data_quality_monitor"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a day touches.

    Attributes:
        now: wall-clock, UTC: what logs and mails are dated by.
        say: takes a line of progress.
    """

    cloud: Cloud
    exchange: Brokerage
    wall: Wall
    now: Callable[[], datetime]
    say: Callable[[str], None]
    pace: Pace = field(default_factory=Pace)


def trade_day(session: date, around: Surroundings) -> DayEvidence:
    """Trade one session, or go on with the run that was left unfinished.

    Raises:
        CheckFailedError: a function failed, no run was created, or the run stands still.
        UsageError: the exchange's time has gone too far for this session.
    """
    run = around.cloud.run_on(session)
    started = around.now() if run is None else run.timeline[0].at
    return _Day(session, around, Watch(around.cloud, started, around.wall, around.pace)).trade(run)


class _Day:
    """The steps of one day; `seconds` fills as they are taken."""

    def __init__(self, session: date, around: Surroundings, watch: Watch) -> None:
        self._session = session
        self._around = around
        self._watch = watch
        self._seconds: dict[str, float] = {}
        self._said: set[str] = set()

    def trade(self, run: Run | None) -> DayEvidence:
        is_new = run is None
        self._watch.raise_on_errors(modules=())
        if is_new:
            with self._timed("market data"):
                self._refresh()
        before = self._open() if is_new else self._broker_state()
        with self._timed("trading"):
            if is_new:
                self._fire()
            run = self._follow()
        with self._timed("evidence"):
            return self._gather(run, before, is_resumed=not is_new)

    def _refresh(self) -> None:
        """The evening before: data_v2 and the monitor do their nightly work."""
        as_of = session_before(self._session).date
        if self._around.exchange.set_clock(self._session, Phase.EVENING_BEFORE):
            self._fire()
            self._watch.until(lambda: self._is_checked(as_of), doing=f"the refresh of {as_of}")
        if not self._is_checked(as_of):
            raise self._unchecked(as_of)
        self._say(f"{DATA}, {MONITOR}  closes through {as_of} are in the lake and checked")

    def _is_checked(self, as_of: date) -> bool:
        verdict = self._around.cloud.verdict()
        return verdict is not None and verdict.as_of == as_of

    def _unchecked(self, as_of: date) -> CheckFailedError | UsageError:
        if self._around.exchange.clock().phase is not Phase.EVENING_BEFORE:
            return UsageError(
                f"the exchange's clock is past the evening before {self._session}, and closes through {as_of} are not "
                "in the lake; run inv sandbox.reset to start over"
            )
        said = [f"{module}: {self._warnings(module)}" for module in (DATA, MONITOR)]
        return CheckFailedError(f"there is no quality verdict for closes through {as_of}; {'; '.join(said)}")

    def _open(self) -> BrokerState:
        if not self._around.exchange.set_clock(self._session, Phase.BEFORE_CLOSE):
            raise UsageError(f"the exchange's clock is past {self._session}; run inv sandbox.reset to start over")
        return self._broker_state()

    def _broker_state(self) -> BrokerState:
        return self._around.exchange.state(self._session)

    def _fire(self) -> None:
        """Send what the scheduler would send at this moment of business time."""
        moment = self._around.exchange.clock().now
        fired = due(self._around.cloud.deployment.schedules, moment)
        if not fired:
            raise CheckFailedError(f"no deployed schedule fires at {moment:%H:%M on %A %Y-%m-%d}; see the templates")
        for schedule in fired:
            self._around.cloud.send(schedule)

    def _follow(self) -> Run:
        """Until the run is final and everything it caused is done."""
        self._watch.until(self._is_final, doing=f"the run of {self._session}")
        run = self._around.cloud.run_on(self._session)
        if run is None:
            raise CheckFailedError(f"{COORDINATOR} started no run on {self._session}: {self._warnings(COORDINATOR)}")
        if not run.state.is_final:
            awaited = ", ".join(missing(run)) or "nothing"
            raise CheckFailedError(f"{run.run_id} stands still in {run.state}; missing: {awaited}")
        return run

    def _is_final(self) -> bool:
        run = self._around.cloud.run_on(self._session)
        for line in () if run is None else milestones(run):
            self._say(line)
        return run is not None and run.state.is_final

    def _gather(self, run: Run, before: BrokerState, *, is_resumed: bool) -> DayEvidence:
        cloud, since = self._around.cloud, self._watch.since
        evidence = DayEvidence(
            trading_date=self._session,
            run=run,
            verdict=cloud.verdict(),
            before=before,
            after=self._broker_state(),
            ledger=cloud.ledger_of(run.run_id),
            functions={module: cloud.log_of(module, since) for module in cloud.deployment.functions},
            mails=cloud.mails(since - timedelta(milliseconds=1)),
            backlogs=cloud.backlogs(),
            started_at=since,
            seconds=self._seconds,
            is_resumed=is_resumed,
        )
        answers = evidence.answers.items()
        decided = {name: answer.path_ref for name, answer in answers if isinstance(answer, StrategyEvaluated)}
        return replace(evidence, decisions={name: cloud.decision(path) for name, path in decided.items()})

    def _warnings(self, module: str) -> str:
        return "; ".join(self._around.cloud.log_of(module, self._watch.since).warnings) or "its log holds no reason"

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._around.say(line)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = self._around.wall.read()
        try:
            yield
        finally:
            self._seconds[phase] = self._around.wall.read() - began
