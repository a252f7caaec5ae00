"""Simulate the sessions of a backtest by the rules of the deployed system: plan, release, fill, value. Pure.

The product's own code makes every decision: the plan, the release of its phases, the limits of an order, the
attribution of a fill. Only the broker is simulated. A trade fills completely at the price of the fill model, its cash
is rounded half-up to the cent, and a buy that costs more than the cash is refused. If the fill model is more expensive
than the release of the buys allows for, the buys are scaled down further, to what the cash can pay.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from desk.backtest.fills import FillModel
from desk.backtest.signals import Signal
from the_alchemiser.execution_v2.limits import Limits, Proposal, refuse_order
from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan, symbols_of
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.ledger.attribution import attribute, cash_of
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision, trade_id
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.values import Side
from the_alchemiser.trade_aggregator.release import (
    PRICE_CUSHION,
    DayLimits,
    DayUse,
    release_buys,
    release_sells,
    spendable,
)

CENT = Decimal("0.01")
_ZERO = Decimal(0)
_STAGE = "backtest"


class Terms(NamedTuple):
    """The terms of a backtest.

    Attributes:
        capital: starting cash in USD.
        rules: rules of the rebalance plan.
        limits: limits of an order; the default is the default of the deployed system.
    """

    capital: Decimal
    fills: FillModel
    rules: Rules = Rules()
    limits: Limits = Limits(price_distance=Decimal("0.25"))


class Trade(NamedTuple):
    """A filled trade.

    Attributes:
        quantity: shares, positive.
        price: USD per share.
        cash: USD received, negative for a buy.
        attribution: signed shares by strategy.
    """

    day: date
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    cash: Decimal
    reason: str
    attribution: Mapping[str, Decimal]

    @property
    def notional(self) -> Decimal:
        """Return the USD traded."""
        return abs(self.cash)


class RefusedTrade(NamedTuple):
    """A planned trade that was refused, with a reason code and a detail in words."""

    day: date
    symbol: str
    side: Side
    quantity: Decimal
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class BacktestDay:
    """The result of one session.

    Attributes:
        equity_before: USD at the session's prices, before trading.
        equity: USD after trading, cash included.
        cash: USD after trading.
        values: USD value of each position after trading, in whole cents.
        holdings: shares of each position after trading.
    """

    signal: Signal
    trades: tuple[Trade, ...]
    refused: tuple[RefusedTrade, ...]
    equity_before: Decimal
    equity: Decimal
    cash: Decimal
    values: Mapping[str, Decimal]
    holdings: Mapping[str, Decimal]

    @property
    def date(self) -> date:
        """Return the date of the session."""
        return self.signal.session.day


def simulate(signals: Iterable[Signal], terms: Terms) -> Iterator[BacktestDay]:
    """Trade the signals one session after another, starting with cash only.

    Raises:
        NoBarError: a symbol that is held or targeted has no price on a day.
    """
    account = _Account(terms)
    for signal in signals:
        yield account.trade(signal)


@dataclass(slots=True)
class _Account:
    """The only mutable state of a backtest: cash, shares by symbol, and their attribution to strategies."""

    terms: Terms
    cash: Decimal = field(init=False)
    shares: dict[str, Decimal] = field(default_factory=dict)
    attributed: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cash = self.terms.capital

    def trade(self, signal: Signal) -> BacktestDay:
        """Trade one session: make the plan, then fill the sells, then the buys that the cash allows."""
        day = signal.session.day
        before = self.cash + sum(self._values(day).values(), _ZERO)
        planned = self._plan(signal, before)

        # The sells come first: their proceeds pay for the buys.
        sells = release_sells(planned, limits=DayLimits(), used=DayUse())
        results = list(self._fill_orders(planned, Side.SELL, sells, day))

        budget = self._payable(planned, spendable(_broker_account(self.cash, before), planned), day)
        buys = release_buys(planned, budget, limits=DayLimits(), used=DayUse())
        results += self._fill_orders(planned, Side.BUY, buys, day)

        values = self._values(day)
        return BacktestDay(
            signal=signal,
            trades=tuple(result for result in results if isinstance(result, Trade)),
            refused=tuple(result for result in results if isinstance(result, RefusedTrade)),
            equity_before=before,
            equity=self.cash + sum(values.values(), _ZERO),
            cash=self.cash,
            values=values,
            holdings=dict(sorted(self.shares.items())),
        )

    def _values(self, day: date) -> Mapping[str, Decimal]:
        fills = self.terms.fills
        return {
            symbol: (quantity * fills.planning_price(symbol, day)).quantize(CENT, ROUND_HALF_UP)
            for symbol, quantity in sorted(self.shares.items())
        }

    def _plan(self, signal: Signal, equity: Decimal) -> RebalancePlan:
        target = Target(signal.merged.weights, signal.merged.contributions)
        held = {symbol: Holding(quantity, quantity) for symbol, quantity in self.shares.items()}
        instruments = {symbol: self._instrument(symbol, signal) for symbol in symbols_of(target, held)}
        portfolio = Portfolio(equity, self.cash, held, self.attributed)
        return plan(f"{_STAGE}-{signal.session.day}", target, portfolio, instruments, self.terms.rules)

    def _instrument(self, symbol: str, signal: Signal) -> Instrument:
        fills, session = self.terms.fills, signal.session
        close = signal.merged.closes.get(symbol) or fills.planning_price(symbol, session.as_of)
        return Instrument(fills.planning_price(symbol, session.day), close)

    def _payable(self, planned: RebalancePlan, available: Decimal, day: date) -> Decimal:
        """Return the USD to scale the buys to: less than available if fills cost more than the release allows for."""
        buys = planned.trades(Side.BUY)
        allowed = sum((buy.quantity * buy.price for buy in buys), _ZERO) * (1 + PRICE_CUSHION)
        cost = sum((buy.quantity * self.terms.fills.fill_price(buy.symbol, Side.BUY, day) for buy in buys), _ZERO)
        if cost <= allowed:
            return available
        # Rounding adds less than a cent per order.
        return max(available - CENT * len(buys), _ZERO) * allowed / cost

    def _fill_orders(
        self, planned: RebalancePlan, side: Side, release: Release, day: date
    ) -> Iterator[Trade | RefusedTrade]:
        for decision in planned.trades(side):
            trade = trade_id(planned.run_id, side, decision.symbol)
            refusal = release.refused.get(trade)
            if refusal is not None:
                yield RefusedTrade(day, decision.symbol, side, decision.quantity, refusal.reason, refusal.detail)
            else:
                yield self._fill_order(decision, side, release.quantities[trade], day)

    def _fill_order(self, decision: TradeDecision, side: Side, quantity: Decimal, day: date) -> Trade | RefusedTrade:
        symbol = decision.symbol
        price = self.terms.fills.fill_price(symbol, side, day)
        cash = cash_of(side, quantity, price)
        refusal = refuse_order(Proposal(symbol, quantity, price, decision.last_close), self.terms.limits)
        if refusal is not None:
            return RefusedTrade(day, symbol, side, quantity, refusal.reason, refusal.detail)
        if self.cash + cash < 0:
            detail = f"${-cash:,.2f} needed, ${self.cash:,.2f} available"
            return RefusedTrade(day, symbol, side, quantity, "insufficient_buying_power", detail)

        signed = quantity if side is Side.BUY else -quantity
        attribution = attribute(signed, before=_ZERO, ordered=signed, deltas=decision.deltas)
        self._book(symbol, signed, cash, attribution)
        return Trade(day, symbol, side, quantity, price, cash, decision.reason, attribution)

    def _book(self, symbol: str, signed: Decimal, cash: Decimal, attribution: Mapping[str, Decimal]) -> None:
        self.cash += cash
        _add(self.shares, symbol, signed)
        for strategy, part in attribution.items():
            _add(self.attributed.setdefault(strategy, {}), symbol, part)


def _add(shares: dict[str, Decimal], symbol: str, signed: Decimal) -> None:
    """Add to a position, and remove it when no shares are left."""
    quantity = shares.get(symbol, _ZERO) + signed
    if quantity:
        shares[symbol] = quantity
    else:
        del shares[symbol]


def _broker_account(cash: Decimal, equity: Decimal) -> Account:
    """Return the cash account that the broker would report."""
    return Account(_STAGE, "ACTIVE", cash, equity, equity, cash, Decimal(1), trading_blocked=False)
