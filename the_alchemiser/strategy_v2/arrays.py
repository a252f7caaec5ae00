"""The array types of the engine. The first axis is sessions, ascending, unless a docstring says otherwise."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Dates = NDArray[np.datetime64]


def run_starts(values: ArrayLike) -> Bools:
    """Return (n,) true for the first value and for each that differs from the one before it."""
    # numpy.unique would do more, but it imports masked arrays, which cost cold-start time.
    array = np.asarray(values)
    starts = np.ones(array.shape, dtype=bool)
    starts[1:] = array[1:] != array[:-1]
    return starts
