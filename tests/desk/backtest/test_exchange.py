"""The same decisions at the paper exchange and in a backtest: the same trades, the same money, to the cent.

The days are those of the deployed system but for the messages: the account is asked, the plan made, both phases
released and each trade sent as a limit at the touch.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from desk.backtest.parity import DayRecord, FilledTrade, differences, record_of_day
from desk.backtest.prices import load_prices
from desk.backtest.selection import select
from desk.backtest.signals import Signal, signals
from desk.backtest.simulate import Terms, simulate, turns_of
from sandbox.exchange.admission import prices_of
from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.exchange import Exchange, opening_state
from sandbox.exchange.exchange import Terms as AccountTerms
from sandbox.exchange.history import load_history
from sandbox.exchange.market import Market
from sandbox.exchange.orders import OrderRequest, OrderType, TimeInForce
from sandbox.exchange.orders import Side as OrderSide
from sandbox.run_day import HISTORY
from tests.desk.backtest.exchange_fills import ExchangeFills
from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan, symbols_of
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.messaging.messages import Side
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.trade_aggregator.release import DayLimits, DayUse, release_buys, release_sells, spendable

FIRST, LAST = date(2022, 3, 16), date(2022, 4, 12)
CAPITAL = Decimal(100_000)


@cache
def market() -> Market:
    return Market(load_history(HISTORY))


@cache
def asked() -> tuple[Signal, ...]:
    """What the book asks for, session by session."""
    candidates = select((), load_book())
    history = load_prices("", {symbol for one in candidates for symbol in one.program.symbols}).history
    days: list[date] = history.dates.tolist()
    sessions = [day for day in days if FIRST <= day <= LAST]
    turns = turns_of(sessions, days[days.index(sessions[0]) - 1])
    return tuple(signals(candidates, history, turns, decided=lambda _: None))


class Trader:
    """One account at an exchange in this process."""

    def __init__(self) -> None:
        self.exchange = Exchange(market(), opening_state(market(), AccountTerms(CAPITAL)))

    def trade(self, signal: Signal) -> DayRecord:
        day = signal.turn.day
        self.exchange.set_clock(clock_at_phase(market(), day, Phase.BEFORE_CLOSE))
        planned = self._plan(signal)
        before = len(self.exchange.account.fills)
        self._send(planned, Side.SELL, release_sells(planned, limits=DayLimits(), used=DayUse()).quantities)
        money = spendable(self._account(), planned)
        self._send(planned, Side.BUY, release_buys(planned, money, limits=DayLimits(), used=DayUse()).quantities)
        fills = self.exchange.account.fills[before:]
        trades = (FilledTrade(one.symbol, Side[one.side.name], one.qty, one.price) for one in fills)
        account = self._account()
        merged = dict(signal.merged.weights)
        answers = {name: dict(weights) for name, weights in signal.answers.items()}
        return DayRecord(day, answers, merged, tuple(sorted(trades)), account.equity, account.cash)

    def _account(self) -> Account:
        account, prices = self.exchange.account, prices_of(self.exchange.account, market(), self.exchange.now)
        equity, power = account.equity(prices), account.buying_power(prices)
        return Account("", "ACTIVE", account.cash, equity, equity, power, Decimal(1), trading_blocked=False)

    def _plan(self, signal: Signal) -> RebalancePlan:
        account = self._account()
        target = Target(signal.merged.weights, signal.merged.contributions)
        held = {symbol: Holding(one.qty, one.qty) for symbol, one in self.exchange.account.positions.items()}
        prices = {symbol: market().price(symbol, self.exchange.now) for symbol in symbols_of(target, held)}
        instruments = {symbol: Instrument(price, price) for symbol, price in prices.items() if price is not None}
        portfolio = Portfolio(account.equity, account.cash, held)
        return plan("parity", target, portfolio, instruments, Rules())

    def _send(self, planned: RebalancePlan, side: Side, quantities: Mapping[str, Decimal]) -> None:
        for trade, decision in planned.by_trade_id().items():
            quote = market().quote(decision.symbol, self.exchange.now)
            if trade in quantities and quote is not None:
                limit = quote.ask if side is Side.BUY else quote.bid
                order = OrderRequest(
                    decision.symbol,
                    OrderSide[side.name],
                    OrderType.LIMIT,
                    TimeInForce.DAY,
                    qty=quantities[trade],
                    limit_price=limit,
                )
                self.exchange.submit(order)


@pytest.fixture(scope="module")
def traded() -> Sequence[DayRecord]:
    trader = Trader()
    return [trader.trade(signal) for signal in asked()]


def backtested(capital: Decimal) -> Sequence[DayRecord]:
    return [record_of_day(day) for day in simulate(asked(), Terms(capital, ExchangeFills(market())))]


def test_backtest_of_twenty_days_is_what_the_exchange_did(traded: Sequence[DayRecord]) -> None:
    assert len(traded) == 20
    assert sum(len(record.trades) for record in traded) > 40
    assert differences(traded, backtested(CAPITAL)) == ()


def test_backtest_with_one_more_dollar_differs(traded: Sequence[DayRecord]) -> None:
    found = differences(traded, backtested(CAPITAL + 1))

    assert {finding.where for finding in found} == {str(record.day) for record in traded}
