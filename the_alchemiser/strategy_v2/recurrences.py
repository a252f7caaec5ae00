"""Averages in which each value follows from the one before, of many series at once.

The series stand side by side, and time runs in one loop over all of them: a step is a few operations on a row. Each
column goes through the same operations as it would alone, so that its values are the same to the last bit.
"""

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

_COLUMNS = 256
"""Series a loop: a block of ten years stays within a few megabytes."""
_PADDING = 1.0
"""Follows shorter series; zeros would decay to denormal numbers, on which arithmetic is slow."""

Step = Callable[[Floats, Floats, Floats], None]
"""From the averages of a session and the values of the next, puts the next averages in the third."""


def emas(series: Sequence[Floats], windows: Sequence[int]) -> list[Floats]:
    """Exponential averages, alpha 2 / (window + 1), seeded with the mean of the first window.

    Returns:
        One for each series, as long as it; NaN before the seed.
    """
    return _averages(series, windows, _exponential)


def wilder_means(series: Sequence[Floats], windows: Sequence[int]) -> list[Floats]:
    """Wilder averages, seeded with the mean of the first window.

    Returns:
        One for each series, as long as it; NaN before the seed.
    """
    return _averages(series, windows, _wilder)


def _exponential(windows: Floats) -> Step:
    alpha = 2 / (windows + 1)

    def step(last: Floats, value: Floats, out: Floats) -> None:
        np.subtract(value, last, out)
        np.multiply(out, alpha, out)
        np.add(last, out, out)

    return step


def _wilder(windows: Floats) -> Step:
    kept = windows - 1

    def step(last: Floats, value: Floats, out: Floats) -> None:
        np.multiply(last, kept, out)
        np.add(out, value, out)
        np.divide(out, windows, out)

    return step


def _averages(series: Sequence[Floats], windows: Sequence[int], following: Callable[[Floats], Step]) -> list[Floats]:
    out = [np.full(len(values), np.nan) for values in series]
    # Those of like length side by side: a loop is as long as the longest of them.
    order = sorted((at for at, values in enumerate(series) if len(values) >= windows[at]), key=lambda at: len(out[at]))
    for start in range(0, len(order), _COLUMNS):
        block = order[start : start + _COLUMNS]
        averages = _side_by_side([series[at] for at in block], [windows[at] for at in block], following)
        for at, column in zip(block, averages.T, strict=True):
            out[at][windows[at] - 1 :] = column[windows[at] - 1 : len(out[at])]
    return out


def _side_by_side(series: Sequence[Floats], windows: Sequence[int], following: Callable[[Floats], Step]) -> Floats:
    """(T, N) averages; a column means something from its seed to the end of its series."""
    values = np.full((max(map(len, series)), len(series)), _PADDING)
    for column, own in enumerate(series):
        values[: len(own), column] = own
    averages = np.ones(values.shape)
    step = following(np.array(windows, dtype=np.float64))
    by_window = sorted(range(len(windows)), key=windows.__getitem__)
    seeds = [(window, list(columns)) for window, columns in groupby(by_window, key=windows.__getitem__)]
    ends = [*(window for window, _ in seeds), len(values)]
    for (window, columns), (start, end) in zip(seeds, pairwise(ends), strict=True):
        averages[window - 1, columns] = [np.mean(series[column][:window]) for column in columns]
        last = averages[window - 1]
        for value, out in zip(values[start:end], averages[start:end], strict=True):
            step(last, value, out)
            last = out
    return averages
