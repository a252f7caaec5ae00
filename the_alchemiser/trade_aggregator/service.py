"""A plan and the outcomes of its trades in; the phases' trades and the day's result out.

PLANNED -> SELLING -> BUYING -> COMPLETED, empty phases skipped. Every event does the same: record what it says, then
take the run as far as it goes. What the broker is asked at a release is stored with the move and never asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.models import Account, Clock, Position
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import (
    Message,
    RebalancePlanned,
    Side,
    TradeExecuted,
    TradeFailed,
    message_id,
)
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.progress import Refusal, Release, missing, plan_of, releases_of
from the_alchemiser.shared.run.runs import TRADE, Move, Run, RunItem, RunState, RunStore, runs_of_day
from the_alchemiser.trade_aggregator.actions import Action, next_action, unrecorded_refusals
from the_alchemiser.trade_aggregator.outcomes import Closing, run_completed
from the_alchemiser.trade_aggregator.release import (
    DayLimits,
    DayUse,
    day_use,
    release_buys,
    release_sells,
    spendable,
    trades_to_send,
)

MODULE = "trade_aggregator"


class Brokerage(Protocol):
    """What is read from the broker; nothing is changed there."""

    def account(self) -> Account: ...
    def clock(self) -> Clock: ...
    def positions(self) -> tuple[Position, ...]: ...


@dataclass(frozen=True, slots=True)
class TradeAggregator:
    """Releases phases and closes runs; `now` is the wall clock, UTC."""

    runs: RunStore
    broker: Brokerage
    limits: DayLimits
    now: Callable[[], datetime]

    def handle_plan(self, planned: RebalancePlanned) -> Reaction:
        """Take the run from its plan as far as it goes."""
        return self._converge(planned)

    def handle_outcome(self, outcome: TradeExecuted | TradeFailed) -> Reaction:
        """Record the outcome, whatever the run's state, and take the run as far as it goes."""
        self._load(outcome.run_id)
        self.runs.put_once(outcome.run_id, RunItem(f"{TRADE}#{outcome.trade_id}", outbox.encode(outcome)))
        return self._converge(outcome)

    def _load(self, run_id: str) -> Run:
        run = self.runs.load(run_id)
        if run is None:
            raise StateUnavailableError(f"there is no run {run_id}")
        return run

    def _converge(self, cause: Message) -> Reaction:
        while True:
            run = self._load(cause.run_id)
            match next_action(run):
                case Action.WAIT:
                    return Reaction()
                case Action.TELL_AGAIN:
                    return self._owed(run)
                case Action.NOT_PLANNED:
                    raise StateUnavailableError(f"{run.run_id} is still {run.state}")
                case Action.RECORD_REFUSED:
                    self._record_refused(run, cause)
                case action:
                    if not self.runs.move(run.run_id, self._move(run, action, cause)):
                        return Reaction()  # the other worker saw the same and tells

    def _owed(self, run: Run) -> Reaction:
        return Reaction(run.outbox, published=lambda: self.runs.mark_sent(run.run_id, state=run.state))

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
        used = day_use(runs_of_day(self.runs, run.stage, run.trading_date)) if self.limits.are_set else DayUse()
        if side is Side.SELL:
            release = release_sells(plan, limits=self.limits, used=used)
        else:
            money = spendable(self.broker.account(), plan)
            release = release_buys(plan, money, limits=self.limits, used=used)
        trades = trades_to_send(plan, side, release, caused_by=cause.message_id, at=self._business_time())
        entering = RunState.SELLING if side is Side.SELL else RunState.BUYING
        return self._moving(run, entering, trades, release=release)

    def _complete(self, run: Run, plan: RebalancePlan, cause: Message) -> Move:
        closing = Closing(self.broker.account(), self.broker.positions(), self._business_time())
        told = run_completed(run, plan, closing, caused_by=cause.message_id)
        return self._moving(run, RunState.COMPLETED, (told,))

    def _fail(self, run: Run, error: AlchemiserError, cause: Message) -> Move:
        reason = error.reason if isinstance(error, BrokerError) else type(error).__name__
        return failing_move(
            run,
            Failure(reason, str(error), missing(run)),
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
            payload=None if release is None else release.model_dump(mode="json"),
            outbox=messages,
        )

    def _record_refused(self, run: Run, cause: Message) -> None:
        decisions = _plan(run).by_trade_id()
        refusals = {trade: why for release in releases_of(run) for trade, why in release.refused.items()}
        for trade in unrecorded_refusals(run):
            refused = _refused(run, trade, decisions[trade], refusals[trade], cause)
            self.runs.put_once(run.run_id, RunItem(f"{TRADE}#{trade}", outbox.encode(refused)))

    def _business_time(self) -> datetime:
        return self.broker.clock().timestamp.astimezone(UTC)


def _plan(run: Run) -> RebalancePlan:
    plan = plan_of(run)
    if plan is None:
        raise StateUnavailableError(f"{run.run_id} is {run.state}, and its plan cannot be seen")
    return plan


def _refused(run: Run, trade: str, decision: TradeDecision, why: Refusal, cause: Message) -> TradeFailed:
    return TradeFailed(
        message_id=message_id(run.run_id, TradeFailed, trade),
        run_id=run.run_id,
        caused_by=cause.message_id,
        occurred_at=cause.occurred_at,
        trade_id=trade,
        symbol=decision.symbol,
        side=Side.SELL if decision.side is Side.SELL else Side.BUY,
        quantity=decision.quantity,
        reason=why.reason,
        detail=why.detail,
    )
