"""What can be wrong with a symbol's bars. Pure; every check looks at the bars through as_of alone."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from the_alchemiser.shared.market_data.bars import DailyBar
from the_alchemiser.shared.market_data.lake import Described, Entry


class History(NamedTuple):
    """Bars through as_of in the file's order, and the sessions the exchange held, ascending, through as_of."""

    bars: Sequence[DailyBar]
    sessions: Sequence[date]
    as_of: date


Check = Callable[[History], str | None]


def faults(entry: Entry, described: Described, *, sessions: Iterable[date], as_of: date) -> tuple[str, ...]:
    """Everything wrong with a symbol, each as `code: detail`; empty when its bars are fit for decisions.

    Args:
        sessions: the exchange's, from the symbol's first bar or earlier, through as_of or later.
    """
    if entry.fault is not None:
        return (entry.fault,)
    bars = tuple(bar for bar in entry.bars if bar.date <= as_of)
    history = History(bars, sorted(day for day in sessions if day <= as_of), as_of)
    found = (_undescribed(entry, described), *(check(history) for check in CHECKS))
    return tuple(fault for fault in found if fault is not None)


def duplicate(history: History) -> str | None:
    """A date told twice."""
    counts = Counter(bar.date for bar in history.bars)
    return _told("duplicate", (day for day, count in counts.items() if count > 1))


def disorder(history: History) -> str | None:
    """A bar before its predecessor."""
    return _told("disorder", (late.date for early, late in pairwise(history.bars) if late.date < early.date))


def non_positive(history: History) -> str | None:
    """A price that is zero, negative or not a number."""
    return _told("non-positive", (bar.date for bar in history.bars if not all(map(_is_price, _prices(bar)))))


def inverted(history: History) -> str | None:
    """A high below the open or close, or a low above."""
    return _told("inverted", (bar.date for bar in history.bars if not _is_upright(bar)))


def gap(history: History) -> str | None:
    """A session without a bar, between the first bar and the last."""
    present = {bar.date for bar in history.bars}
    if not present:
        return None
    first, last = min(present), max(present)
    return _told("gap", (day for day in history.sessions if first <= day <= last and day not in present))


def closed(history: History) -> str | None:
    """A bar on a day the exchange held no session."""
    sessions = set(history.sessions)
    return _told("closed", (bar.date for bar in history.bars if bar.date not in sessions))


def stale(history: History) -> str | None:
    """The last bar is not that of as_of."""
    last = max((bar.date for bar in history.bars), default=None)
    if last == history.as_of:
        return None
    return f"stale: last bar {last or 'none'}, expected {history.as_of}"


CHECKS: tuple[Check, ...] = (duplicate, disorder, non_positive, inverted, gap, closed, stale)


def _undescribed(entry: Entry, described: Described) -> str | None:
    if described.description is None:
        return "digest: no description beside the bars"
    if described.description.digest != entry.digest:
        return "digest: the description is of other bars"
    return None


def _told(code: str, days: Iterable[date]) -> str | None:
    found = sorted(set(days))
    if not found:
        return None
    return f"{code}: {found[0]}" + (f" and {len(found) - 1} more" if found[1:] else "")


def _prices(bar: DailyBar) -> tuple[float, ...]:
    return (bar.open, bar.high, bar.low, bar.close, bar.adjusted)


def _is_price(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _is_upright(bar: DailyBar) -> bool:
    return bar.high >= max(bar.open, bar.close) and bar.low <= min(bar.open, bar.close)
