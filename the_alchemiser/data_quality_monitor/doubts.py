"""What bars show that may be true or a fault, so that the second source must say which. Pure."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from the_alchemiser.shared.market_data.bars import DailyBar
from the_alchemiser.shared.records import Frozen

LARGEST_MOVE = 0.10
"""A one-day move of a tenth, up or down, is doubtful. In a calm year an index fund has none, a share one or two."""
FLAT_SESSIONS = 5
"""So many equal closes in a row are doubtful. Since prices are decimal, the bundled symbols had three at most."""
VOLUME_FACTOR = 20.0
"""A volume of 20 times the usual one, or a twentieth of it, is doubtful."""
VOLUME_SESSIONS = 20
"""The usual volume is the median of so many sessions before."""
_SAME = 0.005


class DoubtKind(StrEnum):
    """What is doubtful."""

    MOVE = "move"
    FLAT = "flat"
    VOLUME = "volume"


class Doubt(Frozen, order=True):
    """Something doubtful about a symbol's bars.

    Attributes:
        date: of the move or the volume; the first session of a flat series.
        value: of a move, the close divided by the one before, less 1; of a flat series, its sessions; of a volume, its
            multiple of the usual one.
    """

    kind: DoubtKind
    date: date
    value: float

    def is_same(self, earlier: "Doubt") -> bool:
        """Return whether an earlier check had this doubt. Adjusting prices again changes a move by almost nothing."""
        return (self.kind, self.date) == (earlier.kind, earlier.date) and abs(self.value - earlier.value) < _SAME


def find_doubts(bars: Sequence[DailyBar]) -> tuple[Doubt, ...]:
    """Return the doubts of bars with valid prices and strictly ascending dates."""
    return (*_moves(bars), *_flat_series(bars), *_volumes(bars))


def median(values: Sequence[float]) -> float:
    """Return the median of at least one value. `statistics` would take 2 ms of each cold start."""
    ascending = sorted(values)
    middle = len(ascending) // 2
    return ascending[middle] if len(ascending) % 2 else (ascending[middle - 1] + ascending[middle]) / 2


def _moves(bars: Sequence[DailyBar]) -> list[Doubt]:
    doubts = []
    for number in range(1, len(bars)):
        move = bars[number].adjusted / bars[number - 1].adjusted - 1
        if abs(move) >= LARGEST_MOVE:
            doubts.append(Doubt(DoubtKind.MOVE, bars[number].date, move))
    return doubts


def _flat_series(bars: Sequence[DailyBar]) -> list[Doubt]:
    """Return the series of equal closes that are too long, and the bars that repeat the whole bar before them."""
    doubts = []
    start = 0
    for number in range(1, len(bars) + 1):
        if number < len(bars) and bars[number].adjusted == bars[start].adjusted:
            continue
        if number - start >= FLAT_SESSIONS or any(_repeats(bars, at) for at in range(start + 1, number)):
            doubts.append(Doubt(DoubtKind.FLAT, bars[start].date, float(number - start)))
        start = number
    return doubts


def _repeats(bars: Sequence[DailyBar], number: int) -> bool:
    # Without a volume, a source that has only closes repeats a bar whenever the price stays.
    return bars[number].volume > 0 and bars[number][1:] == bars[number - 1][1:]


def _volumes(bars: Sequence[DailyBar]) -> list[Doubt]:
    volumes = [bar.volume for bar in bars]
    if not any(volumes):
        return []
    doubts = []
    for number in range(VOLUME_SESSIONS, len(bars)):
        usual = median(volumes[number - VOLUME_SESSIONS : number])
        multiple = volumes[number] / usual if usual > 0 else 1.0
        if not 1 / VOLUME_FACTOR < multiple < VOLUME_FACTOR:
            doubts.append(Doubt(DoubtKind.VOLUME, bars[number].date, multiple))
    return doubts
