"""Averages in which each value depends on the one before it, for many series at once.

The series are the columns of a table, and one loop over time advances all of them with a few operations per row. Each
column undergoes the same operations as it would by itself, so its values are the same to the last bit.
"""

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

_COLUMNS = 256
"""Series per loop: a block of ten years stays within a few megabytes."""
_PADDING = 1.0
"""The filler after shorter series; zeros would decay to denormal numbers, on which arithmetic is slow."""

Advance = Callable[[Floats, Floats, Floats], None]
"""Writes the next averages to the third array, given the last averages and the next values."""
MakeAdvance = Callable[[Floats], Advance]
"""Returns the step function for the windows of the columns."""


def emas(series: Sequence[Floats], windows: Sequence[int]) -> list[Floats]:
    """Return exponential averages with alpha 2 / (window + 1), seeded with the mean of the first window.

    Returns:
        One array per series, of the same length; NaN before the seed.
    """
    return _averages(series, windows, _exponential)


def wilder_means(series: Sequence[Floats], windows: Sequence[int]) -> list[Floats]:
    """Return Wilder averages, seeded with the mean of the first window.

    Returns:
        One array per series, of the same length; NaN before the seed.
    """
    return _averages(series, windows, _wilder)


def _exponential(windows: Floats) -> Advance:
    alpha = 2 / (windows + 1)

    def advance(last: Floats, value: Floats, out: Floats) -> None:
        np.subtract(value, last, out)
        np.multiply(out, alpha, out)
        np.add(last, out, out)

    return advance


def _wilder(windows: Floats) -> Advance:
    kept = windows - 1

    def advance(last: Floats, value: Floats, out: Floats) -> None:
        np.multiply(last, kept, out)
        np.add(out, value, out)
        np.divide(out, windows, out)

    return advance


def _averages(series: Sequence[Floats], windows: Sequence[int], make_advance: MakeAdvance) -> list[Floats]:
    out = [np.full(len(values), np.nan) for values in series]
    # Put series of similar length into one block, because its loop is as long as the longest of them.
    long_enough = [at for at, values in enumerate(series) if len(values) >= windows[at]]
    order = sorted(long_enough, key=lambda at: len(out[at]))

    for start in range(0, len(order), _COLUMNS):
        block = order[start : start + _COLUMNS]
        averages = _side_by_side([series[at] for at in block], [windows[at] for at in block], make_advance)
        for at, column in zip(block, averages.T, strict=True):
            out[at][windows[at] - 1 :] = column[windows[at] - 1 : len(out[at])]

    return out


def _side_by_side(series: Sequence[Floats], windows: Sequence[int], make_advance: MakeAdvance) -> Floats:
    """Return (T, N) averages; a column is meaningful from its seed to the end of its series."""
    values = np.full((max(map(len, series)), len(series)), _PADDING)
    for column, own in enumerate(series):
        values[: len(own), column] = own
    averages = np.ones(values.shape)
    advance = make_advance(np.array(windows, dtype=np.float64))

    # A column starts where its first window ends: seed it there, then advance all columns up to the next seed.
    by_window = sorted(range(len(windows)), key=windows.__getitem__)
    seeds = [(window, list(columns)) for window, columns in groupby(by_window, key=windows.__getitem__)]
    ends = [*(window for window, _ in seeds), len(values)]
    for (window, columns), (start, end) in zip(seeds, pairwise(ends), strict=True):
        averages[window - 1, columns] = [np.mean(series[column][:window]) for column in columns]
        last = averages[window - 1]
        for value, out in zip(values[start:end], averages[start:end], strict=True):
            advance(last, value, out)
            last = out

    return averages
