"""Averages in which each value depends on the one before it, for many series at once.

The series are the columns of a table, and one loop over time advances all of them with a few operations per row. Each
column undergoes the same operations as it would by itself, so its values are the same to the last bit. All series end
in the last row, so a caller that needs only the last averages keeps no rows before it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import accumulate, groupby, islice, pairwise
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

Advance = Callable[[Any, Any], Any]
"""Returns the next average, given the last one and the next value; or those of all columns."""
MakeAdvance = Callable[[Any], Advance]
"""Returns the step function for a window, or for the windows of all columns."""
Run = Callable[[Advance, Any, Any], list[Any]]
"""Advances from a first average over the values that follow it, and returns all averages or only the last one."""


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


def exponential(window: Any) -> Advance:
    """Return the step of exponential averages with alpha 2 / (window + 1)."""
    alpha = 2 / (window + 1)
    return lambda last, value: last + (value - last) * alpha


def wilder(window: Any) -> Advance:
    """Return the step of Wilder averages."""
    kept = window - 1
    return lambda last, value: (last * kept + value) / window


def all_averages(series: Sequence[Floats], windows: Sequence[int], make_advance: MakeAdvance) -> list[Floats]:
    """Return the averages of each series, seeded with the mean of its first window.

    Returns:
        One array per series, of the same length; NaN before the seed.
    """
    out = [np.full(len(values), np.nan) for values in series]
    for block in _blocks(series, windows, size=_COLUMNS):
        for column, averages in zip(block, _averages(block, make_advance, _keep_all), strict=True):
            out[column.at][column.window - 1 :] = averages[-column.length :]
    return out


def last_averages(series: Sequence[Floats], windows: Sequence[int], make_advance: MakeAdvance) -> Floats:
    """Return the last value of each array that `all_averages` returns; NaN if the series is shorter than its window."""
    out = np.full(len(series), np.nan)
    for block in _blocks(series, windows, size=_COLUMNS_OF_LAST):
        for column, averages in zip(block, _averages(block, make_advance, _keep_last), strict=True):
            out[column.at] = averages[-1]
    return out


def _keep_all(advance: Advance, values: Iterable[Any], first: Any) -> list[Any]:
    return list(accumulate(values, advance, initial=first))


def _keep_last(advance: Advance, values: Iterable[Any], first: Any) -> list[Any]:
    return [reduce(advance, values, first)]


def _blocks(series: Sequence[Floats], windows: Sequence[int], *, size: int) -> Iterator[list[_Column]]:
    """Group the series that are long enough, those with the most averages first."""
    sized = [(values, window, len(values) - window + 1) for values, window in zip(series, windows, strict=True)]
    columns = [_Column(at, *column) for at, column in enumerate(sized) if column[-1] > 0]
    columns.sort(key=attrgetter("length"), reverse=True)
    for start in range(0, len(columns), size):
        yield columns[start : start + size]


def _averages(block: Sequence[_Column], make_advance: MakeAdvance, run: Run) -> Iterable[Sequence[float] | Floats]:
    """Return the averages of each column, as far as `run` keeps them; meaningless ones may come first."""
    if len(block) > _FEW:
        return _side_by_side(block, make_advance, run)
    return [
        run(make_advance(float(column.window)), column.series[column.window :].tolist(), column.seed)
        for column in block
    ]


def _side_by_side(block: Sequence[_Column], make_advance: MakeAdvance, run: Run) -> Floats:
    length = block[0].length
    values = _rows_from_first_seed(block, length)
    advance = make_advance(np.array([column.window for column in block], dtype=np.float64))
    rows = [np.full(len(block), _PADDING)]

    # Columns with the same number of averages get their seeds together, and all columns advance up to the next seeds.
    seeded = [(count, list(columns)) for count, columns in groupby(range(len(block)), lambda at: block[at].length)]
    for (count, columns), following in pairwise([*seeded, (0, [])]):
        first = advance(rows[-1], next(values))
        first[columns] = [block[column].seed for column in columns]
        rows += run(advance, islice(values, count - following[0] - 1), first)

    return np.array(rows[1:]).T


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
        for row in padded[:, start : start + _ROWS].T.copy():
            yield row.take(columns)
