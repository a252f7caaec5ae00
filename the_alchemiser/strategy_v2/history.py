"""Adjusted closes of the symbols of a strategy, on one calendar."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Self

import numpy as np

from the_alchemiser.strategy_v2.arrays import Dates, Floats, changes

if TYPE_CHECKING:
    from the_alchemiser.shared.book import StrategyOptions
    from the_alchemiser.shared.symphony.tree import Indicator

DAY = "datetime64[D]"


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """Closes of many symbols.

    Attributes:
        dates: (T,) datetime64[D], ascending, none twice: the sessions.
        closes: per symbol (T,) adjusted closes, USD, above 0; NaN where the symbol has no bar.
        flaws: symbols of which bars must not be used, and why.
        flawed_from: of these, the day from which on; before it there are closes, from it on none. Of the others no bar
            is to be used.
        computed: indicators on a symbol's own bars, those asked for so far. What is cut from a history shares them with
            it: no value depends on a later bar, so those of fewer bars are the first of these.
    """

    dates: Dates
    closes: Mapping[str, Floats]
    flaws: Mapping[str, str] = field(default_factory=dict)
    flawed_from: Mapping[str, np.datetime64] = field(default_factory=dict)
    computed: "dict[tuple[str, Indicator, StrategyOptions], Floats]" = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.dates.dtype != np.dtype(DAY) or np.any(np.diff(self.dates) <= np.timedelta64(0, "D")):
            raise ValueError(f"dates must be {DAY}, ascending, none twice")
        for symbol, closes in self.closes.items():
            if closes.shape != self.dates.shape:
                raise ValueError(f"{symbol}: {closes.shape} closes for {self.dates.shape} dates")
            if np.any(closes <= 0) or np.any(np.isinf(closes)):
                raise ValueError(f"{symbol}: a close is not a price")

    @classmethod
    def from_series(
        cls, series: Mapping[str, tuple[Dates, Floats]], *, flaws: Mapping[str, str] | None = None
    ) -> "PriceHistory":
        """Put each symbol's own (dates, closes) on their common calendar.

        From a close that is no price, or a second bar of one day, on a symbol is not usable: a flaw, which does no harm
        unless a decision needs what lies there. Earlier decisions cannot know of it.
        """
        bars = {symbol: (dates.astype(DAY, copy=False), closes) for symbol, (dates, closes) in series.items()}
        whole = dict(flaws or {})
        found = {symbol: _flaw(*own) for symbol, own in bars.items() if symbol not in whole}
        broken = {symbol: flaw for symbol, flaw in found.items() if flaw}
        usable = {
            symbol: _before(*bars[symbol], broken[symbol][0]) if symbol in broken else bars[symbol] for symbol in found
        }
        calendar = _union(bars[symbol][0] for symbol in found)
        return cls(
            calendar,
            {symbol: _on(calendar, *own) for symbol, own in usable.items()},
            {**{symbol: reason for symbol, (_, reason) in broken.items()}, **whole},
            {symbol: day for symbol, (day, _) in broken.items()},
        )

    def through(self, as_of: date) -> "PriceHistory":
        """What was known at the close of as_of; when no symbol has a bar of it, it is there without prices."""
        last = np.datetime64(as_of, "D")
        count = int(np.searchsorted(self.dates, last, side="right"))
        dates = self.dates[:count]
        closes = {symbol: own[:count] for symbol, own in self.closes.items()}
        if not count or dates[-1] != last:
            dates = np.append(dates, last).astype(DAY)
            closes = {symbol: np.append(own, np.nan) for symbol, own in closes.items()}
        flawed_from = {symbol: day for symbol, day in self.flawed_from.items() if day <= last}
        unknown = self.flawed_from.keys() - flawed_from.keys()
        flaws = {symbol: flaw for symbol, flaw in self.flaws.items() if symbol not in unknown}
        return PriceHistory(dates, closes, flaws, flawed_from)._sharing(self)

    def select(self, symbols: Iterable[str]) -> "PriceHistory":
        """These symbols alone, on the same calendar."""
        wanted = sorted(set(symbols))
        return PriceHistory(
            self.dates,
            {symbol: self.closes[symbol] for symbol in wanted if symbol in self.closes},
            {symbol: self.flaws[symbol] for symbol in wanted if symbol in self.flaws},
            {symbol: self.flawed_from[symbol] for symbol in wanted if symbol in self.flawed_from},
        )._sharing(self)

    def _sharing(self, whole: "PriceHistory") -> Self:
        object.__setattr__(self, "computed", whole.computed)
        return self

    def of(self, symbol: str) -> Floats:
        """Closes of one symbol, (T,); NaN throughout for one that is absent."""
        closes = self.closes.get(symbol)
        return np.full(self.dates.shape, np.nan) if closes is None else closes

    @property
    def digest(self) -> str:
        """SHA-256 over symbols, dates and closes; independent of what other symbols share the calendar."""
        digest = hashlib.sha256()
        for symbol in sorted(self.closes):
            closes = self.closes[symbol]
            present = ~np.isnan(closes)
            digest.update(f"{symbol}:{int(present.sum())}\n".encode())
            digest.update(self.dates[present].astype("<i8").tobytes())
            digest.update(closes[present].astype("<f8").tobytes())
        return digest.hexdigest()


def _flaw(dates: Dates, closes: Floats) -> tuple[np.datetime64, str] | None:
    """The first day whose bar must not be used, and why."""
    wrong = np.flatnonzero(~(np.isfinite(closes) & (closes > 0)))
    found = [(dates[at], f"the close of {dates[at]} is {closes[at]}") for at in wrong[np.argsort(dates[wrong])][:1]]
    ordered = dates if _ascends(dates) else np.sort(dates)
    twice = ordered[~changes(ordered)][:1]
    return min([*found, *((day, f"{day} has more than one bar") for day in twice)], default=None)


def _before(dates: Dates, closes: Floats, day: np.datetime64) -> tuple[Dates, Floats]:
    return dates[dates < day], closes[dates < day]


def _ascends(dates: Dates) -> bool:
    return bool(np.all(dates[1:] > dates[:-1]))


def _union(calendars: Iterable[Dates]) -> Dates:
    """Every day of any calendar, ascending; most calendars are parts of others."""
    union = np.array([], dtype=DAY)
    for calendar in calendars:
        if not np.array_equal(calendar, union[len(union) - len(calendar) :]):
            merged = np.sort(np.concatenate([union, calendar]))
            union = merged[changes(merged)]
    return union


def _on(calendar: Dates, dates: Dates, closes: Floats) -> Floats:
    if len(dates) == len(calendar) and _ascends(dates):
        return closes.astype(np.float64, copy=False)
    values = np.full(calendar.shape, np.nan)
    values[np.searchsorted(calendar, dates)] = closes
    return values
