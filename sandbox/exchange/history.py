"""Bundled daily history: parquet files with symbol, date and close, some also with open, high, low and volume."""

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
    """One session's adjusted prices, USD per share.

    For a symbol with closes only, all four prices are the close and the volume is 0.
    """

    date: date
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class BarSeries:
    """All bars of one symbol, as columns ascending by date.

    `rest` has the columns open, high, low and volume; None for a symbol with closes only.
    """

    symbol: str
    dates: Sequence[date]
    closes: Sequence[float]
    rest: tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[int]] | None

    def count_through(self, day: date) -> int:
        """Return how many bars are dated this day or before."""
        return bisect_right(self.dates, day)

    def bars(self, first: int, end: int) -> tuple[Bar, ...]:
        """Return the bars at positions first up to end, end not included."""
        dates, closes = self.dates[first:end], self.closes[first:end]
        if self.rest is None:
            return tuple(Bar(day, close, close, close, close, 0) for day, close in zip(dates, closes, strict=True))
        opens, highs, lows, volumes = (column[first:end] for column in self.rest)
        rows = zip(dates, opens, highs, lows, closes, volumes, strict=True)
        return tuple(Bar(day, o, h, low, c, int(volume)) for day, o, h, low, c, volume in rows)


def load_history(folder: Path) -> Mapping[str, BarSeries]:
    """Read every parquet file of a folder and return the bars by symbol.

    Raises:
        HistoryError: the folder has no rows, a file is not such a table, a symbol is in two files, or dates do not
            ascend.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise HistoryError(f"{folder}: has no market history (*.parquet); pass the right folder with --history")
    history: dict[str, BarSeries] = {}
    for file in files:
        for series in _read(file):
            if series.symbol in history:
                raise HistoryError(f"{file}: {series.symbol} is also in another file of {folder}")
            history[series.symbol] = series
    if not history:
        raise HistoryError(f"{folder}: its parquet files have no rows")
    return dict(sorted(history.items()))


def _read(file: Path) -> list[BarSeries]:
    try:
        table = read_parquet(file).read_all()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # arro3 reports a damaged file as a Rust panic, which is not an Exception
        raise HistoryError(f"{file}: cannot be read as parquet: {error}") from error
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing:
        raise HistoryError(f"{file}: the columns {', '.join(missing)} are missing")
    columns: dict[str, list[Any]] = {
        name: list(table.column(name).to_pylist()) for name in (*_REQUIRED, *_FULL) if name in table.column_names
    }
    if not all(close is not None and close > 0 for close in columns["close"]):
        raise HistoryError(f"{file}: a close is missing or not positive")

    all_series = list(_split(columns))
    for series in all_series:
        if any(later <= earlier for earlier, later in pairwise(series.dates)):
            raise HistoryError(f"{file}: the dates of {series.symbol} do not ascend")
    return all_series


def _split(columns: Mapping[str, list[Any]]) -> Iterator[BarSeries]:
    """Split the table into one series per symbol; the rows of a symbol are adjacent."""
    is_full = all(name in columns for name in _FULL)
    end = 0
    for symbol, rows in groupby(columns["symbol"]):
        start, end = end, end + sum(1 for _ in rows)
        opens, highs, lows, volumes = (columns[name][start:end] if is_full else [] for name in _FULL)
        rest = (opens, highs, lows, volumes) if is_full else None
        yield BarSeries(str(symbol), columns["date"][start:end], columns["close"][start:end], rest)
