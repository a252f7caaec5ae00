"""One trading day: the evening before, 15 minutes before the close until the queues are empty again, after the close.

The day waits as long as the deployed functions try again. When their messages are used up, it does what the scheduler
would do next: it lets the sweep publish what a killed worker left unsent, and settle the orders of a run that gave up.
After the close, the sweep settles the run and compares the account with the books, as it does on every day.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from automation.system.errors import CheckFailedError, UsageError
from sandbox.brokerage import Brokerage
from sandbox.cloud import Cloud
from sandbox.evidence import Backlog, BrokerState, DayEvidence, Mail, with_queues
from sandbox.exchange.clock import Phase
from sandbox.exchange.sessions import session_before
from sandbox.function_logs import FunctionLog
from sandbox.milestones import list_milestones
from sandbox.outages import WallClock
from sandbox.schedules import Schedule, due_schedules, schedules_of
from sandbox.verify import needs_settlement
from sandbox.watch import Pace, Watch
from the_alchemiser.coordinator_v2.settlement import EXECUTION_WINDOW
from the_alchemiser.shared.messaging.messages import StrategyEvaluated
from the_alchemiser.shared.run.progress import missing
from the_alchemiser.shared.run.runs import Run

SWEEP = "sweep-runs"
SWEEPS_AT_MOST = 3  # the second comes when no order can be on its way any more; the third is for an order still open
COORDINATOR, DATA, MONITOR = "coordinator_v2", "data_v2", "data_quality_monitor"


@dataclass(frozen=True, slots=True)
class DayContext:
    """Everything that a trading day reads from or writes to.

    Attributes:
        now: the wall-clock time, UTC; logs and mails carry it.
        report_progress: takes one line of progress.
        report_wait: takes one line about a long wait; without it, such a line is progress like any other.
    """

    cloud: Cloud
    exchange: Brokerage
    wall: WallClock
    now: Callable[[], datetime]
    report_progress: Callable[[str], None]
    pace: Pace = field(default_factory=Pace)
    report_wait: Callable[[str], None] | None = None


def trade_day(session: date, context: DayContext) -> DayEvidence:
    """Trade one session, or resume the run that an interrupted command left unfinished.

    Raises:
        CheckFailedError: a function is denied a call, no run was created, or the run is stuck.
        UsageError: the exchange's clock is already past this session.
        ToolError: the emulator or the exchange does not answer.
    """
    run = context.cloud.run_on(session)
    now = context.now()
    # Faults that an earlier command reported are over. The evidence has them, because it has the whole run.
    report_wait = context.report_wait or context.report_progress
    watch = Watch(context.cloud, now, context.wall, context.now, report_wait, context.pace)
    return _Day(session, context, watch, started=now if run is None else run.timeline[0].at).trade(run)


class _Day:
    """The steps of one day; each phase records its duration in `_seconds`."""

    def __init__(self, session: date, context: DayContext, watch: Watch, *, started: datetime) -> None:
        self._session = session
        self._context = context
        self._watch = watch
        self._started = started
        self._seconds: dict[str, float] = {}
        self._reported: set[str] = set()

    def trade(self, run: Run | None) -> DayEvidence:
        is_new, is_refreshed = run is None, False
        if is_new:
            with self._timed("market data"):
                is_refreshed = self._refresh_market_data()
        before = self._open_session() if is_new else self._broker_state()

        with self._timed("trading"):
            # A resumed run has had its start command: sending it again would be ignored as a duplicate.
            if is_new:
                self._send_due_schedules()
            run = self._follow_run()
        with self._timed("evidence"):
            evidence = self._gather_evidence(run, before, is_resumed=not is_refreshed)

        if needs_settlement(evidence):
            with self._timed("settlement"):
                run = self._settle(run)
                evidence = self._gather_evidence(run, before, is_resumed=not is_refreshed)
        with self._timed("close"):
            return self._close(evidence)

    def _refresh_market_data(self) -> bool:
        """Let data_v2 and the monitor do their work of the evening before; return False when it was done before."""
        as_of = session_before(self._session).date
        is_evening = self._context.exchange.set_clock(self._session, Phase.EVENING_BEFORE)
        if is_evening:
            self._send_due_schedules()
            self._watch.wait_until(lambda: self._is_checked(as_of), doing=f"the refresh of {as_of}")

        if not self._is_checked(as_of):
            raise self._no_verdict(as_of)
        self._report(f"{DATA}, {MONITOR}  closes through {as_of} are stored and checked")
        return is_evening

    def _is_checked(self, as_of: date) -> bool:
        verdict = self._context.cloud.verdict()
        return verdict is not None and verdict.as_of == as_of

    def _no_verdict(self, as_of: date) -> CheckFailedError | UsageError:
        if self._context.exchange.clock().phase is not Phase.EVENING_BEFORE:
            return UsageError(
                f"the exchange's clock is past the evening before {self._session}, and closes through {as_of} are not "
                "in the lake; run inv sandbox.reset to start over"
            )
        reasons = [f"{module}: {self._warnings(module)}" for module in (DATA, MONITOR)]
        return CheckFailedError(
            f"the monitor gave no verdict on closes through {as_of}; {'; '.join(reasons)}; inv run-day tries again",
            findings=self._watch.faults(),
        )

    def _open_session(self) -> BrokerState:
        if not self._context.exchange.set_clock(self._session, Phase.BEFORE_CLOSE):
            raise UsageError(f"the exchange's clock is past {self._session}; run inv sandbox.reset to start over")
        return self._broker_state()

    def _broker_state(self) -> BrokerState:
        return self._context.exchange.state(self._session)

    def _send_due_schedules(self) -> None:
        """Send what the scheduler would send at the exchange's current time."""
        moment = self._context.exchange.clock().now
        schedules = due_schedules(self._context.cloud.deployment.schedules, moment)
        if not schedules:
            raise CheckFailedError(
                f"no deployed schedule fires at {moment:%H:%M on %A %Y-%m-%d}; check the schedules in the templates"
            )
        self._send(schedules)

    def _send(self, schedules: Iterable[Schedule]) -> None:
        for schedule in schedules:
            self._context.cloud.send(schedule)

    def _sweep(self) -> None:
        self._send(schedules_of(self._context.cloud.deployment.schedules, SWEEP))

    def _follow_run(self) -> Run:
        """Wait until the run is final and everything it caused is done."""
        doing = f"the run of {self._session}"
        is_final = self._watch.wait_until(self._is_final, doing=doing)
        run = self._context.cloud.run_on(self._session)
        if run is not None and not is_final:
            self._watch.report(f"{COORDINATOR}: sweeps, because {run.run_id} has no message left in {run.state}")
            self._sweep()
            self._watch.wait_until(self._is_final, doing=doing)
            run = self._context.cloud.run_on(self._session)

        if run is None or not run.state.is_final:
            raise self._unfinished(run)
        return run

    def _unfinished(self, run: Run | None) -> CheckFailedError:
        if run is None:
            reason = self._warnings(COORDINATOR)
            message = (
                f"{COORDINATOR} started no run on {self._session}: {reason}; remove the cause, then run inv run-day"
            )
        else:
            message = (
                f"{run.run_id} is stuck in {run.state} with no message left to process; missing: "
                f"{', '.join(missing(run)) or 'nothing'}; read inv logs --env local --run {run.run_id}; send its "
                "dead letter again with inv dlq.redrive, or the sweep fails the run after "
                f"{run.deadline_at:%Y-%m-%d %H:%M:%S} UTC; then run inv run-day"
            )
        return CheckFailedError(message, findings=self._watch.faults())

    def _settle(self, run: Run) -> Run:
        """Let the sweep settle the run's orders, and return the run; the sweep waits for orders on their way, too."""
        for _ in range(SWEEPS_AT_MOST):
            self._sweep()
            self._watch.wait_until(lambda: True, doing=f"the settlement of {run.run_id}")
            run = self._context.cloud.run_on(self._session) or run
            if run.settled:
                break
            wait_s = max((run.timeline[-1].at + EXECUTION_WINDOW - self._context.now()).total_seconds(), 0) + 1
            self._watch.report(f"{COORDINATOR}: sweeps again in {wait_s:.0f} s; until then, orders may be on their way")
            self._context.wall.sleep(wait_s)
        return run

    def _close(self, evidence: DayEvidence) -> DayEvidence:
        """Go on to 5 minutes after the close, and let the sweep settle the run and check the books."""
        cloud = self._context.cloud
        if self._context.exchange.set_clock(self._session, Phase.AFTER_CLOSE):
            self._check_books()
        backlogs = cloud.backlogs()
        return replace(
            evidence,
            run=cloud.run_on(self._session) or evidence.run,
            functions=self._functions(backlogs),
            mails=self._mails(),
            backlogs=backlogs,
            books=cloud.books_of(self._session),
        )

    def _check_books(self) -> None:
        """Sweep until the books are checked; a sweep that the broker does not answer is followed by the next one."""
        for _ in range(SWEEPS_AT_MOST):
            self._sweep()
            if self._watch.wait_until(self._are_books_checked, doing=f"the check of the books of {self._session}"):
                self._report(f"{COORDINATOR}: after the close, the account was compared with the books")
                return

    def _are_books_checked(self) -> bool:
        return self._context.cloud.books_of(self._session) is not None

    def _is_final(self) -> bool:
        run = self._context.cloud.run_on(self._session)
        if run is None:
            return False
        for line in list_milestones(run):
            self._report(line)
        return run.state.is_final

    def _gather_evidence(self, run: Run, before: BrokerState, *, is_resumed: bool) -> DayEvidence:
        cloud = self._context.cloud
        backlogs = cloud.backlogs()
        evidence = DayEvidence(
            trading_date=self._session,
            run=run,
            verdict=cloud.verdict(),
            before=before,
            after=self._broker_state(),
            ledger=cloud.ledger_of(run.run_id),
            functions=self._functions(backlogs),
            mails=self._mails(),
            backlogs=backlogs,
            has_metrics=cloud.has_metrics(run),
            started_at=self._started,
            seconds=self._seconds,
            is_resumed=is_resumed,
        )

        answers = evidence.answers.items()
        paths = {name: answer.path_ref for name, answer in answers if isinstance(answer, StrategyEvaluated)}
        return replace(evidence, decisions={name: cloud.decision(path) for name, path in paths.items()})

    def _functions(self, backlogs: tuple[Backlog, ...]) -> Mapping[str, FunctionLog]:
        cloud = self._context.cloud
        return with_queues((cloud.log_of(module, self._started) for module in cloud.deployment.functions), backlogs)

    def _mails(self) -> tuple[Mail, ...]:
        # One millisecond of margin: the emulator stamps mails with a float.
        return self._context.cloud.mails(self._started - timedelta(milliseconds=1))

    def _warnings(self, module: str) -> str:
        warnings = self._context.cloud.log_of(module, self._started).warnings
        return "; ".join(warnings) or "its log gives no reason"

    def _report(self, line: str) -> None:
        """Report a line of progress unless it was reported before."""
        if line not in self._reported:
            self._reported.add(line)
            self._context.report_progress(line)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        started = self._context.wall.read()
        try:
            yield
        finally:
            self._seconds[phase] = self._context.wall.read() - started
