"""Bundled daily history: parquet files with symbol, date, close, and open, high, low, volume where known."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from arro3.core import Table
from arro3.io import read_parquet

_REQUIRED = ("symbol", "date", "close")
_FULL = ("open", "high", "low", "volume")


class HistoryError(Exception):
    """The history folder cannot be replayed; the message names the file."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One session's prices, USD a share, adjusted; of a close-only symbol all four are the close and volume is 0."""

    date: date
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class BarSeries:
    """All bars of one symbol, ascending by date."""

    symbol: str
    dates: tuple[date, ...]
    bars: tuple[Bar, ...]
    is_close_only: bool

    def count_through(self, day: date) -> int:
        """How many bars are dated this day or before."""
        return bisect_right(self.dates, day)


def load_history(folder: Path) -> Mapping[str, BarSeries]:
    """Read every parquet file of the folder.

    Raises:
        HistoryError: nothing there, a file that is not such a table, a symbol in two files, dates out of order.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise HistoryError(f"{folder}: no market history (*.parquet) here; pass the folder with --history")
    history: dict[str, BarSeries] = {}
    for file in files:
        for series in _read(file):
            if series.symbol in history:
                raise HistoryError(f"{file}: {series.symbol} is also in another file of {folder}")
            history[series.symbol] = series
    return dict(sorted(history.items()))


def _read(file: Path) -> list[BarSeries]:
    try:
        table = read_parquet(file).read_all()
    except Exception as error:  # arro3 raises Rust errors as bare Exception
        raise HistoryError(f"{file}: not a readable parquet file: {error}") from error
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing:
        raise HistoryError(f"{file}: lacks the columns {', '.join(missing)}")
    is_close_only = any(name not in table.column_names for name in _FULL)
    symbols, bars = table.column("symbol").to_pylist(), _bars(table, is_close_only=is_close_only)
    rows = zip(symbols, bars, strict=True)
    series = [
        _series(symbol, tuple(bar for _, bar in own), is_close_only=is_close_only)
        for symbol, own in groupby(rows, key=lambda row: str(row[0]))
    ]
    for one in series:
        if any(later <= earlier for earlier, later in zip(one.dates, one.dates[1:], strict=False)):
            raise HistoryError(f"{file}: the dates of {one.symbol} do not ascend")
    return series


def _series(symbol: str, bars: tuple[Bar, ...], *, is_close_only: bool) -> BarSeries:
    return BarSeries(symbol, tuple(bar.date for bar in bars), bars, is_close_only)


def _bars(table: Table, *, is_close_only: bool) -> list[Bar]:
    dates, closes = table.column("date").to_pylist(), table.column("close").to_pylist()
    if is_close_only:
        return [Bar(day, close, close, close, close, 0) for day, close in zip(dates, closes, strict=True)]
    opens, highs, lows, volumes = (table.column(name).to_pylist() for name in _FULL)
    return [Bar(*row) for row in zip(dates, opens, highs, lows, closes, volumes, strict=True)]
