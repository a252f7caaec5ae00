"""The same signals at the paper exchange and in a backtest give the same trades and the same cash, to the cent.

Each day follows the deployed system, without its messages: read the account, make the plan, release both phases, and
send each trade as a limit order at 75 % of the spread.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from desk.backtest.parity import DayRecord, FilledTrade, find_differences, record_of_day
from desk.backtest.prices import load_prices
from desk.backtest.selection import select_strategies
from desk.backtest.signals import Signal, generate_signals, symbols_of, trading_sessions
from desk.backtest.simulate import Terms, simulate
from sandbox.exchange.admission import prices_of
from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.exchange import AccountTerms, Exchange, opening_state
from sandbox.exchange.history import load_history
from sandbox.exchange.market import Market
from sandbox.exchange.orders import OrderRequest, OrderType, TimeInForce
from sandbox.exchange.orders import Side as OrderSide
from sandbox.run_day import HISTORY
from tests.desk.backtest.exchange_fills import ExchangeFills, first_limit
from the_alchemiser.portfolio_v2.rebalance import Holding, Instrument, Portfolio, Rules, Target, plan
from the_alchemiser.portfolio_v2.rebalance import symbols_of as symbols_to_plan
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.values import Side
from the_alchemiser.trade_aggregator.release import DayLimits, DayUse, release_buys, release_sells, spendable

FIRST, LAST = date(2022, 3, 16), date(2022, 4, 12)
CAPITAL = Decimal(100_000)


@cache
def market() -> Market:
    return Market(load_history(HISTORY))


@cache
def book_signals() -> tuple[Signal, ...]:
    """Return the signals of the book, one per session."""
    candidates = select_strategies((), load_book())
    history = load_prices("", symbols_of(candidates)).history
    days: list[date] = history.dates.tolist()
    period = [day for day in days if FIRST <= day <= LAST]
    sessions = trading_sessions(period, before=days[days.index(period[0]) - 1])
    return tuple(generate_signals(candidates, history, sessions, on_decided=lambda _: None))


class Trader:
    """One account at an exchange in this process."""

    def __init__(self) -> None:
        self.exchange = Exchange(market(), opening_state(market(), AccountTerms(CAPITAL)))

    def trade(self, signal: Signal) -> DayRecord:
        day = signal.session.day
        self.exchange.set_clock(clock_at_phase(market(), day, Phase.BEFORE_CLOSE))
        planned = self._plan(signal)
        fills_before = len(self.exchange.account.fills)

        self._send(planned, Side.SELL, release_sells(planned, limits=DayLimits(), used=DayUse()).quantities)
        budget = spendable(self._account(), planned)
        self._send(planned, Side.BUY, release_buys(planned, budget, limits=DayLimits(), used=DayUse()).quantities)

        fills = self.exchange.account.fills[fills_before:]
        trades = (FilledTrade(fill.symbol, Side[fill.side.name], fill.qty, fill.price) for fill in fills)
        account = self._account()
        merged = dict(signal.merged.weights)
        strategy_weights = {name: dict(weights) for name, weights in signal.strategy_weights.items()}
        return DayRecord(day, strategy_weights, merged, tuple(sorted(trades)), account.equity, account.cash)

    def _account(self) -> Account:
        account, prices = self.exchange.account, prices_of(self.exchange.account, market(), self.exchange.now)
        equity, power = account.equity(prices), account.buying_power(prices)
        return Account("", "ACTIVE", account.cash, equity, equity, power, Decimal(1), trading_blocked=False)

    def _plan(self, signal: Signal) -> RebalancePlan:
        account = self._account()
        target = Target(signal.merged.weights, signal.merged.contributions)
        held = {name: Holding(position.qty, position.qty) for name, position in self.exchange.account.positions.items()}
        prices = {symbol: market().price(symbol, self.exchange.now) for symbol in symbols_to_plan(target, held)}
        instruments = {symbol: Instrument(price, price) for symbol, price in prices.items() if price is not None}
        portfolio = Portfolio(account.equity, account.cash, held)
        return plan("parity", target, portfolio, instruments, Rules())

    def _send(self, planned: RebalancePlan, side: Side, quantities: Mapping[str, Decimal]) -> None:
        for trade, decision in planned.by_trade_id().items():
            quote = market().quote(decision.symbol, self.exchange.now)
            if trade in quantities and quote is not None:
                order = OrderRequest(
                    decision.symbol,
                    OrderSide[side.name],
                    OrderType.LIMIT,
                    TimeInForce.DAY,
                    qty=quantities[trade],
                    limit_price=first_limit(quote, side),
                )
                self.exchange.submit(order)


@pytest.fixture(scope="module")
def traded() -> Sequence[DayRecord]:
    trader = Trader()
    return [trader.trade(signal) for signal in book_signals()]


def backtested(capital: Decimal) -> Sequence[DayRecord]:
    return [record_of_day(day) for day in simulate(book_signals(), Terms(capital, ExchangeFills(market())))]


def test_backtest_of_twenty_days_matches_exchange(traded: Sequence[DayRecord]) -> None:
    assert len(traded) == 20
    assert sum(len(record.trades) for record in traded) > 40
    assert find_differences(traded, backtested(CAPITAL)) == ()


def test_backtest_with_one_more_dollar_differs_every_day(traded: Sequence[DayRecord]) -> None:
    findings = find_differences(traded, backtested(CAPITAL + 1))

    assert {finding.where for finding in findings} == {str(record.day) for record in traded}
