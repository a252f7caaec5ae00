"""Advances a planned run: releases the trades of its phases, records their outcomes, and completes it.

PLANNED -> SELLING -> BUYING -> COMPLETED, empty phases skipped. Every message is handled alike: record what it reports,
then advance the run as far as possible. The broker's answers at a release are stored with the move, so a repeated
release sends the stored trades and asks nothing again.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.models import Account, Position
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Message, RebalancePlanned, TradeExecuted, TradeFailed, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.progress import Release, missing, plan_of, releases_of
from the_alchemiser.shared.run.runs import TRADE, Move, Run, RunItem, RunState, RunStore, runs_of_day
from the_alchemiser.shared.run.stored_runs import load_run, outbox_reaction
from the_alchemiser.shared.values import Clock, Refusal, Side
from the_alchemiser.trade_aggregator.actions import Action, next_action, unrecorded_refusals
from the_alchemiser.trade_aggregator.outcomes import Closing, run_completed
from the_alchemiser.trade_aggregator.release import (
    DayLimits,
    DayUse,
    day_use,
    release_buys,
    release_nothing,
    release_sells,
    spendable,
    trades_to_send,
)
from the_alchemiser.trade_aggregator.time_needed import Pace, refuse_late

MODULE = "trade_aggregator"


class Brokerage(Protocol):
    """The broker, as this module needs it: read only."""

    def account(self) -> Account: ...
    def clock(self) -> Clock: ...
    def positions(self) -> tuple[Position, ...]: ...


class TradeAggregator(Frozen):
    """Releases phases and completes runs.

    Attributes:
        now: returns the wall clock, UTC.
        account: the number of the account that the environment trades; empty for any.
    """

    runs: RunStore
    broker: Brokerage
    limits: DayLimits
    pace: Pace
    now: Callable[[], datetime]
    account: str = ""

    def handle_plan(self, planned: RebalancePlanned) -> Reaction:
        """Advance the run from its plan as far as possible.

        Raises:
            AlchemiserError: a retryable one; the next attempt continues.
        """
        return self._advance(planned)

    def handle_outcome(self, outcome: TradeExecuted | TradeFailed) -> Reaction:
        """Record the outcome, whatever the run's state, and advance the run as far as possible.

        Raises:
            AlchemiserError: a retryable one; the next attempt continues.
        """
        load_run(self.runs, outcome.run_id)
        # Recorded before the run is read: of two workers with the last two outcomes, at least one sees both.
        self.runs.put_once(outcome.run_id, RunItem(f"{TRADE}#{outcome.trade_id}", outbox.encode(outcome)))
        return self._advance(outcome)

    def _advance(self, cause: Message) -> Reaction:
        while True:
            run = load_run(self.runs, cause.run_id)
            match next_action(run):
                case Action.WAIT:
                    return Reaction()
                case Action.PUBLISH_UNSENT:
                    return outbox_reaction(self.runs, run)
                case Action.NOT_PLANNED:
                    raise StateUnavailableError(f"{run.run_id} is still {run.state}")
                case Action.RECORD_REFUSED:
                    self._record_refused(run, cause)
                case action:
                    # The move stores the trades it releases. Of two workers one wins and sends them: each phase is
                    # released once.
                    if not self.runs.move(run.run_id, self._move(run, action, cause)):
                        return Reaction()  # another worker made the move and publishes

    def _move(self, run: Run, action: Action, cause: Message) -> Move:
        try:
            plan = _plan(run)
            match action:
                case Action.RELEASE_SELLS:
                    return self._release(run, plan, Side.SELL, cause)
                case Action.RELEASE_BUYS:
                    return self._release(run, plan, Side.BUY, cause)
                case _:
                    return self._complete(run, plan, cause)
        except AlchemiserError as error:
            if error.retryable:
                raise
            return self._fail(run, error, cause)

    def _release(self, run: Run, plan: RebalancePlan, side: Side, cause: Message) -> Move:
        clock = self.broker.clock()
        release = self._refuse_late(run, plan, side, clock) or self._within_limits(run, plan, side)
        at = clock.timestamp.astimezone(UTC)
        trades = trades_to_send(plan, side, release, caused_by=cause.message_id, at=at)
        entering = RunState.SELLING if side is Side.SELL else RunState.BUYING
        return self._moving(run, entering, trades, release=release)

    def _refuse_late(self, run: Run, plan: RebalancePlan, side: Side, clock: Clock) -> Release | None:
        """Refuse every trade that is still to come, unless there is time for all of them."""
        sells, buys = plan.trades(Side.SELL), plan.trades(Side.BUY)
        is_selling = side is Side.SELL
        # What is sold must be bought back the same day: the money of a release that cannot finish would stay in cash.
        phases = (len(sells), len(buys)) if is_selling else (len(buys),)
        refusal = refuse_late(phases, clock, run.trading_date, self.pace)
        if refusal is None:
            return None
        coming = (
            trade_id for trade_id, decision in plan.by_trade_id().items() if is_selling or decision.side is Side.BUY
        )
        return release_nothing(coming, refusal)

    def _within_limits(self, run: Run, plan: RebalancePlan, side: Side) -> Release:
        used = day_use(runs_of_day(self.runs, run.stage, run.trading_date)) if self.limits.are_set else DayUse()
        if side is Side.SELL:
            return release_sells(plan, limits=self.limits, used=used)
        account = self.broker.account()
        require_account(account, self.account)
        return release_buys(plan, spendable(account, plan), limits=self.limits, used=used)

    def _complete(self, run: Run, plan: RebalancePlan, cause: Message) -> Move:
        at = self.broker.clock().timestamp.astimezone(UTC)
        closing = Closing(self.broker.account(), self.broker.positions(), at)
        result = run_completed(run, plan, closing, caused_by=cause.message_id)
        return self._moving(run, RunState.COMPLETED, (result,))

    def _fail(self, run: Run, error: AlchemiserError, cause: Message) -> Move:
        return failing_move(
            run,
            Failure(reason=error.reason, detail=str(error), missing=missing(run)),
            by=MODULE,
            at=self.now(),
            occurred_at=cause.occurred_at,
            caused_by=cause.message_id,
        )

    def _moving(
        self, run: Run, entering: RunState, messages: tuple[Message, ...], *, release: Release | None = None
    ) -> Move:
        at = self.now()
        return Move(
            leaving=run.state,
            entering=entering,
            by=MODULE,
            at=at,
            deadline_at=deadline(entering, at),
            payload=None if release is None else release.to_content(),
            outbox=messages,
        )

    def _record_refused(self, run: Run, cause: Message) -> None:
        decisions = _plan(run).by_trade_id()
        refusals: dict[str, Refusal] = {}
        for release in releases_of(run):
            refusals.update(release.refused)

        for trade_id in unrecorded_refusals(run):
            failed = _trade_failed(run, trade_id, decisions[trade_id], refusals[trade_id], cause)
            self.runs.put_once(run.run_id, RunItem(f"{TRADE}#{trade_id}", outbox.encode(failed)))


def _plan(run: Run) -> RebalancePlan:
    plan = plan_of(run)
    if plan is None:
        raise StateUnavailableError(f"{run.run_id} is {run.state}, but its plan is not visible yet")
    return plan


def _trade_failed(run: Run, trade_id: str, decision: TradeDecision, refusal: Refusal, cause: Message) -> TradeFailed:
    return TradeFailed(
        **envelope(TradeFailed, run.run_id, trade_id, occurred_at=cause.occurred_at, caused_by=cause.message_id),
        trade_id=trade_id,
        symbol=decision.symbol,
        side=Side.SELL if decision.side is Side.SELL else Side.BUY,
        quantity=decision.quantity,
        reason=refusal.reason,
        detail=refusal.detail,
    )
