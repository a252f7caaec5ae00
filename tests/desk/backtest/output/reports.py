"""Reports for the tests of the page: backtests of invented prices, with and without what the options ask for."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np

from desk.backtest.analysis.comparison import compare, track_of
from desk.backtest.analysis.split import split_curves
from desk.backtest.fills import CloseFills
from desk.backtest.prices import Prices
from desk.backtest.report import Report
from desk.backtest.result import Result, benchmark_curve
from desk.backtest.running import vary
from desk.backtest.signals import Signal
from desk.backtest.simulate import BacktestDay, Terms, simulate
from tests.desk.backtest.worlds import candidate, signals_with
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.strategy_v2.history import PriceHistory

COUNT = 300
HOSTILE = """</script><img src=x onerror="fail('pwned')"><b>odd</b>&amp;'=1+1"""


def result_of(
    *, symbols: int = 3, benchmark: bool = True, name: str = "one", sessions_per_change: int = 20, count: int = COUNT
) -> Result:
    """Return a backtest in which the portfolio changes regularly."""
    history = _history(symbols, count)
    weights = [_weights_on(at // sessions_per_change, symbols) for at in range(count - 1)]
    days = tuple(_renamed(day, name) for day in _traded(signals_with(history, *weights), history))
    plain = Result((candidate(asset("S00"), name=name),), "invented", Decimal(10000), Decimal(5), days, None, "no bars")
    if not benchmark:
        return plain
    closes = 100 + 20 * np.sin(np.linspace(0, 9, count - 1)) + np.linspace(0, 20, count - 1)
    return replace(plain, benchmark=benchmark_curve(plain.curve.dates, closes, Decimal(10000)), benchmark_note="")


@cache
def whole_report(name: str = "one") -> Report:
    """Return a report with everything that options can ask for."""
    result, other = result_of(name=name), result_of(sessions_per_change=7)
    history = _history(3, COUNT)
    return Report(
        result,
        split_curves(Report(result).curves, result.days[200].date),
        compare(track_of(result, "this"), track_of(other, f"{name}.json"), capital=Decimal(10000)),
        vary(result, Prices("invented", history, history)),
    )


def idle_report() -> Report:
    """Return a report on a backtest that made no trade."""
    history = _history(1, COUNT)
    days = _traded(signals_with(history, *[{"S00": "0"}] * (COUNT - 1)), history)
    return Report(
        Result((candidate(asset("S00")),), "invented", Decimal(10000), Decimal(5), days, None, "it has no bar")
    )


def _history(symbols: int, count: int) -> PriceHistory:
    return market(**{f"S{number:02d}": _closes_of(number, count) for number in range(symbols)})


def _traded(signals: tuple[Signal, ...], history: PriceHistory) -> tuple[BacktestDay, ...]:
    return tuple(simulate(signals, Terms(Decimal(10000), CloseFills(history, costs_bps=Decimal(5)))))


def _renamed(day: BacktestDay, name: str) -> BacktestDay:
    """Give the strategy of a day's trades another name."""
    trades = tuple(
        trade._replace(attribution=dict.fromkeys([name], *trade.attribution.values())) for trade in day.trades
    )
    return replace(day, trades=trades)


def _closes_of(number: int, count: int) -> list[float]:
    return [round(50 + at * 0.05 + 8 * float(np.sin(at / (9 + 2 * number))), 2) for at in range(count)]


def _weights_on(period: int, symbols: int) -> dict[str, str]:
    held = {period % symbols, (period + 1) % symbols}
    share = "0.5" if len(held) == 2 else "1"
    return {f"S{number:02d}": share if number in held else "0" for number in range(symbols)}
