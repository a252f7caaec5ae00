"""The yardstick of a day: a bare process that imports numpy and arro3 and reads the same files and histories."""

import sys
from pathlib import Path

import numpy as np
from arro3.core import DataType
from arro3.io import read_parquet


def main(folder: str, *names: str) -> None:
    """Read strategy files as bytes, and the dates and prices of every symbol of the lake as arrays."""
    for name in names:
        Path(folder, f"{name}.clj").read_bytes()
    for path in sorted(Path(folder, "bars").rglob("*.parquet")):
        table = read_parquet(path.read_bytes()).read_all()
        table["date"].cast(DataType.int32()).to_numpy().astype(np.dtype("datetime64[D]"))
        table["adjusted"].to_numpy()


main(*sys.argv[1:])
