"""Daily bars of one symbol, and their encoding as a parquet file.

Only arro3 writes and reads parquet. The columns are date (date32), open, high, low, close, volume and adjusted
(float64), compressed with zstd. Encoding is deterministic: equal bars give equal bytes.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from arro3.core import Array, DataType, Table
from arro3.io import read_parquet, write_parquet

from the_alchemiser.shared.errors import AlchemiserError

_EPOCH = date(1970, 1, 1).toordinal()
_PANIC = "pyo3_runtime"
_BATCH_ROWS = 65_536


class UnreadableBarsError(AlchemiserError):
    """The bytes are not a parquet file of bars."""


class DailyBar(NamedTuple):
    """Prices of one session in USD per share, adjusted for splits and dividends up to the fetch; volume in shares.

    Attributes:
        adjusted: the fully adjusted close, the input of the indicators. It equals `close` when the source adjusts all
            prices.
    """

    date: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    adjusted: float

    @property
    def is_close_only(self) -> bool:
        """Return whether the source had only the close of this session."""
        return self.open == self.high == self.low == self.close and self.volume == 0


Bars = tuple[DailyBar, ...]


def encode_bars(bars: Sequence[DailyBar]) -> bytes:
    """Return the parquet file of at least one bar.

    Raises:
        ValueError: there are no bars.
    """
    if not bars:
        raise ValueError("no bars to encode: a parquet file without rows cannot be decoded again")

    dates, *numbers = zip(*bars, strict=True)
    columns: dict[str, Any] = {"date": _date_array(dates)}
    for name, values in zip(DailyBar._fields[1:], numbers, strict=True):
        columns[name] = Array(values, type=DataType.float64())

    file = io.BytesIO()
    write_parquet(Table.from_pydict(columns), file, compression="zstd(3)")
    return file.getvalue()


def decode_bars(body: bytes) -> Bars:
    """Return the bars of a parquet file, in the file's order.

    Raises:
        UnreadableBarsError: the bytes are not parquet, or a column is missing, has another type, or contains a null.
    """
    columns = [column.to_pylist() for column in decode_columns(body, DailyBar._fields)]
    return tuple(map(DailyBar._make, zip(*columns, strict=True)))


def decode_columns(body: bytes, names: Iterable[str]) -> tuple[Any, ...]:
    """Return the named columns as arrow arrays: `date` as date32, the others as float64, rows in the file's order.

    Columns that are not named may be missing from the file.

    Raises:
        UnreadableBarsError: the bytes are not parquet, or a named column is missing, has another type, or contains a
            null.
    """
    try:
        table = read_parquet(body, batch_size=_BATCH_ROWS).read_all()
        columns = tuple(table[name].cast(DataType.date32() if name == "date" else DataType.float64()) for name in names)
    except Exception as error:
        raise UnreadableBarsError(f"not a parquet file of bars: {error}") from error
    except BaseException as error:
        # arro3 answers a broken footer with a Rust panic, which derives from BaseException.
        if type(error).__module__ != _PANIC:
            raise
        raise UnreadableBarsError(f"not a parquet file of bars: {error}") from error

    if any(column.null_count for column in columns):
        raise UnreadableBarsError("a column contains a null")
    return columns


def _date_array(days: Iterable[Any]) -> Array:
    # arro3 cannot build a date array from Python dates, so it gets the days since 1970 and casts them.
    return Array([day.toordinal() - _EPOCH for day in days], type=DataType.int32()).cast(DataType.date32())
