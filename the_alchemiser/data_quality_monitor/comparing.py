"""Compare a symbol's bars with those of the second source. Pure.

Both sources adjust their prices, each as of another day, so only ratios can be compared: the logarithm of one close
divided by the other must stay where it is. A bar on which it leaves its level is a disagreement. From where on it has
another level, one of the sources is not adjusted for something: a split, or a dividend.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind, median
from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.market_data.bars import DailyBar
from the_alchemiser.shared.records import Frozen

DISAGREEMENT, UNADJUSTED, FLAT, UNCONFIRMED = "disagreement", "unadjusted", "flat", "unconfirmed"
LARGEST_DIFFERENCE = 0.02
"""Closes of one session may differ by 2 %: exchanges close at their own prices."""
LARGEST_SHIFT = 0.004
"""A level may change by 0.4 %; most dividends are larger. It is the median of some sessions, so single closes do not
matter."""
LEVEL_SESSIONS = 5
FEWEST_SESSIONS = 3
"""A level needs so many sessions, unless it changes by more than single closes may."""
CENT = 0.01
"""Prices may be rounded to cents, which matters for low ones."""
_FLAT_RANGE = 0.001
_VOLUME_FACTOR = 2.0
_SPLITS = (
    "2:1",
    "3:1",
    "4:1",
    "5:1",
    "6:1",
    "7:1",
    "8:1",
    "10:1",
    "15:1",
    "20:1",
    "25:1",
    "30:1",
    "50:1",
    "3:2",
    "4:3",
)
_SPLIT_TOLERANCE = 0.015


class SecondBar(Frozen):
    """What the second source has for one session: the adjusted close in USD per share, and the volume in shares."""

    close: float
    volume: float


class Dispute(Frozen):
    """A day on which the two sources contradict each other.

    Attributes:
        code: disagreement, unadjusted or flat.
        move: of the lake's close on this day; of a flat series, its sessions. While the lake still has it, the dispute
            is open.
        second: the move of the second source's close; of a flat series, the range of its closes. None in what earlier
            releases have stored.
    """

    code: str
    date: date
    move: float
    detail: str
    second: float | None = None


class Comparison(Frozen):
    """The result: the doubts that the second source confirms, and the disputes. Other doubts it knows nothing of."""

    confirmed: tuple[Doubt, ...]
    disputes: tuple[Dispute, ...]


class _Point(Frozen):
    """One session that both sources have."""

    date: date
    lake: float
    second: float

    @property
    def level(self) -> float:
        return math.log(self.lake / self.second)

    @property
    def rounding(self) -> float:
        return CENT / min(self.lake, self.second)


def compare(
    bars: Sequence[DailyBar],
    second: Mapping[date, SecondBar],
    doubts: Iterable[Doubt],
    actions: Iterable[CorporateAction] = (),
) -> Comparison:
    """Compare all sessions that both sources have.

    Args:
        bars: of the lake, with valid prices, dates strictly ascending.
        second: valid bars of the second source.
        doubts: of these bars.
        actions: the symbol's corporate actions; they explain differences right on their ex-dates.
    """
    points = [_Point(bar.date, bar.adjusted, second[bar.date].close) for bar in bars if bar.date in second]
    disputes = {dispute.date: dispute for dispute in _differences(points, {action.ex_date for action in actions})}
    numbers = {bar.date: number for number, bar in enumerate(bars)}

    confirmed: list[Doubt] = []
    for doubt in doubts:
        answer = _answer(doubt, bars, numbers[doubt.date], second)
        if answer is None or (doubt.date in disputes and not isinstance(answer, Dispute)):
            continue
        if isinstance(answer, Dispute):
            # What the comparison of levels says of a move is more precise.
            disputes[doubt.date] = answer if answer.code == FLAT else disputes.get(doubt.date, answer)
        else:
            confirmed.append(doubt)
    return Comparison(tuple(confirmed), _without_consequences(disputes, bars, numbers))


def _without_consequences(
    disputes: Mapping[date, Dispute], bars: Sequence[DailyBar], numbers: Mapping[date, int]
) -> tuple[Dispute, ...]:
    """Return the disputes by date. A repeated price differs on each of its days, and once more when it moves again."""
    consequences: set[date] = set()
    for dispute in disputes.values():
        if dispute.code == FLAT:
            start = number = numbers[dispute.date]
            while number < len(bars) and bars[number].adjusted == bars[start].adjusted:
                number += 1
            consequences.update(bar.date for bar in bars[start + 1 : number + 1])
    return tuple(disputes[day] for day in sorted(disputes.keys() - consequences))


def _differences(points: Sequence[_Point], ex_dates: set[date]) -> Iterable[Dispute]:
    levels = [point.level for point in points]
    for number in range(1, len(points)):
        before, point = points[number - 1], points[number]
        rounding = before.rounding + point.rounding
        jump = abs(levels[number] - levels[number - 1])
        if jump <= LARGEST_SHIFT + rounding:
            continue

        earlier, later = levels[max(number - LEVEL_SESSIONS, 0) : number], levels[number : number + LEVEL_SESSIONS]
        shift = median(later) - median(earlier)
        is_level = min(len(earlier), len(later)) >= FEWEST_SESSIONS
        if abs(shift) > LARGEST_SHIFT + rounding and (is_level or point.date in ex_dates):
            yield _dispute(UNADJUSTED, before, point, f"; {explain_shift(shift)}")
        elif abs(levels[number] - median(earlier)) > LARGEST_DIFFERENCE + rounding:
            split = named_split(shift)
            code = UNADJUSTED if split else DISAGREEMENT
            yield _dispute(code, before, point, f"; {explain_shift(shift)}" if split else "")


def explain_shift(shift: float) -> str:
    """Return what the change of a level looks like."""
    split = named_split(shift)
    if split:
        return f"one of them is not adjusted for a split of {split}"
    size = 100 * (math.exp(abs(shift)) - 1)
    return f"one of them is not adjusted for a dividend or another event of {size:.2f} %"


def named_split(shift: float) -> str:
    """Return the usual split that changes a level so much, such as `10:1`; empty when none does."""
    for split in _SPLITS:
        new, old = map(int, split.split(":"))
        if abs(abs(shift) - math.log(new / old)) < _SPLIT_TOLERANCE:
            return split
    return ""


def _dispute(code: str, before: _Point, point: _Point, explanation: str = "") -> Dispute:
    move, second = point.lake / before.lake - 1, point.second / before.second - 1
    detail = f"{point.date}: the bars move by {percent(move)}, the second source by {percent(second)}{explanation}"
    return Dispute(code, point.date, move, detail, second)


def percent(move: float) -> str:
    """Return a move in percent, with its sign."""
    return f"{100 * move:+.2f} %"


def _answer(
    doubt: Doubt, bars: Sequence[DailyBar], number: int, second: Mapping[date, SecondBar]
) -> bool | Dispute | None:
    """Return True when the second source confirms a doubt, the dispute when it contradicts, None when it cannot say."""
    match doubt.kind:
        case DoubtKind.MOVE:
            return _answer_move(bars[number - 1], bars[number], second)
        case DoubtKind.FLAT:
            return _answer_flat(bars[number : number + int(doubt.value)], second)
        case DoubtKind.VOLUME:
            return _answer_volume(bars[number], second)


def _answer_move(before: DailyBar, bar: DailyBar, second: Mapping[date, SecondBar]) -> bool | Dispute | None:
    if before.date not in second or bar.date not in second:
        return None
    earlier, later = (_Point(own.date, own.adjusted, second[own.date].close) for own in (before, bar))
    is_same = abs(later.level - earlier.level) <= LARGEST_DIFFERENCE + earlier.rounding + later.rounding
    return True if is_same else _dispute(DISAGREEMENT, earlier, later)


def _answer_flat(series: Sequence[DailyBar], second: Mapping[date, SecondBar]) -> bool | Dispute | None:
    closes = [second[bar.date].close for bar in series if bar.date in second]
    if len(closes) < 2:
        return None
    spread = max(closes) / min(closes) - 1
    if spread <= _FLAT_RANGE:
        return True
    first, last = series[0].date, series[-1].date
    detail = f"{first} to {last}: the bars repeat a price that moves by {100 * spread:.2f} % in the second source"
    return Dispute(FLAT, first, float(len(series)), detail, spread)


def _answer_volume(bar: DailyBar, second: Mapping[date, SecondBar]) -> bool | None:
    known = second.get(bar.date)
    if known is None or known.volume <= 0 or bar.volume <= 0:
        return None
    return True if 1 / _VOLUME_FACTOR <= bar.volume / known.volume <= _VOLUME_FACTOR else None
