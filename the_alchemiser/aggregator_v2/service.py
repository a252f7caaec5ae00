"""Strategies' answers in, one signal out: EVALUATING -> AGGREGATED once, or FAILED with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from the_alchemiser.aggregator_v2.merge import Merged, answers_of, conclude
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import (
    Message,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    message_id,
)
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, Move, Run, RunItem, RunState, RunStore

MODULE = "aggregator_v2"


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Merges a run's answers; `now` is the wall clock, UTC."""

    runs: RunStore
    now: Callable[[], datetime]

    def handle(self, answer: StrategyEvaluated | StrategyFailed) -> Reaction:
        """Record the answer, and conclude the run when this one settles it.

        Raises:
            StateUnavailableError: the run cannot be seen yet.
        """
        self._load(answer.run_id)
        self.runs.put_once(answer.run_id, RunItem(f"{STRATEGY}#{answer.strategy}", outbox.encode(answer)))
        run = self._load(answer.run_id)
        if run.state is RunState.EVALUATING:
            if not self._conclude(run):
                return Reaction()
            run = self._load(answer.run_id)
        return self._owed(run)

    def _load(self, run_id: str) -> Run:
        run = self.runs.load(run_id)
        if run is None:
            raise StateUnavailableError(f"there is no run {run_id}")
        return run

    def _conclude(self, run: Run) -> bool:
        """Whether this worker made the move; False also while answers are missing."""
        match conclude(run):
            case None:
                return False
            case Failure() as failure:
                return self.runs.move(run.run_id, self._failing(run, failure))
            case Merged() as merged:
                signal = _signal(run, merged)
                self.runs.put_once(run.run_id, RunItem(SIGNAL, outbox.encode(signal)))
                return self.runs.move(run.run_id, self._aggregating(signal))

    def _aggregating(self, signal: SignalGenerated) -> Move:
        at = self.now()
        return Move(
            leaving=RunState.EVALUATING,
            entering=RunState.AGGREGATED,
            by=MODULE,
            at=at,
            deadline_at=deadline(RunState.AGGREGATED, at),
            outbox=(signal,),
        )

    def _failing(self, run: Run, failure: Failure) -> Move:
        last = _last_answer(run)
        return failing_move(
            run, failure, by=MODULE, at=self.now(), occurred_at=last.occurred_at, caused_by=last.message_id
        )

    def _owed(self, run: Run) -> Reaction:
        if run.sent or run.state not in (RunState.AGGREGATED, RunState.FAILED):
            return Reaction()
        return Reaction(run.outbox, published=lambda: self.runs.mark_sent(run.run_id, state=run.state))


def _signal(run: Run, merged: Merged) -> SignalGenerated:
    last = _last_answer(run)
    return SignalGenerated(
        message_id=message_id(run.run_id, SignalGenerated),
        run_id=run.run_id,
        caused_by=last.message_id,
        occurred_at=last.occurred_at,
        weights=merged.weights,
        contributions=merged.contributions,
        closes=merged.closes,
        as_of=merged.as_of,
    )


def _last_answer(run: Run) -> Message:
    # By business time, not by arrival: whoever concludes the run says the same.
    return max(answers_of(run).values(), key=lambda answer: (answer.occurred_at, answer.message_id))
