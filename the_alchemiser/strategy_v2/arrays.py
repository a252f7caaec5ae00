"""The array types of the engine: the first axis is sessions, ascending."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Dates = NDArray[np.datetime64]


def changes(values: ArrayLike) -> Bools:
    """(n,) where a value differs from the one before, and the first. (`numpy.unique` would import masked arrays.)"""
    own = np.asarray(values)
    found = np.ones(own.shape, dtype=bool)
    found[1:] = own[1:] != own[:-1]
    return found
