"""Adjusted closes of the symbols of a strategy, on one calendar."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from the_alchemiser.strategy_v2.arrays import Dates, Floats

DAY = "datetime64[D]"


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """Closes of many symbols.

    Attributes:
        dates: (T,) datetime64[D], ascending, none twice: the sessions.
        closes: per symbol (T,) adjusted closes, USD, above 0; NaN where the symbol has no bar.
        flaws: symbols whose bars must not be used, and why; they count as absent.
    """

    dates: Dates
    closes: Mapping[str, Floats]
    flaws: Mapping[str, str] = field(default_factory=dict)

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

        A symbol with a close that is no price, or with two bars of one day, becomes a flaw: it does no harm unless a
        decision needs it.
        """
        bars = {symbol: (dates.astype(DAY, copy=False), closes) for symbol, (dates, closes) in series.items()}
        found = {symbol: _flaw(dates, closes) for symbol, (dates, closes) in bars.items()}
        known = {**{symbol: flaw for symbol, flaw in found.items() if flaw}, **(flaws or {})}
        usable = {symbol: own for symbol, own in bars.items() if symbol not in known}
        calendar = _union(dates for dates, _ in usable.values())
        return cls(calendar, {symbol: _on(calendar, *own) for symbol, own in usable.items()}, known)

    def through(self, as_of: date) -> "PriceHistory":
        """What was known at the close of as_of; when no symbol has a bar of it, it is there without prices."""
        last = np.datetime64(as_of, "D")
        count = int(np.searchsorted(self.dates, last, side="right"))
        cut = {symbol: closes[:count] for symbol, closes in self.closes.items()}
        if count and self.dates[count - 1] == last:
            return PriceHistory(self.dates[:count], cut, self.flaws)
        padded = {symbol: np.append(closes, np.nan) for symbol, closes in cut.items()}
        return PriceHistory(np.append(self.dates[:count], last).astype(DAY), padded, self.flaws)

    def select(self, symbols: Iterable[str]) -> "PriceHistory":
        """These symbols alone, on the same calendar."""
        wanted = sorted(set(symbols))
        return PriceHistory(
            self.dates,
            {symbol: self.closes[symbol] for symbol in wanted if symbol in self.closes},
            {symbol: self.flaws[symbol] for symbol in wanted if symbol in self.flaws},
        )

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


def _flaw(dates: Dates, closes: Floats) -> str:
    wrong = np.flatnonzero(~(np.isfinite(closes) & (closes > 0)))
    if wrong.size:
        return f"the close of {dates[wrong[0]]} is {closes[wrong[0]]}"
    ordered = dates if _ascends(dates) else np.sort(dates)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return f"{twice[0]} has more than one bar" if twice.size else ""


def _ascends(dates: Dates) -> bool:
    return bool(np.all(dates[1:] > dates[:-1]))


def _union(calendars: Iterable[Dates]) -> Dates:
    """Every day of any calendar, ascending; most calendars are parts of others."""
    union = np.array([], dtype=DAY)
    for calendar in calendars:
        if not np.array_equal(calendar, union[len(union) - len(calendar) :]):
            union = np.union1d(union, calendar)
    return union


def _on(calendar: Dates, dates: Dates, closes: Floats) -> Floats:
    if len(dates) == len(calendar) and _ascends(dates):
        return closes.astype(np.float64, copy=False)
    values = np.full(calendar.shape, np.nan)
    values[np.searchsorted(calendar, dates)] = closes
    return values
