"""The checks of a symbol's bars. Pure. Every check uses only the bars through as_of."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.market_data.bars import DailyBar
from the_alchemiser.shared.market_data.lake import LakeEntry, StoredDescription
from the_alchemiser.shared.records import Frozen

SMALLEST_SPLIT = Decimal("1.25")  # a smaller one cannot be told from an ordinary day's move


class History(Frozen):
    """The bars of a symbol through as_of in the file's order, and the exchange's sessions through as_of, ascending.

    `splits` are the symbol's known splits, of any date.
    """

    bars: Sequence[DailyBar]
    sessions: Sequence[date]
    as_of: date
    splits: Sequence[CorporateAction] = ()


Check = Callable[[History], str | None]


def find_faults(
    entry: LakeEntry,
    described: StoredDescription,
    *,
    sessions: Iterable[date],
    as_of: date,
    splits: Sequence[CorporateAction] = (),
) -> tuple[str, ...]:
    """Return every fault of a symbol as `code: detail`; none when its bars may be used for decisions.

    Args:
        sessions: all sessions of the exchange from the symbol's first bar, or earlier, through as_of, or later.
        splits: the symbol's known splits.
    """
    if entry.fault is not None:
        return (entry.fault,)

    bars = tuple(bar for bar in entry.bars if bar.date <= as_of)
    history = History(bars, sorted(day for day in sessions if day <= as_of), as_of, splits)
    results = (_check_description(entry, described), *(check(history) for check in CHECKS))
    return tuple(fault for fault in results if fault is not None)


def duplicate(history: History) -> str | None:
    """Report dates with two bars."""
    counts = Counter(bar.date for bar in history.bars)
    return _fault("duplicate", (day for day, count in counts.items() if count > 1))


def disorder(history: History) -> str | None:
    """Report bars that are earlier than the bar before them."""
    return _fault("disorder", (late.date for early, late in pairwise(history.bars) if late.date < early.date))


def non_positive(history: History) -> str | None:
    """Report bars with a price that is zero, negative or not finite."""
    return _fault("non-positive", (bar.date for bar in history.bars if not all(map(_is_price, _prices(bar)))))


def inverted(history: History) -> str | None:
    """Report bars whose high is below, or whose low is above, the open or close."""
    return _fault("inverted", (bar.date for bar in history.bars if not _is_upright(bar)))


def gap(history: History) -> str | None:
    """Report sessions without a bar between the first and the last bar."""
    present = {bar.date for bar in history.bars}
    if not present:
        return None
    first, last = min(present), max(present)
    return _fault("gap", (day for day in history.sessions if first <= day <= last and day not in present))


def closed(history: History) -> str | None:
    """Report bars on days without a session."""
    sessions = set(history.sessions)
    return _fault("closed", (bar.date for bar in history.bars if bar.date not in sessions))


def stale(history: History) -> str | None:
    """Report a last bar that is not the bar of as_of."""
    last = max((bar.date for bar in history.bars), default=None)
    if last == history.as_of:
        return None
    return f"stale: last bar {last or 'none'}, expected {history.as_of}"


def unadjusted(history: History) -> str | None:
    """Report splits that the bars show as a jump of the price: bars of the lake are adjusted, so they show none."""
    return _fault("unadjusted", (split.ex_date for split in history.splits if _shows_jump(split, history.bars)))


CHECKS: tuple[Check, ...] = (duplicate, disorder, non_positive, inverted, gap, closed, stale, unadjusted)


def _check_description(entry: LakeEntry, described: StoredDescription) -> str | None:
    if described.description is None:
        return "digest: the bars have no description"
    if described.description.digest != entry.digest:
        return "digest: the description belongs to other bars"
    return None


def _fault(code: str, days: Iterable[date]) -> str | None:
    faulty_days = sorted(set(days))
    if not faulty_days:
        return None
    more = f" and {len(faulty_days) - 1} more" if len(faulty_days) > 1 else ""
    return f"{code}: {faulty_days[0]}{more}"


def _shows_jump(split: CorporateAction, bars: Sequence[DailyBar]) -> bool:
    """Return whether the move over the ex-date is that of the split, give or take a quarter of it (logarithms)."""
    before = [bar.close for bar in bars if bar.date < split.ex_date]
    after = [bar.open for bar in bars if bar.date >= split.ex_date]
    if not before or not after or not _is_price(before[-1]) or not _is_price(after[0]):
        return False
    if max(split.ratio, 1 / split.ratio) < SMALLEST_SPLIT:
        return False

    jump = -math.log(split.ratio)
    move = math.log(after[0] / before[-1])
    return abs(move - jump) < abs(jump) / 4


def _prices(bar: DailyBar) -> tuple[float, ...]:
    return (bar.open, bar.high, bar.low, bar.close, bar.adjusted)


def _is_price(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _is_upright(bar: DailyBar) -> bool:
    return bar.high >= max(bar.open, bar.close) and bar.low <= min(bar.open, bar.close)
