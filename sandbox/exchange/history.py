"""Bundled daily history: parquet files with symbol, date, close, and open, high, low, volume where known."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

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
    """All bars of one symbol, as columns ascending by date; `rest` is open, high, low, volume, None when close-only."""

    symbol: str
    dates: Sequence[date]
    closes: Sequence[float]
    rest: tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[int]] | None

    def count_through(self, day: date) -> int:
        """How many bars are dated this day or before."""
        return bisect_right(self.dates, day)

    def bars(self, first: int, end: int) -> tuple[Bar, ...]:
        """The bars at positions first up to end, end not included."""
        dates, closes = self.dates[first:end], self.closes[first:end]
        if self.rest is None:
            return tuple(Bar(day, close, close, close, close, 0) for day, close in zip(dates, closes, strict=True))
        opens, highs, lows, volumes = (column[first:end] for column in self.rest)
        rows = zip(dates, opens, highs, lows, closes, volumes, strict=True)
        return tuple(Bar(day, o, h, low, c, int(volume)) for day, o, h, low, c, volume in rows)


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
    if not history:
        raise HistoryError(f"{folder}: the parquet files here hold no rows")
    return dict(sorted(history.items()))


def _read(file: Path) -> list[BarSeries]:
    try:
        table = read_parquet(file).read_all()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a damaged file is a Rust panic in arro3, which no Exception clause catches
        raise HistoryError(f"{file}: not a readable parquet file: {error}") from error
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing:
        raise HistoryError(f"{file}: lacks the columns {', '.join(missing)}")
    columns: dict[str, list[Any]] = {
        name: list(table.column(name).to_pylist()) for name in (*_REQUIRED, *_FULL) if name in table.column_names
    }
    if not all(close is not None and close > 0 for close in columns["close"]):
        raise HistoryError(f"{file}: a close is missing or not positive")
    series = list(_split(columns))
    for one in series:
        if any(later <= earlier for earlier, later in pairwise(one.dates)):
            raise HistoryError(f"{file}: the dates of {one.symbol} do not ascend")
    return series


def _split(columns: Mapping[str, list[Any]]) -> Iterator[BarSeries]:
    """Cut the table into one series a symbol; the rows of a symbol stand together."""
    is_full = all(name in columns for name in _FULL)
    end = 0
    for symbol, rows in groupby(columns["symbol"]):
        start, end = end, end + sum(1 for _ in rows)
        opens, highs, lows, volumes = (columns[name][start:end] if is_full else [] for name in _FULL)
        rest = (opens, highs, lows, volumes) if is_full else None
        yield BarSeries(str(symbol), columns["date"][start:end], columns["close"][start:end], rest)
