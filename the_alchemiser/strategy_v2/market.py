"""The prices of a history and the indicators on them; each indicator is computed once."""

from collections.abc import Iterable, Sequence

import numpy as np

from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.tree import CurrentPrice, Indicator, Number, Value
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.indicators import Request, compute_all, compute_last, round_for_comparison

INDEX_BASE = 100.0


class Market:
    """Prices and indicators by session: arrays of shape (T,), NaN where undefined."""

    def __init__(self, history: PriceHistory, options: StrategyOptions) -> None:
        self.history = history
        self._options = options
        self._known: dict[tuple[str, Indicator], Floats] = {}
        self._values: dict[Value, Floats] = {}
        self._sessions: dict[str, Indices] = {}
        self._own_closes: dict[tuple[int, str], Floats] = {}

    @property
    def length(self) -> int:
        """The number of sessions, T."""
        return len(self.history.dates)

    def precompute(self, wanted: Iterable[tuple[str, Indicator]]) -> None:
        """Compute indicators on symbols' prices, many at once."""
        missing = [key for key in dict.fromkeys(wanted) if key not in self._known]
        self._compute([key for key in missing if self._computed(key) is None])
        for key in missing:
            values, sessions = self._computed(key), self.sessions(key[0])
            if values is None:
                raise AssertionError(f"{key} was just computed and must be known")
            self._known[key] = values if len(sessions) == self.length else self._on_calendar(values, sessions)

    def _compute(self, keys: Sequence[tuple[str, Indicator]]) -> None:
        own = {symbol: self._own(symbol) for symbol, _ in keys}
        requests = [(indicator, own[symbol]) for symbol, indicator in keys]
        with np.errstate(invalid="ignore", divide="ignore"):
            computed = compute_all(requests, self._options)
        for (symbol, indicator), values in zip(keys, computed, strict=True):
            self.history.computed[symbol, indicator, self._options] = values

    def _own(self, symbol: str) -> Floats:
        closes, sessions = self.history.of(symbol), self.sessions(symbol)
        return closes if len(sessions) == self.length else closes[sessions]

    def _computed(self, key: tuple[str, Indicator]) -> Floats | None:
        """Return the values on the symbol's own bars; None unless they cover all bars of this history."""
        bars = len(self.sessions(key[0]))
        values = self.history.computed.get((*key, self._options))
        return None if values is None or len(values) < bars else values[:bars]

    def _on_calendar(self, values: Floats, sessions: Indices) -> Floats:
        aligned = np.full(self.length, np.nan)
        aligned[sessions] = values
        return aligned

    def value(self, value: Value) -> Floats:
        """Return one side of a condition, rounded for comparison."""
        if value not in self._values:
            self._values[value] = round_for_comparison(self._unrounded(value))
        return self._values[value]

    def _unrounded(self, value: Value) -> Floats:
        match value:
            case Number():
                return np.full(self.length, value.value)
            case CurrentPrice():
                return self.history.of(value.symbol)
            case _:
                return self.indicator(value.symbol, value.indicator)

    def indicator(self, symbol: str, indicator: Indicator) -> Floats:
        """Return an indicator on a symbol's own bars; NaN on sessions without a bar."""
        key = (symbol, indicator)
        if key not in self._known:
            self.precompute([key])
        return self._known[key]

    def precompute_on(self, session: int, wanted: Iterable[tuple[str, Indicator]]) -> None:
        """Compute indicators on symbols' prices on one session, many at once."""
        known = self.history.computed_last
        requests: dict[tuple[str, Indicator, StrategyOptions, int], Request] = {}
        for symbol, indicator in dict.fromkeys(wanted):
            closes = self._closes_through(session, symbol)
            key = (symbol, indicator, self._options, len(closes))
            if key not in known:
                requests[key] = indicator, closes

        with np.errstate(invalid="ignore", divide="ignore"):
            known.update(zip(requests, compute_last(list(requests.values()), self._options).tolist(), strict=True))

    def _closes_through(self, session: int, symbol: str) -> Floats:
        """Return the closes of a symbol's own bars through a session; none if it has no bar on that session."""
        key = (session, symbol)
        if key not in self._own_closes:
            closes = self.history.of(symbol)[: session + 1]
            absent = np.isnan(closes)
            if absent.any():
                closes = closes[:0] if absent[-1] else closes[~absent]
            self._own_closes[key] = closes
        return self._own_closes[key]

    def value_on(self, session: int, value: Value) -> Floats:
        """Return (1,) one side of a condition on one session, rounded for comparison."""
        match value:
            case Number():
                unrounded = value.value
            case CurrentPrice():
                unrounded = float(self.history.of(value.symbol)[session])
            case _:
                unrounded = self.indicator_on(session, value.symbol, value.indicator)
        return round_for_comparison(np.array([unrounded]))

    def indicator_on(self, session: int, symbol: str, indicator: Indicator) -> float:
        """Return an indicator on one session; NaN if the symbol has no bar on it."""
        bars = len(self._closes_through(session, symbol))
        key = (symbol, indicator, self._options, bars)
        if key not in self.history.computed_last:
            self.precompute_on(session, [(symbol, indicator)])
        return self.history.computed_last[key]

    def index_indicators(self, wanted: Sequence[tuple[Indicator, Bools, Floats]]) -> list[Floats]:
        """Return indicators on the indices of operations; an index restarts at its base with each gapless run.

        Args:
            wanted: indicator, (T,) where the operation is defined, and its (T,) daily returns as fractions.
        """
        runs = [runs_of(defined, daily) for _, defined, daily in wanted]
        requests: list[Request] = []
        for (indicator, _, daily), own_runs in zip(wanted, runs, strict=True):
            requests.extend((indicator, _index(daily[run])) for run in own_runs)

        with np.errstate(invalid="ignore", divide="ignore"):
            computed = iter(compute_all(requests, self._options))

        aligned = []
        for own_runs in runs:
            values = np.full(self.length, np.nan)
            for run in own_runs:
                values[run] = next(computed)
            aligned.append(values)
        return aligned

    def sessions(self, symbol: str) -> Indices:
        """Return the numbers of the sessions on which a symbol has a bar."""
        if symbol not in self._sessions:
            self._sessions[symbol] = np.flatnonzero(~np.isnan(self.history.of(symbol)))
        return self._sessions[symbol]

    def daily_returns(self, symbol: str) -> Floats:
        """Return the (T,) returns since the previous session, as fractions."""
        closes = self.history.of(symbol)
        daily = np.full(closes.shape, np.nan)
        daily[1:] = closes[1:] / closes[:-1] - 1
        return daily


def runs_of(defined: Bools, daily: Floats) -> tuple[slice, ...]:
    """Return the runs of sessions over which an operation has an index: defined throughout and linked by returns.

    A return is NaN after a session on which the operation is undefined.
    """
    linked = np.zeros(defined.shape, dtype=bool)
    linked[1:] = defined[1:] & ~np.isnan(daily[1:])
    starts = np.flatnonzero(defined & ~linked)
    ends = np.flatnonzero(defined & ~np.append(linked[1:], False)) + 1
    return tuple(slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True))


def _index(daily: Floats) -> Floats:
    """Return the index over a run; the first return is ignored, because it was earned before the run."""
    growth = 1 + daily
    growth[0] = 1.0
    return INDEX_BASE * np.cumprod(growth)
