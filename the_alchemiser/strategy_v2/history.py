"""The adjusted closes of many symbols on one calendar."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.strategy_v2.arrays import Dates, Floats, run_starts

if TYPE_CHECKING:
    from the_alchemiser.shared.symphony.options import StrategyOptions
    from the_alchemiser.shared.symphony.tree import Indicator

DAY = "datetime64[D]"


class PriceHistory(Frozen):
    """Adjusted closes of many symbols.

    Attributes:
        dates: (T,) datetime64[D], the sessions, strictly ascending.
        closes: for each symbol, (T,) adjusted closes in USD, above 0; NaN where the symbol has no bar.
        flaws: for each symbol with bars that must not be used, the reason.
        flawed_from: for some of the flawed symbols, the first unusable day; the symbol has closes only before it. A
            flawed symbol without an entry has no usable bars at all.
        computed: cache of the indicators on symbols' own bars. Histories cut from this one share it: no value depends
            on a later bar, so the values of fewer bars are a prefix of these.
        computed_last: the same for single values, each after a number of the symbol's bars.
    """

    dates: Dates
    closes: Mapping[str, Floats]
    flaws: Mapping[str, str] = {}
    flawed_from: Mapping[str, np.datetime64] = {}
    computed: "dict[tuple[str, Indicator, StrategyOptions], Floats]" = msgspec.field(default_factory=dict)
    computed_last: "dict[tuple[str, Indicator, StrategyOptions, int], float]" = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.dates.dtype != np.dtype(DAY) or np.any(np.diff(self.dates) <= np.timedelta64(0, "D")):
            raise ValueError(f"dates must be {DAY} and strictly ascending")
        for symbol, closes in self.closes.items():
            if closes.shape != self.dates.shape:
                raise ValueError(f"{symbol}: {closes.shape} closes for {self.dates.shape} dates")
            if (closes <= 0).any() or np.isinf(closes).any():
                raise ValueError(f"{symbol}: every close must be a finite number above 0, or NaN")

    @classmethod
    def from_series(
        cls, series: Mapping[str, tuple[Dates, Floats]], *, flaws: Mapping[str, str] | None = None
    ) -> "PriceHistory":
        """Put each symbol's own (dates, closes) on their common calendar.

        A symbol is unusable from its first invalid close or its first day with two bars on: a flaw. It does no harm
        unless a decision needs those bars, and decisions on earlier days do not know of it.

        Args:
            series: for each symbol its dates, in any order, and closes.
            flaws: symbols whose bars must not be used at all, and why.
        """
        excluded = dict(flaws or {})
        bars = {
            symbol: (dates.astype(DAY, copy=False), closes)
            for symbol, (dates, closes) in series.items()
            if symbol not in excluded
        }
        calendar = _union(dates for dates, _ in bars.values())

        flaw_of = {symbol: flaw for symbol, own in bars.items() if (flaw := _first_flaw(*own))}
        for symbol, (day, _) in flaw_of.items():
            bars[symbol] = _before(*bars[symbol], day)

        return cls(
            calendar,
            {symbol: _on_calendar(calendar, *own) for symbol, own in bars.items()},
            {**{symbol: reason for symbol, (_, reason) in flaw_of.items()}, **excluded},
            {symbol: day for symbol, (day, _) in flaw_of.items()},
        )

    def through(self, as_of: date) -> "PriceHistory":
        """Return what was known at the close of as_of; as_of becomes the last session even if no symbol has a bar."""
        last = np.datetime64(as_of, "D")
        count = int(np.searchsorted(self.dates, last, side="right"))
        if count == len(self.dates) and count and self.dates[-1] == last and not self.flawed_from:
            return self
        dates = self.dates[:count]
        closes = {symbol: own[:count] for symbol, own in self.closes.items()}
        if not count or dates[-1] != last:
            dates = np.append(dates, last).astype(DAY)
            closes = {symbol: np.append(own, np.nan) for symbol, own in closes.items()}

        flawed_from = {symbol: day for symbol, day in self.flawed_from.items() if day <= last}
        unknown = self.flawed_from.keys() - flawed_from.keys()
        flaws = {symbol: flaw for symbol, flaw in self.flaws.items() if symbol not in unknown}
        return PriceHistory(dates, closes, flaws, flawed_from, self.computed, self.computed_last)

    def select(self, symbols: Iterable[str]) -> "PriceHistory":
        """Return only these symbols, on the same calendar."""
        wanted = sorted(set(symbols))
        return PriceHistory(
            self.dates,
            {symbol: self.closes[symbol] for symbol in wanted if symbol in self.closes},
            {symbol: self.flaws[symbol] for symbol in wanted if symbol in self.flaws},
            {symbol: self.flawed_from[symbol] for symbol in wanted if symbol in self.flawed_from},
            self.computed,
            self.computed_last,
        )

    def of(self, symbol: str) -> Floats:
        """Return the (T,) closes of one symbol; all NaN if the history does not have it."""
        closes = self.closes.get(symbol)
        return np.full(self.dates.shape, np.nan) if closes is None else closes

    @property
    def digest(self) -> str:
        """SHA-256 over symbols, dates and closes; symbols without a bar on a session do not change it."""
        import hashlib  # noqa: PLC0415 - the SDK loads it anyway, after the import of the handler

        digest = hashlib.sha256()
        every = self.dates.astype("<i8")
        for symbol in sorted(self.closes):
            dates, closes = every, self.closes[symbol].astype("<f8", copy=False)
            absent = np.isnan(closes)
            if absent.any():
                dates, closes = dates[~absent], closes[~absent]
            digest.update(f"{symbol}:{len(closes)}\n".encode())
            digest.update(dates.tobytes())
            digest.update(closes.tobytes())
        return digest.hexdigest()


def _first_flaw(dates: Dates, closes: Floats) -> tuple[np.datetime64, str] | None:
    """Return the first day whose bar must not be used, and why; None if all can be used."""
    if len(closes) and closes.min() > 0 and closes.max() < np.inf and (dates[1:] > dates[:-1]).all():
        return None
    flaws = []
    invalid = np.flatnonzero(~(np.isfinite(closes) & (closes > 0)))
    if invalid.size:
        at = invalid[np.argmin(dates[invalid])]
        flaws.append((dates[at], f"the close of {dates[at]} is {closes[at]}"))

    ordered = np.sort(dates)
    repeated = ordered[~run_starts(ordered)]
    if repeated.size:
        flaws.append((repeated[0], f"{repeated[0]} has more than one bar"))
    return min(flaws, default=None)


def _before(dates: Dates, closes: Floats, day: np.datetime64) -> tuple[Dates, Floats]:
    return dates[dates < day], closes[dates < day]


def _union(calendars: Iterable[Dates]) -> Dates:
    """Return the days of all calendars, ascending; most calendars are suffixes of others."""
    union = np.array([], dtype=DAY)
    for calendar in calendars:
        if not np.array_equal(calendar, union[len(union) - len(calendar) :]):
            merged = np.sort(np.concatenate([union, calendar]))
            union = merged[run_starts(merged)]
    return union


def _on_calendar(calendar: Dates, dates: Dates, closes: Floats) -> Floats:
    if np.array_equal(dates, calendar):
        return closes.astype(np.float64, copy=False)
    values = np.full(calendar.shape, np.nan)
    values[np.searchsorted(calendar, dates)] = closes
    return values
