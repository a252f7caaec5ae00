"""The result of a backtest: curves, drawdowns, months, turnover, and the benchmark beside them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np

from desk.backtest.signals import Candidate
from desk.backtest.simulate import BacktestDay, RefusedTrade, Trade
from desk.backtest.statistics import SESSIONS_PER_YEAR, Statistics, compute_statistics, drawdowns
from the_alchemiser.strategy_v2.arrays import Floats

BENCHMARK = "SPY"

TURNOVER_DEFINITION = (
    "half of the USD bought and sold, divided by the mean equity and scaled to a year of "
    f"{SESSIONS_PER_YEAR} sessions; the initial purchases count"
)


class Drawdown(NamedTuple):
    """A fall from a peak.

    Attributes:
        recovered: when the peak was reached again; None if it was not.
        depth: a fraction below 0.
        sessions: how long it lasted: from the peak to the recovery, or to the last session.
    """

    peak: date
    trough: date
    recovered: date | None
    depth: float
    sessions: int


class Year(NamedTuple):
    """The returns of a year's twelve months and of the whole year, as fractions; a month without sessions is None."""

    year: int
    months: tuple[float | None, ...]
    total: float


@dataclass(frozen=True)
class Curve:
    """The value of a portfolio over time.

    Attributes:
        dates: (D + 1,) the session before the first, then every session of the backtest.
        values: (D + 1,) USD at the closes of these dates; the first is the capital.
    """

    name: str
    dates: tuple[date, ...]
    values: Floats

    @cached_property
    def returns(self) -> Floats:
        """Return the (D,) simple daily returns as fractions; the first contains the costs of the initial purchases."""
        daily: Floats = self.values[1:] / self.values[:-1] - 1
        return daily

    @cached_property
    def statistics(self) -> Statistics:
        """Return the statistics of the daily returns."""
        return compute_statistics(self.returns)

    @cached_property
    def drawdowns(self) -> Floats:
        """Return the (D + 1,) drawdowns on `dates`, fractions of 0 or below."""
        return np.concatenate(([0.0], drawdowns(self.returns)))

    def years(self) -> tuple[Year, ...]:
        """Return the compounded monthly and yearly returns; the first and last year may be incomplete."""
        rows = list(zip(self.dates[1:], (1 + self.returns).tolist(), strict=True))
        return tuple(_year(year, tuple(of_year)) for year, of_year in groupby(rows, key=lambda row: row[0].year))

    def year_statistics(self) -> Mapping[int, Statistics]:
        """Return the statistics of each year's returns; the first and last year may be incomplete."""
        years = np.array([day.year for day in self.dates[1:]])
        return {int(year): compute_statistics(self.returns[years == year]) for year in np.unique(years)}

    def deepest(self, count: int | None = None) -> tuple[Drawdown, ...]:
        """Return the deepest drawdowns, the deepest first, or all; each lasts from one peak to the next."""
        below = self.drawdowns < 0
        starts = np.flatnonzero(below & ~np.append(False, below[:-1]))
        ends = np.flatnonzero(below & ~np.append(below[1:], False))
        falls = [self._drawdown(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
        return tuple(sorted(falls, key=lambda fall: fall.depth)[:count])

    def _drawdown(self, start: int, end: int) -> Drawdown:
        trough = start + int(np.argmin(self.drawdowns[start : end + 1]))
        recovered = self.dates[end + 1] if end + 1 < len(self.dates) else None
        last = end if recovered is None else end + 1
        depth = float(self.drawdowns[trough])
        return Drawdown(self.dates[start - 1], self.dates[trough], recovered, depth, last - (start - 1))


@dataclass(frozen=True)
class Result:
    """The result of a backtest.

    Attributes:
        prices: where the prices come from, in words.
        capital: starting cash in USD.
        costs_bps: trading costs in basis points per side.
        days: at least one.
        benchmark: None if it has no usable prices.
        benchmark_note: why there is no benchmark; empty when there is one.
    """

    candidates: tuple[Candidate, ...]
    prices: str
    capital: Decimal
    costs_bps: Decimal
    days: tuple[BacktestDay, ...]
    benchmark: Curve | None
    benchmark_note: str

    @cached_property
    def curve(self) -> Curve:
        """Return the equity, starting with the capital at the close before the first session."""
        dates = (self.days[0].signal.session.as_of, *(day.date for day in self.days))
        return Curve("strategy", dates, np.array([float(self.capital), *self._equity()]))

    @property
    def trades(self) -> tuple[Trade, ...]:
        """Return all filled trades by day, sells first."""
        return tuple(chain.from_iterable(day.trades for day in self.days))

    @property
    def refused(self) -> tuple[RefusedTrade, ...]:
        """Return all planned trades that were refused, by day."""
        return tuple(chain.from_iterable(day.refused for day in self.days))

    @property
    def turnover(self) -> float:
        """Return the turnover per year as a fraction of the mean equity; see `TURNOVER_DEFINITION`."""
        traded = float(sum((trade.notional for trade in self.trades), Decimal(0)))
        return traded / 2 / float(np.mean(self._equity())) * SESSIONS_PER_YEAR / len(self.days)

    @property
    def costs(self) -> Decimal:
        """Return the USD that the traded quantities cost because fill prices differ from planning prices."""
        rate = self.costs_bps / 10_000
        paid = (trade.notional * rate / (1 + rate if trade.cash < 0 else 1 - rate) for trade in self.trades)
        return sum(paid, Decimal(0))

    def position_weights(self) -> Mapping[str, Floats]:
        """Return the (D,) weights of each symbol ever held: its share of the equity at each close, after trading."""
        equity = np.array(self._equity())
        symbols = sorted(set().union(*(day.values for day in self.days)))
        return {symbol: np.array(self._values_of(symbol)) / equity for symbol in symbols}

    def _equity(self) -> list[float]:
        return [float(day.equity) for day in self.days]

    def _values_of(self, symbol: str) -> list[float]:
        return [float(day.values.get(symbol, 0)) for day in self.days]


def benchmark_curve(dates: Sequence[date], closes: Floats, capital: Decimal) -> Curve:
    """Return the curve of buying the benchmark with all capital at the close of the first session, without costs.

    Args:
        dates: (D + 1,) as in a Curve.
        closes: (D,) closes of the benchmark on the sessions.
    """
    values = float(capital) * closes / closes[0]
    return Curve(BENCHMARK, tuple(dates), np.concatenate(([float(capital)], values)))


def _year(year: int, rows: tuple[tuple[date, float], ...]) -> Year:
    months: list[float | None] = [None] * 12
    for month, of_month in groupby(rows, key=lambda row: row[0].month):
        months[month - 1] = _compound(of_month)
    return Year(year, tuple(months), _compound(rows))


def _compound(rows: Iterable[tuple[date, float]]) -> float:
    return float(np.prod([growth for _, growth in rows])) - 1
