"""Plans the rebalance of a signal, stores the plan and publishes it: AGGREGATED -> PLANNED, once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan, symbols_of
from the_alchemiser.shared.broker.errors import AssetNotFoundError
from the_alchemiser.shared.broker.models import Account, Asset, Position, Trade
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry, holdings
from the_alchemiser.shared.messaging.messages import RebalancePlanned, SignalGenerated, envelope
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.plan import RebalancePlan, trade_id
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import PLAN, Move, Run, RunItem, RunState, RunStore
from the_alchemiser.shared.run.stored_runs import load_run, outbox_reaction
from the_alchemiser.shared.values import Clock, Side

MODULE = "portfolio_v2"


class AccountBlockedError(AlchemiserError):
    """The broker has blocked trading on the account: a person must act."""


class Brokerage(Protocol):
    """The broker, as planning needs it: read only."""

    def account(self) -> Account: ...
    def clock(self) -> Clock: ...
    def positions(self) -> tuple[Position, ...]: ...
    def asset(self, symbol: str) -> Asset: ...
    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]: ...


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans runs. `now` returns the wall clock, UTC."""

    runs: RunStore
    ledger: Ledger
    broker: Brokerage
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

    def _move(self, run: Run, signal: SignalGenerated) -> Move:
        try:
            return self._planning(plan_of(run) or self._store(signal), signal)
        except AlchemiserError as error:
            if error.retryable:
                raise
            return self._failing(run, signal, error)

    def _planning(self, plan: RebalancePlan, signal: SignalGenerated) -> Move:
        at = self.now()
        business_time = self.broker.clock().timestamp.astimezone(UTC)
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

    def _store(self, signal: SignalGenerated) -> RebalancePlan:
        """Compute and store the plan; return the one that was stored first."""
        plan = self._compute(signal)
        # Two workers may compute two plans at two prices. Only the first one stored is ever traded.
        if self.runs.put_once(signal.run_id, RunItem(PLAN, plan.model_dump(mode="json"))):
            return plan
        first = plan_of(load_run(self.runs, signal.run_id))
        if first is None:
            raise StateUnavailableError(f"{signal.run_id}: the plan that was stored first is not visible yet")
        return first

    def _compute(self, signal: SignalGenerated) -> RebalancePlan:
        account = self.broker.account()
        if account.trading_blocked:
            raise AccountBlockedError(f"the broker blocks trading on account {account.id} ({account.status})")

        positions = {position.symbol: position for position in self.broker.positions()}
        held = {symbol: Holding(position.quantity, position.available) for symbol, position in positions.items()}
        target = Target(signal.weights, signal.contributions)
        symbols = symbols_of(target, held)
        portfolio = Portfolio(account.equity, account.cash, held, holdings(self._ledger_entries(symbols)))

        return plan(signal.run_id, target, portfolio, self._instruments(symbols, positions, signal), self.rules)

    def _ledger_entries(self, symbols: Iterable[str]) -> list[LedgerEntry]:
        entries: list[LedgerEntry] = []
        for symbol in symbols:
            entries.extend(self.ledger.entries_of(symbol))
        return entries

    def _instruments(
        self, symbols: tuple[str, ...], positions: Mapping[str, Position], signal: SignalGenerated
    ) -> Mapping[str, Instrument]:
        """Return an instrument per symbol; a symbol without any price is left out."""
        trades = self.broker.latest_trades(symbols)
        instruments: dict[str, Instrument] = {}
        for symbol in symbols:
            position = positions.get(symbol)
            price = _price(trades.get(symbol), position)
            if price is not None:
                last_close = signal.closes.get(symbol) or _close(position, price)
                instruments[symbol] = self._instrument(symbol, price, last_close)
        return instruments

    def _instrument(self, symbol: str, price: Decimal, last_close: Decimal) -> Instrument:
        try:
            asset = self.broker.asset(symbol)
        except AssetNotFoundError:
            return Instrument(price, last_close, is_tradable=False, is_fractionable=False)
        return Instrument(price, last_close, is_tradable=asset.tradable, is_fractionable=asset.fractionable)


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


def _price(trade: Trade | None, position: Position | None) -> Decimal | None:
    """Return the latest trade's price, or the position's; None when the broker has neither."""
    if trade is not None:
        return trade.price
    return None if position is None else position.current_price


def _close(position: Position | None, price: Decimal) -> Decimal:
    """Return the position's last close, or the price when the broker has no last close."""
    if position is None or position.last_close is None:
        return price
    return position.last_close
