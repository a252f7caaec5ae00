"""The array types of the engine: the first axis is sessions, ascending."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Dates = NDArray[np.datetime64]
