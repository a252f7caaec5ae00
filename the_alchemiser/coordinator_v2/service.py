"""Starts the day's run, sweeps runs that are stuck, and checks whether the day had its run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from aws_lambda_powertools import Logger

from the_alchemiser.coordinator_v2.admission import (
    StartRefusal,
    TradingDay,
    free_run_id,
    market_date,
    refuse_time,
    refuse_verdict,
    trading_day,
)
from the_alchemiser.coordinator_v2.day_check import days_without_run, is_without_run
from the_alchemiser.coordinator_v2.sweep import UnsentOutbox, overdue, unsent_outboxes
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.gauges import Gauges
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, Exchange
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import CheckDay, StartRun, SweepRuns
from the_alchemiser.shared.messaging.messages import Message, RunRefused, StrategyRequested, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import failing_move
from the_alchemiser.shared.run.kill_switch import Switch
from the_alchemiser.shared.run.runs import META, NewRun, Run, RunState, RunStore, run_id_of, runs_of_day
from the_alchemiser.shared.values import Clock, Session

MODULE = "coordinator_v2"

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Coordinator:
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
            return self._refuse(day, clock, force=command.force)
        refusal = refuse_time(day, force=command.force)
        if refusal is not None:
            return self._refuse(refusal, clock, force=command.force)

        runs = runs_of_day(self.runs, self.stage, day.session.date)
        run_id = free_run_id(self.stage, day, runs, force=command.force)
        if isinstance(run_id, StartRefusal):
            unsent, refused = self._publish_unsent(runs), self._refuse(run_id, clock, force=command.force)
            return unsent._replace(messages=unsent.messages + refused.messages)

        refusal = self._refuse_trading(day)
        if refusal is not None:
            return self._refuse(refusal, clock, force=command.force)
        return self._create(run_id, day)

    def sweep(self, command: SweepRuns) -> Reaction:  # noqa: ARG002 - the command has no options
        """Fail overdue runs of today and of the session before, and publish unsent messages."""
        clock, sessions = self._time()
        today = market_date(clock)
        before = [session.date for session in sessions if session.date < today]
        at = clock.timestamp.astimezone(UTC)

        runs: list[Run] = []
        for run_id in self._run_ids(*before[-1:], today):
            run = self._swept(run_id, at)
            if run is not None:
                runs.append(run)
        return self._publish_unsent(runs)

    def check_day(self, command: CheckDay) -> Reaction:  # noqa: ARG002 - the command has no options
        """Publish whether today's session has ended without a completed run, as a figure that an alarm watches.

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

        self.gauges().publish([days_without_run(is_missing=is_missing)])
        return Reaction()

    def _time(self) -> tuple[Clock, tuple[Session, ...]]:
        clock = self.exchange.clock()
        today = market_date(clock)
        return clock, self.exchange.calendar(today - LOOK_BACK, today)

    def _run_ids(self, *days: date) -> list[str]:
        run_ids: list[str] = []
        for day in days:
            run_ids.extend(self.runs.runs_on(day))
        return run_ids

    def _refuse(self, refusal: StartRefusal, clock: Clock, *, force: bool) -> Reaction:
        """Log the refusal, and publish it unless it is routine. A person forced the start: then it is never routine."""
        _log_refusal(refusal)
        if refusal.is_routine and not force:
            return Reaction()

        today = market_date(clock)
        # The reason is the subject: a second start that is refused for the same reason repeats the id, so that people
        # read of each reason once per day.
        fields = envelope(
            RunRefused,
            run_id_of(self.stage, today),
            refusal.reason,
            occurred_at=clock.timestamp.astimezone(UTC),
        )
        return Reaction((RunRefused(**fields, trading_date=today, reason=refusal.reason, detail=refusal.detail),))

    def _refuse_trading(self, day: TradingDay) -> StartRefusal | None:
        if not self.switch.is_enabled():
            return StartRefusal(reason="paused", detail="the kill switch is not enabled")
        try:
            return refuse_verdict(self.verdict(), day.as_of)
        except VerdictMalformedError as error:
            return StartRefusal(reason=error.reason, detail=str(error))

    def _create(self, run_id: str, day: TradingDay) -> Reaction:
        allocations = self.allocations()
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

        # The conditional write is what allows one run of this id: two starts at once create and publish it once.
        if not self.runs.create(run, by=MODULE, at=at, outbox=requests):
            _log_refusal(StartRefusal(reason="run_exists", detail=f"{run_id} was created a moment ago"))
            return Reaction()
        logger.info("run started", extra={"run_id": run_id, "strategies": sorted(allocations)})

        def mark_sent() -> None:
            self.runs.mark_sent(run_id, state=RunState.EVALUATING)

        return Reaction(requests, on_published=mark_sent)

    def _swept(self, run_id: str, at: datetime) -> Run | None:
        """Fail the run if it is overdue, and return it; None when there is no such run."""
        run = self.runs.load(run_id)
        failure = None if run is None else overdue(run, self.now())
        if run is None or failure is None:
            return run

        # Conditional on the state that is overdue: a run that moves on at this moment is not failed.
        if self.runs.move(run_id, failing_move(run, failure, by=MODULE, at=self.now(), occurred_at=at)):
            logger.warning("run failed", extra={"run_id": run_id, "reason": failure.reason, "detail": failure.detail})
        return self.runs.load(run_id)

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


def _log_refusal(refusal: StartRefusal) -> None:
    logger.warning("run refused", extra={"reason": refusal.reason, "detail": refusal.detail})


def _leave_unchecked(reason: str, detail: str) -> Reaction:
    logger.warning("day not checked", extra={"reason": reason, "detail": detail})
    return Reaction()
