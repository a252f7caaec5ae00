"""The days of a backtest: plan, release, fill, value, all by the rules of the deployed system. Pure.

What decides is the product's own code: the plan, the release of its phases, the limits of an order, the attribution of
a fill. What is simulated is the broker: a trade fills whole at the price of the fill model, and its cash is rounded
half-up to the cent; a buy that costs more than there is is refused. Only where the fill model is dearer than the
release of the buys allows for, the buys are scaled down further, to what can be paid.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from desk.backtest.fills import FillModel
from desk.backtest.signals import Signal, Turn
from the_alchemiser.execution_v2.attribution import attribute, cash_of
from the_alchemiser.execution_v2.limits import Limits, Proposal, refuse_order
from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan, symbols_of
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.messaging.messages import Side
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision, trade_id
from the_alchemiser.shared.run.progress import Release
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
    """What a backtest trades with and by.

    Attributes:
        capital: USD to begin with.
        limits: what one order may be; by default what the deployed system's are by default.
    """

    capital: Decimal
    fills: FillModel
    rules: Rules = Rules()
    limits: Limits = Limits(price_distance=Decimal("0.25"))


class Trade(NamedTuple):
    """A trade that filled: shares, USD a share, USD that moved, and signed shares by strategy."""

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
        """USD that changed hands."""
        return abs(self.cash)


class Refused(NamedTuple):
    """A planned trade that was not made: a short code, and a sentence for people."""

    day: date
    symbol: str
    side: Side
    quantity: Decimal
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Day:
    """A session as it ended.

    Attributes:
        equity_before: USD at the session's prices, before it traded.
        equity: USD, cash included, after it traded.
        values: USD by symbol held, each in whole cents.
        holdings: shares by symbol held.
    """

    signal: Signal
    trades: tuple[Trade, ...]
    refused: tuple[Refused, ...]
    equity_before: Decimal
    equity: Decimal
    cash: Decimal
    values: Mapping[str, Decimal]
    holdings: Mapping[str, Decimal]

    @property
    def date(self) -> date:
        """The session."""
        return self.signal.turn.day


def simulate(signals: Iterable[Signal], terms: Terms) -> Iterator[Day]:
    """Trade day after day, beginning with cash alone.

    Raises:
        NoBarError: a symbol held or wanted has no price on a day.
    """
    account = _Account(terms)
    for signal in signals:
        yield account.trade(signal)


@dataclass(slots=True)
class _Account:
    """The one mutable thing: cash, shares, and whose they are."""

    terms: Terms
    cash: Decimal = field(init=False)
    shares: dict[str, Decimal] = field(default_factory=dict)
    attributed: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cash = self.terms.capital

    def trade(self, signal: Signal) -> Day:
        """One session: the plan at its prices, the sells, and the buys that what there is then allows."""
        day = signal.turn.day
        before = self.cash + sum(self._values(day).values(), _ZERO)
        planned = self._plan(signal, before)
        done: list[Trade | Refused] = []
        sells = release_sells(planned, limits=DayLimits(), used=DayUse())
        done += self._orders(planned, Side.SELL, sells, day)
        money = self._payable(planned, spendable(_account(self.cash, before), planned), day)
        buys = release_buys(planned, money, limits=DayLimits(), used=DayUse())
        done += self._orders(planned, Side.BUY, buys, day)
        values = self._values(day)
        return Day(
            signal=signal,
            trades=tuple(one for one in done if isinstance(one, Trade)),
            refused=tuple(one for one in done if isinstance(one, Refused)),
            equity_before=before,
            equity=self.cash + sum(values.values(), _ZERO),
            cash=self.cash,
            values=values,
            holdings=dict(sorted(self.shares.items())),
        )

    def _values(self, day: date) -> Mapping[str, Decimal]:
        fills = self.terms.fills
        return {
            symbol: (quantity * fills.last(symbol, day)).quantize(CENT, ROUND_HALF_UP)
            for symbol, quantity in sorted(self.shares.items())
        }

    def _plan(self, signal: Signal, equity: Decimal) -> RebalancePlan:
        target = Target(signal.merged.weights, signal.merged.contributions)
        held = {symbol: Holding(quantity, quantity) for symbol, quantity in self.shares.items()}
        instruments = {symbol: self._instrument(symbol, signal) for symbol in symbols_of(target, held)}
        portfolio = Portfolio(equity, self.cash, held, self.attributed)
        return plan(f"{_STAGE}-{signal.turn.day}", target, portfolio, instruments, self.terms.rules)

    def _instrument(self, symbol: str, signal: Signal) -> Instrument:
        fills, turn = self.terms.fills, signal.turn
        close = signal.merged.closes.get(symbol) or fills.last(symbol, turn.as_of)
        return Instrument(fills.last(symbol, turn.day), close)

    def _payable(self, planned: RebalancePlan, money: Decimal, day: date) -> Decimal:
        """What the buys are scaled to: less than there is where fills cost more than the release allows for."""
        buys = planned.trades(Side.BUY)
        allowed = sum((buy.quantity * buy.price for buy in buys), _ZERO) * (1 + PRICE_CUSHION)
        cost = sum((buy.quantity * self.terms.fills.fill(buy.symbol, Side.BUY, day) for buy in buys), _ZERO)
        if cost <= allowed:
            return money
        # Each order's cash is rounded up by less than a cent.
        return max(money - CENT * len(buys), _ZERO) * allowed / cost

    def _orders(self, planned: RebalancePlan, side: Side, release: Release, day: date) -> Iterator[Trade | Refused]:
        for decision in planned.trades(side):
            trade = trade_id(planned.run_id, side, decision.symbol)
            refusal = release.refused.get(trade)
            if refusal is not None:
                yield Refused(day, decision.symbol, side, decision.quantity, refusal.reason, refusal.detail)
            else:
                yield self._order(decision, side, release.quantities[trade], day)

    def _order(self, decision: TradeDecision, side: Side, quantity: Decimal, day: date) -> Trade | Refused:
        symbol, price = decision.symbol, self.terms.fills.fill(decision.symbol, side, day)
        cash = cash_of(side, quantity, price)
        refusal = refuse_order(Proposal(symbol, quantity, price, decision.last_close), self.terms.limits)
        if refusal is not None:
            return Refused(day, symbol, side, quantity, refusal.reason, refusal.detail)
        if self.cash + cash < 0:
            detail = f"${-cash:,.2f} needed, ${self.cash:,.2f} there"
            return Refused(day, symbol, side, quantity, "insufficient_buying_power", detail)
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
    """Add to a holding; one that comes to nothing is gone."""
    after = shares.get(symbol, _ZERO) + signed
    if after:
        shares[symbol] = after
    else:
        del shares[symbol]


def _account(cash: Decimal, equity: Decimal) -> Account:
    """A cash account, as the broker would tell it."""
    return Account(_STAGE, "ACTIVE", cash, equity, equity, cash, Decimal(1), trading_blocked=False)


def turns_of(sessions: Iterable[date], before: date) -> tuple[Turn, ...]:
    """Each session with the one before it; `before` is that of the first."""
    turns: list[Turn] = []
    for session in sessions:
        turns.append(Turn(session, turns[-1].day if turns else before))
    return tuple(turns)
