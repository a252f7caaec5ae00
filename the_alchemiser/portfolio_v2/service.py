"""Plans the rebalance of a signal, stores the plan and publishes it: AGGREGATED -> PLANNED, once."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from the_alchemiser.portfolio_v2.planning import Sources, compute_plan
from the_alchemiser.portfolio_v2.rebalance import Rules
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.messaging.messages import RebalancePlanned, SignalGenerated, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.plan import RebalancePlan, trade_id
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import PLAN, Move, Run, RunItem, RunState, RunStore
from the_alchemiser.shared.run.stored_runs import load_run, outbox_reaction
from the_alchemiser.shared.values import Side

MODULE = "portfolio_v2"
PLAN_BYTES_AT_MOST = 280_000
"""The table takes items of 400 kB. A phase stores its trades in one item, which may be 110 kB larger than the plan."""


class PlanTooLargeError(AlchemiserError):
    """The trades of the plan may not fit into the Runs table: selling could succeed, and buying not."""


class Planner(Frozen):
    """Plans runs. `now` returns the wall clock, UTC."""

    runs: RunStore
    sources: Sources
    rules: Rules
    now: Callable[[], datetime]

    def handle(self, signal: SignalGenerated) -> Reaction:
        """Plan the run unless it is planned already, and publish the plan until it is marked as sent.

        An error that is not retryable fails the run.

        Raises:
            AlchemiserError: a retryable one; nothing was planned.
        """
        run = load_run(self.runs, signal.run_id)
        if run.state is RunState.EVALUATING:
            raise StateUnavailableError(f"{signal.run_id} is still {run.state}")

        if run.state is RunState.AGGREGATED:
            if not self.runs.move(run.run_id, self._move(run, signal)):
                return Reaction()  # another worker made the move and publishes
            run = load_run(self.runs, signal.run_id)

        if run.state not in (RunState.PLANNED, RunState.FAILED):
            return Reaction()
        return outbox_reaction(self.runs, run)

    def give_up(self, signal: SignalGenerated, error: Exception) -> Reaction:
        """Fail the run with the error of the last receive, so that the mail names it instead of a missed deadline.

        Raises:
            Exception: the error itself, when it has no name, or the run does not wait for its plan.
        """
        run = load_run(self.runs, signal.run_id)
        if run.state is not RunState.AGGREGATED or not isinstance(error, AlchemiserError):
            raise error
        if not self.runs.move(run.run_id, self._failing(run, signal, error)):
            return Reaction()  # another worker made a move and publishes
        return outbox_reaction(self.runs, load_run(self.runs, signal.run_id))

    def _move(self, run: Run, signal: SignalGenerated) -> Move:
        try:
            return self._planning(plan_of(run) or self._store(run, signal), signal)
        except AlchemiserError as error:
            if error.retryable:
                raise
            return self._failing(run, signal, error)

    def _planning(self, plan: RebalancePlan, signal: SignalGenerated) -> Move:
        at = self.now()
        business_time = self.sources.broker.clock().timestamp.astimezone(UTC)
        return Move(
            leaving=RunState.AGGREGATED,
            entering=RunState.PLANNED,
            by=MODULE,
            at=at,
            deadline_at=deadline(RunState.PLANNED, at),
            outbox=(rebalance_planned(plan, caused_by=signal.message_id, at=business_time),),
        )

    def _failing(self, run: Run, signal: SignalGenerated, error: AlchemiserError) -> Move:
        return failing_move(
            run,
            Failure(reason=error.reason, detail=str(error)),
            by=MODULE,
            at=self.now(),
            occurred_at=signal.occurred_at,
            caused_by=signal.message_id,
        )

    def _store(self, run: Run, signal: SignalGenerated) -> RebalancePlan:
        """Compute and store the plan; return the one that was stored first."""
        plan = compute_plan(run, signal, self.sources, self.rules)
        body = plan.to_content()
        check_size(body)
        # Two workers may compute two plans at two prices. Only the first one stored is ever traded.
        if self.runs.put_once(signal.run_id, RunItem(PLAN, body)):
            return plan
        first = plan_of(load_run(self.runs, signal.run_id))
        if first is None:
            raise StateUnavailableError(f"{signal.run_id}: the plan that was stored first is not visible yet")
        return first


def check_size(body: Mapping[str, Any]) -> None:
    """Check that a plan, and later its trades, can be stored.

    Args:
        body: the plan as JSON values.

    Raises:
        PlanTooLargeError: they may be too large.
    """
    size_bytes = len(json.dumps(body))
    if size_bytes > PLAN_BYTES_AT_MOST:
        raise PlanTooLargeError(f"the plan has {size_bytes:,} bytes; at most {PLAN_BYTES_AT_MOST:,} are allowed")


def rebalance_planned(plan: RebalancePlan, *, caused_by: str, at: datetime) -> RebalancePlanned:
    """Return the message that announces a plan: its trades, by id."""
    return RebalancePlanned(
        **envelope(RebalancePlanned, plan.run_id, occurred_at=at, caused_by=caused_by),
        sells=_trade_ids(plan, Side.SELL),
        buys=_trade_ids(plan, Side.BUY),
        equity=plan.equity,
    )


def _trade_ids(plan: RebalancePlan, side: Side) -> tuple[str, ...]:
    return tuple(trade_id(plan.run_id, side, decision.symbol) for decision in plan.trades(side))
