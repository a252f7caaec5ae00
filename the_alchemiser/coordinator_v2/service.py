"""Starting the day's run, and sweeping up runs that got stuck."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from aws_lambda_powertools import Logger

from the_alchemiser.coordinator_v2.admission import (
    Refused,
    TradingDay,
    free_run_id,
    market_date,
    trading_day,
    unfit,
    untimely,
)
from the_alchemiser.coordinator_v2.sweep import overdue, untold
from the_alchemiser.shared.broker.models import Clock, Session
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, Exchange
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import StartRun, SweepRuns
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import Message, StrategyRequested, message_id
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import failing_move
from the_alchemiser.shared.run.runs import META, NewRun, Run, RunState, RunStore, runs_of_day

MODULE = "coordinator_v2"

logger = Logger(child=True)


class Switch(Protocol):
    """The kill switch."""

    def is_enabled(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Starts and sweeps runs.

    Attributes:
        verdict: reads the lake's quality verdict; None when there is none.
        allocations: strategy to fraction, as the book has them; they sum to 1.
        now: the wall clock, UTC: for deadlines only.
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

        A second start of the same day finds the run, and only tells what the first left untold.
        """
        day = trading_day(*self._time())
        if isinstance(day, Refused):
            return _refuse(day)
        refused = untimely(day, force=command.force)
        if refused is not None:
            return _refuse(refused)
        known = runs_of_day(self.runs, self.stage, day.session.date)
        run_id = free_run_id(self.stage, day, known, force=command.force)
        if isinstance(run_id, Refused):
            _refuse(run_id)
            return self._tell(known)
        refused = self._unfit(day)
        return self._create(run_id, day) if refused is None else _refuse(refused)

    def sweep(self, command: SweepRuns) -> Reaction:  # noqa: ARG002 - the command says it all by its class
        """Fail what is overdue today and in the session before, and tell what was left untold."""
        clock, sessions = self._time()
        today = market_date(clock)
        before = [session.date for session in sessions if session.date < today]
        ids = [run_id for day in (*before[-1:], today) for run_id in self.runs.runs_on(day)]
        at = clock.timestamp.astimezone(UTC)
        return self._tell(tuple(run for run in (self._swept(run_id, at) for run_id in ids) if run is not None))

    def _time(self) -> tuple[Clock, tuple[Session, ...]]:
        clock = self.exchange.clock()
        today = market_date(clock)
        return clock, self.exchange.calendar(today - LOOK_BACK, today)

    def _unfit(self, day: TradingDay) -> Refused | None:
        if not self.switch.is_enabled():
            return Refused("paused", "the kill switch is not enabled")
        try:
            return unfit(self.verdict(), day.as_of)
        except VerdictMalformedError as error:
            return Refused("verdict_malformed", str(error))

    def _create(self, run_id: str, day: TradingDay) -> Reaction:
        allocations = self.allocations()
        requests = _requests(run_id, day, allocations)
        at = self.now()
        new = NewRun(
            run_id=run_id,
            stage=self.stage,
            trading_date=day.session.date,
            as_of=day.as_of,
            allocations=allocations,
            deadline_at=deadline(RunState.EVALUATING, at),
        )
        if not self.runs.create(new, by=MODULE, at=at, outbox=requests):
            return _refuse(Refused("run_exists", f"{run_id} was created a moment ago"))
        logger.info("run started", extra={"run_id": run_id, "strategies": sorted(allocations)})
        return Reaction(requests, published=lambda: self.runs.mark_sent(run_id, state=RunState.EVALUATING))

    def _swept(self, run_id: str, at: datetime) -> Run | None:
        run = self.runs.load(run_id)
        failure = None if run is None else overdue(run, self.now())
        if run is None or failure is None:
            return run
        if self.runs.move(run_id, failing_move(run, failure, by=MODULE, at=self.now(), occurred_at=at)):
            logger.warning("run failed", extra={"run_id": run_id, "reason": failure.reason, "detail": failure.detail})
        return self.runs.load(run_id)

    def _tell(self, runs: tuple[Run, ...]) -> Reaction:
        boxes = [(run, box) for run in runs for box in untold(run)]
        messages: list[Message] = [message for _, box in boxes for message in box.messages]

        def mark() -> None:
            for run, box in boxes:
                self.runs.mark_sent(run.run_id, box.sk, state=run.state if box.sk == META else None)

        return Reaction(tuple(messages), published=mark)


def _requests(run_id: str, day: TradingDay, allocations: Mapping[str, Decimal]) -> tuple[StrategyRequested, ...]:
    return tuple(
        StrategyRequested(
            message_id=message_id(run_id, StrategyRequested, strategy),
            run_id=run_id,
            occurred_at=day.now,
            strategy=strategy,
            allocation=allocation,
            trading_date=day.session.date,
            as_of=day.as_of,
        )
        for strategy, allocation in sorted(allocations.items())
    )


def _refuse(refused: Refused) -> Reaction:
    logger.warning("run refused", extra={"reason": refused.reason, "detail": refused.detail})
    return Reaction()
