"""Prices of a history and the indicators on them, each computed once."""

from collections.abc import Iterable, Sequence

import numpy as np

from the_alchemiser.shared.book import StrategyOptions
from the_alchemiser.shared.symphony.tree import CurrentPrice, Indicator, Number, Value
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.indicators import compute_all, rounded

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

    def learn(self, wanted: Iterable[tuple[str, Indicator]]) -> None:
        """Compute indicators of symbols, many at once."""
        missing = [key for key in dict.fromkeys(wanted) if key not in self._known]
        self._compute([key for key in missing if self._computed(key) is None])
        for key in missing:
            values, own = self._computed(key), self.sessions(key[0])
            if values is None:
                raise AssertionError(f"{key} was computed just now")
            self._known[key] = values if len(own) == self.length else self._placed(values, own)

    def _compute(self, keys: Sequence[tuple[str, Indicator]]) -> None:
        requests = [(indicator, self.history.of(symbol)[self.sessions(symbol)]) for symbol, indicator in keys]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = compute_all(requests, self._options)
        for (symbol, indicator), values in zip(keys, found, strict=True):
            self.history.computed[symbol, indicator, self._options] = values

    def _computed(self, key: tuple[str, Indicator]) -> Floats | None:
        """Values on the symbol's own bars, when there are as many as this history has."""
        bars = len(self.sessions(key[0]))
        values = self.history.computed.get((*key, self._options))
        return None if values is None or len(values) < bars else values[:bars]

    def _placed(self, values: Floats, sessions: Indices) -> Floats:
        placed = np.full(self.length, np.nan)
        placed[sessions] = values
        return placed

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
            self.learn([key])
        return self._known[key]

    def index_indicators(self, wanted: Sequence[tuple[Indicator, Bools, Floats]]) -> list[Floats]:
        """Indicators on the indices of operations, each of which starts at its base with each gapless run.

        Args:
            wanted: with each indicator where the operation is defined, (T,), and its daily returns, (T,), as fractions.
        """
        runs = [runs_of(defined, daily) for _, defined, daily in wanted]
        requests = [
            (indicator, _index(daily[run]))
            for (indicator, _, daily), own in zip(wanted, runs, strict=True)
            for run in own
        ]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = iter(compute_all(requests, self._options))
        out = []
        for own in runs:
            values = np.full(self.length, np.nan)
            for run in own:
                values[run] = next(found)
            out.append(values)
        return out

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


def runs_of(defined: Bools, daily: Floats) -> tuple[slice, ...]:
    """The stretches over which an operation has an index: defined on every session, linked by returns.

    A return is NaN after a session on which the operation is not defined.
    """
    linked = np.zeros(defined.shape, dtype=bool)
    linked[1:] = defined[1:] & ~np.isnan(daily[1:])
    starts = np.flatnonzero(defined & ~linked)
    ends = np.flatnonzero(defined & ~np.append(linked[1:], False)) + 1
    return tuple(slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True))


def _index(daily: Floats) -> Floats:
    """From the returns of a run, the first of which lies before it."""
    growth = 1 + daily
    growth[0] = 1.0
    return INDEX_BASE * np.cumprod(growth)
