"""Decide which bars to fetch for a symbol, and join fetched bars to stored ones. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date

from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.lake import Description, LakeEntry

OVERLAP_SESSIONS = 10  # stored sessions that are fetched again, to notice adjusted prices


def history_start(as_of: date, *, years: int) -> date:
    """Return the same day this many years earlier; 28 February instead of 29 February."""
    try:
        return as_of.replace(year=as_of.year - years)
    except ValueError:
        return as_of.replace(year=as_of.year - years, day=28)


def full_fetch_start(description: Description | None, start: date) -> date:
    """Return the first date of a full fetch: never later than that of an earlier one, so that no history is lost."""
    if description is None or description.asked_from is None:
        return start
    return min(description.asked_from, start)


def fetch_start(
    entry: LakeEntry, description: Description | None, *, as_of: date, start: date, splits: Iterable[date] = ()
) -> date:
    """Return the first date of the next fetch of a symbol.

    The fetch overlaps the stored bars through `as_of` by OVERLAP_SESSIONS. It is a full fetch when no usable bars are
    stored, when the stored history was requested from a later date than `start`, or when a split falls into the
    overlap: the bars before it are then outdated, whether or not the prices after it agree.

    Args:
        splits: ex-dates of the symbol's splits.
    """
    stored_count = bisect_right(entry.bars, as_of, key=_date)
    is_deep_enough = description is not None and description.asked_from is not None and description.asked_from <= start
    if not stored_count or not is_deep_enough:
        return full_fetch_start(description, start)

    overlap_start = entry.bars[max(stored_count - OVERLAP_SESSIONS, 0)].date
    if any(overlap_start <= ex_date <= as_of for ex_date in splits):
        return full_fetch_start(description, start)
    return overlap_start


def join_bars(stored: Bars, fetched: Bars) -> Bars | None:
    """Join the stored bars before the fetch to the fetched ones.

    Args:
        stored: dates ascending.
        fetched: at least one bar, dates ascending.

    Returns:
        The joined bars, or None when the whole history must be fetched again: the two do not overlap, or differ in a
        session or a price where they do. A split or dividend changes every earlier adjusted price, so the stored bars
        before the overlap are then outdated too. A corrected volume changes no earlier bar.
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
