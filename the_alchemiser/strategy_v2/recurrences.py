"""Averages in which each value depends on the one before it, for many series at once.

The series are the columns of a table, and one loop over time advances all of them with a few operations per row. Each
column undergoes the same operations as it would by itself, so its values are the same to the last bit. All series end
in the last row, so a caller that needs only the last averages keeps no rows before it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

_COLUMNS = 256
"""Series per loop: a block of ten years stays within a few megabytes."""
_COLUMNS_OF_LAST = 2048
"""The same, where no rows are kept."""
_ROWS = 64
"""Rows that are put in order at once: what is read for them fits into a processor's cache."""
_FEW = 12
"""Up to this number, series are faster one by one, as plain floats."""
_PADDING = 1.0
"""The filler before shorter series; zeros would decay to denormal numbers, on which arithmetic is slow."""

Advance = Callable[[Any, Iterable[Any], Any], Iterator[Any]]
"""Yields the average after each value, given the first average, the values that follow it, and the window.

They are floats, or arrays of all columns; an array of averages is changed in place, which is faster.
"""


class _Column(NamedTuple):
    """One series, its position in the results, and the length of its averages."""

    at: int
    series: Floats
    window: int
    length: int

    @property
    def seed(self) -> float:
        """The first average: the mean of the first window."""
        return float(self.series[: self.window].sum() / self.window)


def exponential(last: Any, values: Iterable[Any], window: Any) -> Iterator[Any]:
    """Yield exponential averages with alpha 2 / (window + 1)."""
    alpha = 2 / (window + 1)
    for value in values:
        last += (value - last) * alpha
        yield last


def wilder(last: Any, values: Iterable[Any], window: Any) -> Iterator[Any]:
    """Yield Wilder averages."""
    kept = window - 1
    for value in values:
        last *= kept
        last += value
        last /= window
        yield last


def all_averages(series: Sequence[Floats], windows: Sequence[int], advance: Advance) -> list[Floats]:
    """Return the averages of each series, seeded with the mean of its first window.

    Returns:
        One array per series, of the same length; NaN before the seed.
    """
    out = [np.full(len(values), np.nan) for values in series]
    for column, averages in _averages(series, windows, advance, keeps_all=True):
        out[column.at][column.window - 1 :] = averages[-column.length :]
    return out


def last_averages(series: Sequence[Floats], windows: Sequence[int], advance: Advance) -> Floats:
    """Return the last value of each array that `all_averages` returns; NaN if the series is shorter than its window."""
    out = np.full(len(series), np.nan)
    for column, averages in _averages(series, windows, advance, keeps_all=False):
        out[column.at] = averages[-1]
    return out


def _averages(
    series: Sequence[Floats], windows: Sequence[int], advance: Advance, *, keeps_all: bool
) -> Iterator[tuple[_Column, Any]]:
    """Yield each series that is long enough with its averages or the last one; meaningless ones may come first."""
    sized = [(values, window, len(values) - window + 1) for values, window in zip(series, windows, strict=True)]
    columns = [_Column(at, *column) for at, column in enumerate(sized) if column[-1] > 0]
    columns.sort(key=attrgetter("length"), reverse=True)

    size = _COLUMNS if keeps_all else _COLUMNS_OF_LAST
    for start in range(0, len(columns), size):
        block = columns[start : start + size]
        run = _side_by_side if len(block) > _FEW else _one_by_one
        yield from zip(block, run(block, advance, keeps_all=keeps_all), strict=True)


def _one_by_one(block: Sequence[_Column], advance: Advance, *, keeps_all: bool) -> Iterator[Sequence[float]]:
    for column in block:
        later = advance(column.seed, column.series[column.window :].tolist(), float(column.window))
        every = chain((column.seed,), later)
        yield list(every) if keeps_all else deque(every, 1)


def _side_by_side(block: Sequence[_Column], advance: Advance, *, keeps_all: bool) -> Floats:
    length = block[0].length
    last = np.full(len(block), _PADDING)
    windows = np.array([column.window for column in block], dtype=np.float64)
    steps = advance(last, _rows_from_first_seed(block, length), windows)
    rows = np.empty((length if keeps_all else 0, len(block)))

    # Columns with the same number of averages get their seeds together, and all columns advance up to the next seeds.
    seeded = [(count, list(columns)) for count, columns in groupby(range(len(block)), lambda at: block[at].length)]
    for (count, columns), following in pairwise([*seeded, (0, [])]):
        next(steps)
        last[columns] = [block[column].seed for column in columns]
        for row, _ in zip(range(length - count, length - following[0]), chain((last,), steps), strict=False):
            if keeps_all:
                rows[row] = last

    return rows.T if keeps_all else last[:, np.newaxis]


def _rows_from_first_seed(block: Sequence[_Column], length: int) -> Iterator[Floats]:
    """Yield the values of all columns, row by row; shorter series are padded."""
    distinct = {id(column.series): column.series for column in block}
    padded = np.full((len(distinct), length), _PADDING)
    for row, series in zip(padded, distinct.values(), strict=True):
        row[-len(series) :] = series[-length:]

    place = {key: at for at, key in enumerate(distinct)}
    columns = np.array([place[id(column.series)] for column in block])
    for start in range(0, length, _ROWS):
        # A copy puts each row together in memory, and a copy of few rows is fast.
        yield from padded[:, start : start + _ROWS].T.copy().take(columns, axis=1)
