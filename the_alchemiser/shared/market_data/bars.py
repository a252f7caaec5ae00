"""Daily bars of one symbol, and their parquet form.

Parquet is written and read by arro3 alone, column by column: date (date32), open, high, low, close, volume, adjusted
(float64), zstd. The same bars give the same bytes.
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
    """Bytes that are no parquet file of bars."""


class DailyBar(NamedTuple):
    """One session, in USD a share, split- and dividend-adjusted as of the fetch; volume in shares.

    `adjusted` is the fully adjusted close, which indicators run on: equal to `close` where the source adjusts
    all prices.
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
        """Whether the source knew nothing but the close."""
        return self.open == self.high == self.low == self.close and self.volume == 0


Bars = tuple[DailyBar, ...]


def encode(bars: Sequence[DailyBar]) -> bytes:
    """The parquet file of at least one bar."""
    if not bars:
        raise ValueError("no bars to encode: a parquet file without rows cannot be read back")
    columns = list(zip(*bars, strict=True))
    table = Table.from_pydict(
        {
            "date": _dates(columns[0]),
            **{
                name: Array(column, type=DataType.float64())
                for name, column in zip(DailyBar._fields[1:], columns[1:], strict=True)
            },
        }
    )
    file = io.BytesIO()
    write_parquet(table, file, compression="zstd(3)")
    return file.getvalue()


def decode(body: bytes) -> Bars:
    """The bars of a parquet file, in its order.

    Raises:
        UnreadableBarsError: not parquet, columns missing, of another type, or with nulls.
    """
    columns = [column.to_pylist() for column in decode_columns(body, DailyBar._fields)]
    return tuple(map(DailyBar._make, zip(*columns, strict=True)))


def decode_columns(body: bytes, names: Iterable[str]) -> tuple[Any, ...]:
    """Some columns of a parquet file of bars as arrow arrays, in its order: `date` of dates, the others of floats.

    Raises:
        UnreadableBarsError: as `decode`.
    """
    try:
        table = read_parquet(body, batch_size=_BATCH_ROWS).read_all()
        columns = tuple(table[name].cast(DataType.date32() if name == "date" else DataType.float64()) for name in names)
    except Exception as error:
        raise UnreadableBarsError(f"not a parquet file of bars: {error}") from error
    except BaseException as error:
        # A broken footer is a Rust panic, which derives from BaseException.
        if type(error).__module__ != _PANIC:
            raise
        raise UnreadableBarsError(f"not a parquet file of bars: {error}") from error
    if any(column.null_count for column in columns):
        raise UnreadableBarsError("a value is null")
    return columns


def _dates(days: Iterable[Any]) -> Array:
    # arro3 builds no date array from Python dates.
    return Array([day.toordinal() - _EPOCH for day in days], type=DataType.int32()).cast(DataType.date32())
