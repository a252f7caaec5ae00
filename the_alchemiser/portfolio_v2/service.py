"""SignalGenerated in, a stored plan and RebalancePlanned out: AGGREGATED -> PLANNED, once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan, symbols_of
from the_alchemiser.shared.broker.errors import AssetNotFoundError, BrokerError
from the_alchemiser.shared.broker.models import Account, Asset, Clock, Position, Trade
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.ledger.ledger import Ledger, holdings
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import RebalancePlanned, Side, SignalGenerated, message_id
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.plan import RebalancePlan, trade_id
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import PLAN, Move, Run, RunItem, RunState, RunStore

MODULE = "portfolio_v2"


class AccountBlockedError(AlchemiserError):
    """The broker has blocked trading on the account: a person must act."""

    reason: ClassVar[str] = "account_blocked"


class Brokerage(Protocol):
    """What planning reads from the broker; it changes nothing there."""

    def account(self) -> Account: ...
    def clock(self) -> Clock: ...
    def positions(self) -> tuple[Position, ...]: ...
    def asset(self, symbol: str) -> Asset: ...
    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]: ...


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans a run. `now` is the wall clock, UTC."""

    runs: RunStore
    ledger: Ledger
    broker: Brokerage
    rules: Rules
    now: Callable[[], datetime]

    def handle(self, signal: SignalGenerated) -> Reaction:
        """Plan the run, unless it is planned; tell the plan until it is told.

        What cannot be planned, today or later, fails the run.

        Raises:
            AlchemiserError: a retryable one; nothing was planned.
        """
        run = self._load(signal.run_id)
        if run.state is RunState.EVALUATING:
            raise StateUnavailableError(f"{signal.run_id} is still {run.state}")
        if run.state is RunState.AGGREGATED:
            if not self.runs.move(run.run_id, self._move(run, signal)):
                return Reaction()  # the other worker made the move and tells
            run = self._load(signal.run_id)
        return self._owed(run)

    def _load(self, run_id: str) -> Run:
        run = self.runs.load(run_id)
        if run is None:
            raise StateUnavailableError(f"there is no run {run_id}")
        return run

    def _owed(self, run: Run) -> Reaction:
        if run.sent or run.state not in (RunState.PLANNED, RunState.FAILED):
            return Reaction()
        return Reaction(run.outbox, published=lambda: self.runs.mark_sent(run.run_id, state=run.state))

    def _move(self, run: Run, signal: SignalGenerated) -> Move:
        try:
            return self._planning(plan_of(run) or self._store(signal), signal)
        except AlchemiserError as error:
            if error.retryable:
                raise
            return self._failing(run, signal, error)

    def _planning(self, plan: RebalancePlan, signal: SignalGenerated) -> Move:
        at = self.now()
        told = planned(plan, caused_by=signal.message_id, at=self.broker.clock().timestamp.astimezone(UTC))
        return Move(
            leaving=RunState.AGGREGATED,
            entering=RunState.PLANNED,
            by=MODULE,
            at=at,
            deadline_at=deadline(RunState.PLANNED, at),
            outbox=(told,),
        )

    def _failing(self, run: Run, signal: SignalGenerated, error: AlchemiserError) -> Move:
        reason = error.reason if isinstance(error, BrokerError | AccountBlockedError) else type(error).__name__
        return failing_move(
            run,
            Failure(reason, str(error)),
            by=MODULE,
            at=self.now(),
            occurred_at=signal.occurred_at,
            caused_by=signal.message_id,
        )

    def _store(self, signal: SignalGenerated) -> RebalancePlan:
        """The plan that was stored first: there is only ever one."""
        plan = self._compute(signal)
        if self.runs.put_once(signal.run_id, RunItem(PLAN, plan.model_dump(mode="json"))):
            return plan
        first = plan_of(self._load(signal.run_id))
        if first is None:
            raise StateUnavailableError(f"{signal.run_id}: the plan that was stored first cannot be seen")
        return first

    def _compute(self, signal: SignalGenerated) -> RebalancePlan:
        account = self.broker.account()
        if account.trading_blocked:
            raise AccountBlockedError(f"the broker blocks trading on account {account.id} ({account.status})")
        target = Target(signal.weights, signal.contributions)
        positions = {position.symbol: position for position in self.broker.positions()}
        held = {symbol: Holding(p.quantity, p.available) for symbol, p in positions.items()}
        symbols = symbols_of(target, held)
        entries = [entry for symbol in symbols for entry in self.ledger.entries_of(symbol)]
        portfolio = Portfolio(account.equity, account.cash, held, holdings(entries))
        return plan(signal.run_id, target, portfolio, self._instruments(symbols, positions, signal), self.rules)

    def _instruments(
        self, symbols: tuple[str, ...], positions: Mapping[str, Position], signal: SignalGenerated
    ) -> Mapping[str, Instrument]:
        trades = self.broker.latest_trades(symbols)
        quoted = {symbol: _price(trades.get(symbol), positions.get(symbol)) for symbol in symbols}
        return {
            symbol: self._instrument(symbol, price, signal.closes.get(symbol) or _close(positions.get(symbol), price))
            for symbol, price in quoted.items()
            if price is not None
        }

    def _instrument(self, symbol: str, price: Decimal, last_close: Decimal) -> Instrument:
        try:
            asset = self.broker.asset(symbol)
        except AssetNotFoundError:
            return Instrument(price, last_close, is_tradable=False, is_fractionable=False)
        return Instrument(price, last_close, is_tradable=asset.tradable, is_fractionable=asset.fractionable)


def planned(plan: RebalancePlan, *, caused_by: str, at: datetime) -> RebalancePlanned:
    """What the others are told of a plan: its trades by id."""
    return RebalancePlanned(
        message_id=message_id(plan.run_id, RebalancePlanned),
        run_id=plan.run_id,
        caused_by=caused_by,
        occurred_at=at,
        sells=_trade_ids(plan, Side.SELL),
        buys=_trade_ids(plan, Side.BUY),
        equity=plan.equity,
    )


def _trade_ids(plan: RebalancePlan, side: Side) -> tuple[str, ...]:
    return tuple(trade_id(plan.run_id, side, decision.symbol) for decision in plan.trades(side))


def _price(trade: Trade | None, position: Position | None) -> Decimal | None:
    if trade is not None:
        return trade.price
    return None if position is None else position.current_price


def _close(position: Position | None, price: Decimal) -> Decimal:
    told = None if position is None else position.last_close
    return price if told is None else told
