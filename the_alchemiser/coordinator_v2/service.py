"""Starts the day's run, sweeps runs that are stuck or unsettled, and checks whether the day had its run."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from the_alchemiser.coordinator_v2.admission import (
    NextRun,
    StartRefusal,
    TradingDay,
    next_run,
    refuse_time,
    refuse_verdict,
    trading_day,
)
from the_alchemiser.coordinator_v2.books import BooksChecker
from the_alchemiser.coordinator_v2.day_check import books_differing, days_without_run, is_without_run
from the_alchemiser.coordinator_v2.settling import OrderSettler
from the_alchemiser.coordinator_v2.sweep import UnsentOutbox, overdue, unsent_outboxes
from the_alchemiser.shared.books.reconciling import Recent
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.gauges import Gauges
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, Exchange
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import CheckDay, StartRun, SweepRuns
from the_alchemiser.shared.messaging.messages import Message, RunRefused, StrategyRequested, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.kill_switch import Switch
from the_alchemiser.shared.run.runs import META, NewRun, Run, RunState, RunStore, run_id_of, runs_of_day
from the_alchemiser.shared.run.stored_runs import load_run
from the_alchemiser.shared.values import Clock, Session

MODULE = "coordinator_v2"
SWEPT_SESSIONS = 5  # a week's: the broker may be out of reach for days, and orders of a run must not be forgotten

logger = logging.getLogger(__name__)


class Coordinator(Frozen):
    """Starts and sweeps runs, and checks days.

    Attributes:
        verdict: reads the lake's quality verdict; None when there is none.
        allocations: returns the fractions of the book by strategy; they sum to 1.
        gauges: returns what displays figures; called only by the check of a day.
        now: returns the wall clock, UTC; used for deadlines only.
    """

    stage: str
    exchange: Exchange
    runs: RunStore
    settler: OrderSettler
    books: BooksChecker
    switch: Switch
    verdict: Callable[[], Verdict | None]
    allocations: Callable[[], Mapping[str, Decimal]]
    gauges: Callable[[], Gauges]
    now: Callable[[], datetime]

    def start(self, command: StartRun) -> Reaction:
        """Start a run if one may start now.

        Every refusal is one line in the log. People hear of it through RunRefused, unless it is routine and nobody
        forced the start. A second start on the same day finds the run, and publishes what the first one left unsent.

        Raises:
            AlchemiserError: the broker or a store cannot answer now; nothing was started.
        """
        clock, sessions = self._time()
        day = trading_day(clock, sessions)
        if isinstance(day, StartRefusal):
            return self._refuse(day, clock, command)
        refusal = refuse_time(day, force=command.is_forced)
        if refusal is not None:
            return self._refuse(refusal, clock, command)

        runs = runs_of_day(self.runs, self.stage, day.session.date)
        following = next_run(self.stage, day, runs, command)
        if isinstance(following, StartRefusal):
            return self._refuse(following, clock, command, runs=runs)
        recent = Recent(runs, since=day.session.date, settles_since=_swept(sessions)[0].date)
        refusal = self._refuse_trading(day) or self.books.refuse(day, recent)
        if refusal is not None:
            return self._refuse(refusal, clock, command)

        created = self._create(following, day)
        if isinstance(created, Reaction):
            return created
        return self._refuse(created, clock, command, runs=runs_of_day(self.runs, self.stage, day.session.date))

    def sweep(self, command: SweepRuns) -> Reaction:  # noqa: ARG002 - the command has no options
        """Fail overdue runs of the last sessions, settle ended ones, publish unsent messages, and check the books."""
        clock, sessions = self._time()
        at = clock.timestamp.astimezone(UTC)

        runs: list[Run] = []
        for session in _swept(sessions):
            for run_id in self.runs.runs_on(session.date):
                run = self._swept_run(run_id, session, at)
                if run is not None:
                    runs.append(run)
        unsent, news = self._publish_unsent(runs), self._check_books(clock, sessions, runs)

        def mark_sent() -> None:
            unsent.on_published()
            news.on_published()

        return Reaction((*unsent.messages, *news.messages), on_published=mark_sent)

    def check_day(self, command: CheckDay) -> Reaction:  # noqa: ARG002 - the command has no options
        """Publish whether today's session has ended without a completed run, and whether the books differ.

        Each is a figure that an alarm watches.

        Nothing is published while the broker does not say what day it is. The alarm counts a missing figure too, so an
        unreachable broker never looks like a day that had its run.

        Raises:
            AlchemiserError: the broker refuses to answer, for example because of its key.
        """
        try:
            day = trading_day(*self._time())
        except AlchemiserError as error:
            if not error.retryable:
                raise
            return _leave_unchecked(error.reason, str(error))

        if isinstance(day, TradingDay):
            is_missing = is_without_run(day, runs_of_day(self.runs, self.stage, day.session.date))
        elif day.is_routine:
            is_missing = False
        else:
            return _leave_unchecked(day.reason, day.detail)

        are_differing = self.books.are_differing()
        self.gauges().publish([days_without_run(is_missing=is_missing), books_differing(are_differing=are_differing)])
        return Reaction()

    def _time(self) -> tuple[Clock, tuple[Session, ...]]:
        clock = self.exchange.clock()
        today = market_date(clock.timestamp)
        return clock, self.exchange.calendar(today - LOOK_BACK, today)

    def _refuse(self, refusal: StartRefusal, clock: Clock, command: StartRun, *, runs: Iterable[Run] = ()) -> Reaction:
        """Log the refusal, and publish it unless it is routine. A person forced the start: then it is never routine.

        Args:
            runs: the runs whose unsent messages are published too.
        """
        logger.warning("run refused", extra={"reason": refusal.reason, "detail": refusal.detail})
        unsent = self._publish_unsent(runs)
        if refusal.is_routine and not command.is_forced:
            return unsent

        today = market_date(clock.timestamp)
        # The reason is the subject: a second start that is refused for the same reason repeats the id, so that people
        # read of each reason once per day.
        fields = envelope(
            RunRefused,
            run_id_of(self.stage, today),
            refusal.reason,
            occurred_at=clock.timestamp.astimezone(UTC),
        )
        refused = RunRefused(**fields, trading_date=today, reason=refusal.reason, detail=refusal.detail)
        return unsent.changed(messages=(*unsent.messages, refused))

    def _refuse_trading(self, day: TradingDay) -> StartRefusal | None:
        if not self.switch.is_enabled():
            return StartRefusal(reason="paused", detail="the kill switch is not enabled")
        try:
            return refuse_verdict(self.verdict(), day.as_of)
        except VerdictMalformedError as error:
            return StartRefusal(reason=error.reason, detail=str(error))

    def _create(self, following: NextRun, day: TradingDay) -> Reaction | StartRefusal:
        run_id, allocations = following.run_id, self.allocations()
        requests = _requests(run_id, day, allocations)
        at = self.now()
        run = NewRun(
            run_id=run_id,
            stage=self.stage,
            trading_date=day.session.date,
            as_of=day.as_of,
            allocations=allocations,
            deadline_at=deadline(RunState.EVALUATING, at),
        )

        # This conditional write decides: of all starts of a day that see no run, or replace the same run, one succeeds.
        if not self.runs.create(run, by=MODULE, at=at, outbox=requests, replaces=following.replaces):
            detail = f"a run of {day.session.date} was created a moment ago"
            return StartRefusal(reason="run_exists", detail=detail, is_routine=True)
        logger.info("run started", extra={"run_id": run_id, "strategies": sorted(allocations)})

        def mark_sent() -> None:
            self.runs.mark_sent(run_id, state=RunState.EVALUATING)

        return Reaction(requests, on_published=mark_sent)

    def _check_books(self, clock: Clock, sessions: Sequence[Session], runs: Sequence[Run]) -> Reaction:
        day = trading_day(clock, sessions)
        if isinstance(day, StartRefusal):
            return Reaction()
        first = _swept(sessions)[0].date
        return self.books.after_close(day, Recent(runs, since=first, settles_since=first))

    def _swept_run(self, run_id: str, session: Session, at: datetime) -> Run | None:
        """Fail the run if it is overdue, settle it if it has ended, and return it; None if it does not exist."""
        run = self.runs.load(run_id)
        if run is None:
            return None

        failure = overdue(run, self.now())
        if failure is not None:
            run = self._fail(run, failure, at)
        if run.state.is_final and not run.settled:
            self.settler.settle(run, opened_at=session.open, at=at)
            run = load_run(self.runs, run_id)
        return run

    def _fail(self, run: Run, failure: Failure, at: datetime) -> Run:
        # Conditional on the state that is overdue: a run that moves on at this moment is not failed.
        if self.runs.move(run.run_id, failing_move(run, failure, by=MODULE, at=self.now(), occurred_at=at)):
            logger.warning(
                "run failed", extra={"run_id": run.run_id, "reason": failure.reason, "detail": failure.detail}
            )
        return load_run(self.runs, run.run_id)

    def _publish_unsent(self, runs: Iterable[Run]) -> Reaction:
        messages: list[Message] = []
        unsent: list[tuple[Run, UnsentOutbox]] = []
        for run in runs:
            for outbox in unsent_outboxes(run):
                unsent.append((run, outbox))
                messages.extend(outbox.messages)

        def mark_sent() -> None:
            for run, outbox in unsent:
                self.runs.mark_sent(run.run_id, outbox.sk, state=run.state if outbox.sk == META else None)

        return Reaction(tuple(messages), on_published=mark_sent)


def _swept(sessions: Sequence[Session]) -> Sequence[Session]:
    """Return the sessions whose runs a sweep looks after, ascending."""
    return sessions[-SWEPT_SESSIONS:]


def _requests(run_id: str, day: TradingDay, allocations: Mapping[str, Decimal]) -> tuple[StrategyRequested, ...]:
    return tuple(
        StrategyRequested(
            **envelope(StrategyRequested, run_id, strategy, occurred_at=day.now),
            strategy=strategy,
            allocation=allocation,
            trading_date=day.session.date,
            as_of=day.as_of,
        )
        for strategy, allocation in sorted(allocations.items())
    )


def _leave_unchecked(reason: str, detail: str) -> Reaction:
    logger.warning("day not checked", extra={"reason": reason, "detail": detail})
    return Reaction()
