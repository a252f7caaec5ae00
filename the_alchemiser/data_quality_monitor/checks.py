"""The checks that a symbol's bars alone decide. Pure. Every check uses only the bars through as_of."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.market_data.bars import DailyBar
from the_alchemiser.shared.market_data.lake import LakeEntry, StoredDescription
from the_alchemiser.shared.records import Frozen

SMALLEST_SPLIT = Decimal("1.25")  # a smaller one cannot be told from an ordinary day's move
DAYS_SHOWN = 3


class Fault(Frozen):
    """What is wrong with a symbol's bars: a code that never changes its spelling, and a phrase for people."""

    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Sessions(Frozen):
    """The sessions of the exchange, ascending.

    Attributes:
        agreed: those that the broker's calendar and the shipped one have.
        disputed: days that only one of the two has. A bar of such a day may be there or missing.
    """

    agreed: Sequence[date]
    disputed: frozenset[date] = frozenset()


class History(Frozen):
    """The bars of a symbol through as_of in the file's order, and the exchange's sessions.

    Attributes:
        splits: the symbol's known splits, of any date.
        refresh_error: what the latest refresh said, if it failed.
        repaired: what the latest refresh has repaired.
    """

    bars: Sequence[DailyBar]
    sessions: Sessions
    as_of: date
    splits: Sequence[CorporateAction] = ()
    refresh_error: str = ""
    repaired: str = ""


Check = Callable[[History], str | None]


def find_faults(entry: LakeEntry, described: StoredDescription, history: History) -> tuple[Fault, ...]:
    """Return every fault of a symbol that its bars show; none when they may be used as far as they alone can say.

    Args:
        history: of the entry's bars.
    """
    if entry.fault is not None:
        code, _, detail = entry.fault.partition(": ")
        return (Fault(code, detail),)

    results = {"digest": _check_description(entry, described)}
    results |= {code: check(history) for code, check in CHECKS.items()}
    return tuple(Fault(code, detail) for code, detail in results.items() if detail is not None)


def duplicate(history: History) -> str | None:
    """Report dates with two bars."""
    counts = Counter(bar.date for bar in history.bars)
    return day_list(day for day, count in counts.items() if count > 1)


def disorder(history: History) -> str | None:
    """Report bars that are earlier than the bar before them."""
    return day_list(late.date for early, late in pairwise(history.bars) if late.date < early.date)


def non_positive(history: History) -> str | None:
    """Report bars with a price that is zero, negative or not finite."""
    return day_list(bar.date for bar in history.bars if not all(map(_is_price, _prices(bar))))


def inverted(history: History) -> str | None:
    """Report bars whose high is below, or whose low is above, the open or close."""
    return day_list(bar.date for bar in history.bars if not _is_upright(bar))


def gap(history: History) -> str | None:
    """Report sessions without a bar between the first and the last bar."""
    return day_list(missing_sessions(history))


def missing_sessions(history: History) -> tuple[date, ...]:
    """Return the sessions without a bar between the first and the last bar, ascending."""
    present = {bar.date for bar in history.bars}
    if not present:
        return ()
    first, last = min(present), max(present)
    return tuple(day for day in history.sessions.agreed if first <= day <= last and day not in present)


def closed(history: History) -> str | None:
    """Report bars on days without a session."""
    sessions = history.sessions.disputed.union(history.sessions.agreed)
    return day_list(bar.date for bar in history.bars if bar.date not in sessions)


def stale(history: History) -> str | None:
    """Report a last bar that is not the bar of as_of."""
    last = max((bar.date for bar in history.bars), default=None)
    if last == history.as_of:
        return None
    why = f"; the refresh failed: {history.refresh_error}" if history.refresh_error else ""
    return f"last bar {last or 'none'}, expected {history.as_of}{why}"


def unadjusted(history: History) -> str | None:
    """Report splits that the bars show as a jump of the price: bars of the lake are adjusted, so they show none."""
    return day_list(split.ex_date for split in history.splits if _shows_jump(split, history.bars))


CHECKS: Mapping[str, Check] = {
    "duplicate": duplicate,
    "disorder": disorder,
    "non-positive": non_positive,
    "inverted": inverted,
    "gap": gap,
    "closed": closed,
    "stale": stale,
    "unadjusted": unadjusted,
}


def day_list(days: Iterable[date]) -> str | None:
    """Return the first days and how many more there are; None when there is none."""
    distinct = sorted(set(days))
    if not distinct:
        return None
    shown = ", ".join(map(str, distinct[:DAYS_SHOWN]))
    more = len(distinct) - DAYS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _check_description(entry: LakeEntry, described: StoredDescription) -> str | None:
    if described.description is None:
        return "the bars have no description"
    if described.description.digest != entry.digest:
        return "the description belongs to other bars"
    return None


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
