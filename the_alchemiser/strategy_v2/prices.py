"""What may be decided on: the adjusted closes of the lake through as_of, and which symbols have none to use. Pure."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from the_alchemiser.shared.bars import DailyBar
from the_alchemiser.shared.lake import Entry
from the_alchemiser.shared.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Series:
    """Adjusted closes of one symbol, USD a share, dates ascending, the last one as_of."""

    dates: tuple[date, ...]
    closes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """Every symbol asked for is in exactly one of the two; absent maps it to the reason."""

    series: Mapping[str, Series]
    absent: Mapping[str, str]


def usable(entries: Mapping[str, Entry], verdict: Verdict, *, as_of: date) -> Prices:
    """Cut bars at as_of; quarantined, damaged, missing and stale symbols are absent."""
    absent = {symbol: reason for symbol, entry in entries.items() if (reason := _unfit(entry, verdict, as_of))}
    series = {symbol: _cut(entry, as_of) for symbol, entry in entries.items() if symbol not in absent}
    return Prices(series, absent)


def _unfit(entry: Entry, verdict: Verdict, as_of: date) -> str | None:
    if entry.symbol in verdict.quarantined:
        return f"quarantined: {verdict.quarantined[entry.symbol]}"
    if entry.fault is not None:
        return entry.fault
    count = bisect_right(entry.bars, as_of, key=_date)
    last = entry.bars[count - 1].date if count else None
    return None if last == as_of else f"stale: last bar {last or 'none'}, expected {as_of}"


def _cut(entry: Entry, as_of: date) -> Series:
    bars = entry.bars[: bisect_right(entry.bars, as_of, key=_date)]
    return Series(tuple(bar.date for bar in bars), tuple(bar.adjusted for bar in bars))


def _date(bar: DailyBar) -> date:
    return bar.date
