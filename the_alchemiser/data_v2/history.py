"""What to ask of the broker for a symbol, and how the answer joins what is stored. Pure."""

from bisect import bisect_right
from datetime import date

from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.lake import Description, Entry

OVERLAP_SESSIONS = 10


def history_start(as_of: date, *, years: int) -> date:
    """The same day that many years earlier; 28 February for 29 February."""
    try:
        return as_of.replace(year=as_of.year - years)
    except ValueError:
        return as_of.replace(year=as_of.year - years, day=28)


def whole_start(described: Description | None, start: date) -> date:
    """Where a whole fetch begins: never later than an earlier one did, so that no history is lost."""
    if described is None or described.asked_from is None:
        return start
    return min(described.asked_from, start)


def fetch_start(entry: Entry, described: Description | None, *, as_of: date, start: date) -> date:
    """Where the next fetch of a symbol begins: an overlap before its last bar, or the start of its history.

    The history is asked for whole where nothing usable is stored, or where less was asked for than is wanted now.
    """
    stored = bisect_right(entry.bars, as_of, key=_date)
    is_deep_enough = described is not None and described.asked_from is not None and described.asked_from <= start
    if not stored or not is_deep_enough:
        return whole_start(described, start)
    return entry.bars[max(stored - OVERLAP_SESSIONS, 0)].date


def join(stored: Bars, fetched: Bars) -> Bars | None:
    """Stored bars before the fetch, then the fetched; None when history has moved and must be fetched whole.

    History has moved when the two disagree on a session or a price where they overlap: an adjusted price changes
    with every later split and dividend, all the way back. A corrected volume changes nothing before it.

    Args:
        fetched: at least one bar, dates ascending.
    """
    first, last = fetched[0].date, fetched[-1].date
    overlap = tuple(bar for bar in stored if first <= bar.date <= last)
    if not overlap:
        return fetched if not stored else None
    renewed = tuple(bar for bar in fetched if bar.date <= overlap[-1].date)
    if tuple(map(_prices, overlap)) != tuple(map(_prices, renewed)):
        return None
    return (*(bar for bar in stored if bar.date < first), *fetched)


def _date(bar: DailyBar) -> date:
    return bar.date


def _prices(bar: DailyBar) -> tuple[date, float, float, float, float]:
    return (bar.date, bar.open, bar.high, bar.low, bar.close)
