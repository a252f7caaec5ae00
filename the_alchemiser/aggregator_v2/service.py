"""Merges the strategies' answers into one signal: EVALUATING -> AGGREGATED once, or FAILED with the reason."""

from collections.abc import Callable
from datetime import datetime

from the_alchemiser.aggregator_v2.merge import Merged, answers_of, conclude
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Message,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    envelope,
)
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, Move, Run, RunItem, RunState, RunStore
from the_alchemiser.shared.run.stored_runs import load_run, outbox_reaction

MODULE = "aggregator_v2"


class Aggregator(Frozen):
    """Merges the answers of a run's strategies; `now` returns the wall clock, UTC."""

    runs: RunStore
    now: Callable[[], datetime]

    def handle(self, answer: StrategyEvaluated | StrategyFailed) -> Reaction:
        """Record the answer, and conclude the run if this answer settles it.

        Raises:
            StateUnavailableError: the run is not visible yet.
        """
        load_run(self.runs, answer.run_id)
        # The first answer of a strategy counts. It is recorded before the run is read, so of two workers with the
        # last two answers at least one reads both.
        self.runs.put_once(answer.run_id, RunItem(f"{STRATEGY}#{answer.strategy}", outbox.encode(answer)))
        run = load_run(self.runs, answer.run_id)

        if run.state is RunState.EVALUATING:
            if not self._conclude(run):
                return Reaction()
            run = load_run(self.runs, answer.run_id)

        if run.state not in (RunState.AGGREGATED, RunState.FAILED):
            return Reaction()
        return outbox_reaction(self.runs, run)

    def _conclude(self, run: Run) -> bool:
        """Return whether this worker moved the run; False also while answers are missing."""
        match conclude(run):
            case None:
                return False
            case Failure() as failure:
                return self.runs.move(run.run_id, self._failing(run, failure))
            case Merged() as merged:
                signal = _signal(run, merged)
                # Stored before the move: every reader of an AGGREGATED run finds its signal.
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


def _signal(run: Run, merged: Merged) -> SignalGenerated:
    last = _last_answer(run)
    return SignalGenerated(
        **envelope(SignalGenerated, run.run_id, occurred_at=last.occurred_at, caused_by=last.message_id),
        weights=merged.weights,
        contributions=merged.contributions,
        closes=merged.closes,
        as_of=merged.as_of,
        cash=merged.cash,
    )


def _last_answer(run: Run) -> Message:
    # By business time, not by arrival: every worker that concludes the run publishes the same message.
    return max(answers_of(run).values(), key=lambda answer: (answer.occurred_at, answer.message_id))
