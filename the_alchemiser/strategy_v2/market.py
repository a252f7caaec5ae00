"""Prices of a history and the indicators on them, each computed once."""

from collections.abc import Iterable

import numpy as np

from the_alchemiser.shared.book import StrategyOptions
from the_alchemiser.shared.symphony.tree import CurrentPrice, Indicator, Number, Value
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.indicators import compute, rounded

INDEX_BASE = 100.0


class Market:
    """Values per session, (T,) each, NaN where not defined."""

    def __init__(self, history: PriceHistory, options: StrategyOptions) -> None:
        self.history = history
        self._options = options
        self._known: dict[tuple[str, Indicator], Floats] = {}
        self._values: dict[Value, Floats] = {}
        self._sessions: dict[str, Indices] = {}

    @property
    def length(self) -> int:
        """Sessions, T."""
        return len(self.history.dates)

    def value(self, value: Value) -> Floats:
        """One side of a condition, rounded for comparing."""
        if value not in self._values:
            self._values[value] = rounded(self._exact(value))
        return self._values[value]

    def _exact(self, value: Value) -> Floats:
        match value:
            case Number():
                return np.full(self.length, value.value)
            case CurrentPrice():
                return self.history.of(value.symbol)
            case _:
                return self.indicator(value.symbol, value.indicator)

    def indicator(self, symbol: str, indicator: Indicator) -> Floats:
        """An indicator on a symbol's own bars; a session on which it has none has no value."""
        key = (symbol, indicator)
        if key not in self._known:
            closes = self.history.of(symbol)
            self._known[key] = self._over((self.sessions(symbol),), closes, indicator)
        return self._known[key]

    def index_indicator(self, runs: Iterable[Indices], daily: Floats, indicator: Indicator) -> Floats:
        """An indicator on the index of an operation, which starts at its base with each run.

        Args:
            runs: sessions of each gapless run.
            daily: (T,) returns, as fractions, defined within the runs but for their first sessions.
        """
        index = np.full(self.length, np.nan)
        for run in runs:
            index[run] = INDEX_BASE * np.cumprod(np.concatenate(([1.0], 1 + daily[run[1:]])))
        return self._over(runs, index, indicator)

    def sessions(self, symbol: str) -> Indices:
        """The sessions on which a symbol has a bar."""
        if symbol not in self._sessions:
            self._sessions[symbol] = np.flatnonzero(~np.isnan(self.history.of(symbol)))
        return self._sessions[symbol]

    def daily_returns(self, symbol: str) -> Floats:
        """(T,) returns from the session before, as fractions."""
        closes = self.history.of(symbol)
        daily = np.full(closes.shape, np.nan)
        daily[1:] = closes[1:] / closes[:-1] - 1
        return daily

    def _over(self, stretches: Iterable[Indices], values: Floats, indicator: Indicator) -> Floats:
        out = np.full(self.length, np.nan)
        for sessions in stretches:
            out[sessions] = compute(indicator, values[sessions], self._options)
        return out


def runs_of(defined: Bools, daily: Floats) -> tuple[Indices, ...]:
    """The stretches over which an operation has an index: defined on every session, linked by returns."""
    linked = np.zeros(defined.shape, dtype=bool)
    linked[1:] = defined[1:] & defined[:-1] & ~np.isnan(daily[1:])
    starts = np.flatnonzero(defined & ~linked)
    ends = np.flatnonzero(defined & ~np.append(linked[1:], False))
    return tuple(np.arange(start, end + 1) for start, end in zip(starts, ends, strict=True))
