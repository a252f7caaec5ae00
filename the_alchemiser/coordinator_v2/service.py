"""Starts the day's run, and sweeps runs that are stuck."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from aws_lambda_powertools import Logger

from the_alchemiser.coordinator_v2.admission import (
    TradingDay,
    free_run_id,
    market_date,
    refuse_time,
    refuse_verdict,
    trading_day,
)
from the_alchemiser.coordinator_v2.sweep import UnsentOutbox, overdue, unsent_outboxes
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, Exchange
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import StartRun, SweepRuns
from the_alchemiser.shared.messaging.messages import Message, StrategyRequested, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import failing_move
from the_alchemiser.shared.run.kill_switch import Switch
from the_alchemiser.shared.run.runs import META, NewRun, Run, RunState, RunStore, runs_of_day
from the_alchemiser.shared.values import Clock, Refusal, Session

MODULE = "coordinator_v2"

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Starts and sweeps runs.

    Attributes:
        verdict: reads the lake's quality verdict; None when there is none.
        allocations: returns the fractions of the book by strategy; they sum to 1.
        now: returns the wall clock, UTC; used for deadlines only.
    """

    stage: str
    exchange: Exchange
    runs: RunStore
    switch: Switch
    verdict: Callable[[], Verdict | None]
    allocations: Callable[[], Mapping[str, Decimal]]
    now: Callable[[], datetime]

    def start(self, command: StartRun) -> Reaction:
        """Start a run if one may start now; every refusal is one line in the log.

        A second start on the same day finds the run, and only publishes what the first one left unsent.

        Raises:
            AlchemiserError: the broker or a store cannot answer now; nothing was started.
        """
        day = trading_day(*self._time())
        if isinstance(day, Refusal):
            return _refuse(day)
        refusal = refuse_time(day, force=command.force)
        if refusal is not None:
            return _refuse(refusal)

        runs = runs_of_day(self.runs, self.stage, day.session.date)
        run_id = free_run_id(self.stage, day, runs, force=command.force)
        if isinstance(run_id, Refusal):
            _refuse(run_id)
            return self._publish_unsent(runs)

        refusal = self._refuse_trading(day)
        return self._create(run_id, day) if refusal is None else _refuse(refusal)

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

    def _time(self) -> tuple[Clock, tuple[Session, ...]]:
        clock = self.exchange.clock()
        today = market_date(clock)
        return clock, self.exchange.calendar(today - LOOK_BACK, today)

    def _run_ids(self, *days: date) -> list[str]:
        run_ids: list[str] = []
        for day in days:
            run_ids.extend(self.runs.runs_on(day))
        return run_ids

    def _refuse_trading(self, day: TradingDay) -> Refusal | None:
        if not self.switch.is_enabled():
            return Refusal(reason="paused", detail="the kill switch is not enabled")
        try:
            return refuse_verdict(self.verdict(), day.as_of)
        except VerdictMalformedError as error:
            return Refusal(reason=error.reason, detail=str(error))

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
            return _refuse(Refusal(reason="run_exists", detail=f"{run_id} was created a moment ago"))
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


def _refuse(refusal: Refusal) -> Reaction:
    logger.warning("run refused", extra={"reason": refusal.reason, "detail": refusal.detail})
    return Reaction()
