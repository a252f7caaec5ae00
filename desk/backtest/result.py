"""What a backtest comes to: curves, drawdowns, months, turnover, beside the benchmark. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import numpy as np

from desk.backtest.signals import Candidate
from desk.backtest.simulate import Day, Refused, Trade
from desk.backtest.statistics import SESSIONS_A_YEAR, Statistics, drawdowns, statistics
from the_alchemiser.strategy_v2.arrays import Floats

BENCHMARK = "SPY"

TURNOVER_DEFINITION = (
    "half of all USD bought and sold, over the mean equity, scaled to a year of "
    f"{SESSIONS_A_YEAR} sessions; buying in at the start counts"
)


class Drawdown(NamedTuple):
    """A fall from a highest point; depth is a fraction below 0, recovered None while the value is still below."""

    peak: date
    trough: date
    recovered: date | None
    depth: float


class Year(NamedTuple):
    """Returns of a year's twelve months, None without sessions, and of all of them; fractions."""

    year: int
    months: tuple[float | None, ...]
    total: float


@dataclass(frozen=True)
class Curve:
    """The value of something over time.

    Attributes:
        dates: (D + 1,) the session before the first, then every session of the backtest.
        values: (D + 1,) USD at their closes, the first being the capital.
    """

    name: str
    dates: tuple[date, ...]
    values: Floats

    @cached_property
    def returns(self) -> Floats:
        """(D,) simple daily returns, fractions; the first is what buying in cost."""
        daily: Floats = self.values[1:] / self.values[:-1] - 1
        return daily

    @cached_property
    def statistics(self) -> Statistics:
        """Of the daily returns."""
        return statistics(self.returns)

    @cached_property
    def drawdowns(self) -> Floats:
        """(D + 1,) fractions of 0 or below, beside `dates`."""
        return np.concatenate(([0.0], drawdowns(self.returns)))

    def years(self) -> tuple[Year, ...]:
        """Months compounded, and years; the first and the last may be of fewer sessions."""
        rows = list(zip(self.dates[1:], (1 + self.returns).tolist(), strict=True))
        return tuple(_year(year, tuple(of_year)) for year, of_year in groupby(rows, key=lambda row: row[0].year))

    def deepest(self, count: int) -> tuple[Drawdown, ...]:
        """The deepest falls, each from one highest point to the next, the deepest first."""
        below = self.drawdowns < 0
        starts = np.flatnonzero(below & ~np.append(False, below[:-1]))
        ends = np.flatnonzero(below & ~np.append(below[1:], False))
        found = [self._drawdown(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
        return tuple(sorted(found, key=lambda one: one.depth)[:count])

    def _drawdown(self, start: int, end: int) -> Drawdown:
        trough = start + int(np.argmin(self.drawdowns[start : end + 1]))
        recovered = self.dates[end + 1] if end + 1 < len(self.dates) else None
        return Drawdown(self.dates[start - 1], self.dates[trough], recovered, float(self.drawdowns[trough]))


@dataclass(frozen=True)
class Result:
    """A whole backtest.

    Attributes:
        prices: where they come from.
        costs_bps: basis points a side.
        benchmark: None where there is none; `benchmark_note` then says why.
        days: at least one.
    """

    candidates: tuple[Candidate, ...]
    prices: str
    capital: Decimal
    costs_bps: Decimal
    days: tuple[Day, ...]
    benchmark: Curve | None
    benchmark_note: str

    @cached_property
    def curve(self) -> Curve:
        """Equity, from the capital on the close before the first session."""
        dates = (self.days[0].signal.turn.as_of, *(day.date for day in self.days))
        return Curve("strategy", dates, np.array([float(self.capital), *(float(day.equity) for day in self.days)]))

    @property
    def trades(self) -> tuple[Trade, ...]:
        """All that filled, by day, sells first."""
        return tuple(trade for day in self.days for trade in day.trades)

    @property
    def refused(self) -> tuple[Refused, ...]:
        """All that were planned and not made."""
        return tuple(refused for day in self.days for refused in day.refused)

    @property
    def turnover(self) -> float:
        """A year, a fraction of the mean equity."""
        traded = float(sum((trade.notional for trade in self.trades), Decimal(0)))
        mean = float(np.mean([float(day.equity) for day in self.days]))
        return traded / 2 / mean * SESSIONS_A_YEAR / len(self.days)

    @property
    def costs(self) -> Decimal:
        """USD lost to the fill prices against the plans' prices, at the quantities traded."""
        share = self.costs_bps / 10_000
        paid = (trade.notional * share / (1 + share if trade.cash < 0 else 1 - share) for trade in self.trades)
        return sum(paid, Decimal(0))

    def held(self) -> Mapping[str, Floats]:
        """(D,) by symbol ever held: its part of the equity at each close, after trading."""
        symbols = sorted({symbol for day in self.days for symbol in day.values})
        equity = np.array([float(day.equity) for day in self.days])
        return {
            symbol: np.array([float(day.values.get(symbol, 0)) for day in self.days]) / equity for symbol in symbols
        }


def benchmark_curve(dates: Sequence[date], closes: Floats, capital: Decimal) -> Curve:
    """All of the capital in the benchmark from the close of the first session on, without costs.

    Args:
        dates: (D + 1,) as in a Curve.
        closes: (D,) of the benchmark on the sessions.
    """
    grown = float(capital) * closes / closes[0]
    return Curve(BENCHMARK, tuple(dates), np.concatenate(([float(capital)], grown)))


def _year(year: int, rows: tuple[tuple[date, float], ...]) -> Year:
    months: list[float | None] = [None] * 12
    for month, of_month in groupby(rows, key=lambda row: row[0].month):
        months[month - 1] = float(np.prod([growth for _, growth in of_month])) - 1
    return Year(year, tuple(months), float(np.prod([growth for _, growth in rows])) - 1)
