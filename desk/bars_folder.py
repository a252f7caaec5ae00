"""Read a user's folder of daily bars: SYMBOL.parquet or SYMBOL.csv files with one date and one close per row."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from arro3.core import DataType, Table
from arro3.io import read_parquet

from automation.system.errors import UsageError
from desk.bar_dates import dates_from_instants, dates_from_numbers, dates_from_texts
from the_alchemiser.shared.symphony import canonical_symbol
from the_alchemiser.strategy_v2.arrays import Dates, Floats
from the_alchemiser.strategy_v2.history import DAY, PriceHistory

# Accepted column names, the preferred ones first, in lower case without spaces, underscores and hyphens.
_DATE_COLUMNS = ("date", "timestamp", "datetime")
_CLOSE_COLUMNS = ("adjusted", "adjclose", "adjustedclose", "close")
_SUFFIXES = (".parquet", ".csv")
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_PANIC = "pyo3_runtime"


class _UnusableFileError(Exception):
    """A file contains no usable prices; the message says why."""


@dataclass(frozen=True, slots=True)
class FolderBars:
    """The bars of a folder.

    Attributes:
        series: the dates, ascending, and the closes of each symbol; a close may still be NaN or not positive.
        flaws: symbols whose file cannot be used, and why.
        columns: for each symbol of series, the column that its closes come from, spelled as in the file.
    """

    series: Mapping[str, tuple[Dates, Floats]]
    flaws: Mapping[str, str]
    columns: Mapping[str, str]

    def history(self) -> PriceHistory:
        """Return the bars on their common calendar."""
        return PriceHistory.from_series(self.series, flaws=self.flaws)


def load_bars(folder: Path, symbols: Iterable[str] | None = None) -> FolderBars:
    """Read the files of some symbols. Symbols without a file are left out.

    A column of adjusted closes (adjusted, adj_close, Adj Close) is preferred to close. A faulty file becomes a flaw of
    its symbol and not an error: it matters only to a decision that needs the symbol.

    Args:
        symbols: canonical symbols to read; None for every file of the folder.

    Raises:
        UsageError: the folder does not exist or contains no bar files.
    """
    files = _files_by_symbol(folder)
    wanted = files.keys() if symbols is None else files.keys() & set(symbols)
    series: dict[str, tuple[Dates, Floats]] = {}
    flaws: dict[str, str] = {}
    columns: dict[str, str] = {}

    for symbol in sorted(wanted):
        try:
            columns[symbol], dates, closes = _read(files[symbol])
            series[symbol] = _ascending(dates, closes)
        except _UnusableFileError as error:
            flaws[symbol] = str(error)

    return FolderBars(series, flaws, {symbol: columns[symbol] for symbol in series})


def _files_by_symbol(folder: Path) -> Mapping[str, Sequence[Path]]:
    """Return the files of each symbol; `_read` rejects a symbol with more than one."""
    if not folder.is_dir():
        raise UsageError("no such folder; give one with SYMBOL.parquet or SYMBOL.csv files", where=str(folder))

    files: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."):
            try:
                files[canonical_symbol(path.stem.replace("-", ".").replace("_", "."))].append(path)
            except ValueError:
                continue

    if not files:
        raise UsageError("no bars in this folder; it needs SYMBOL.parquet or SYMBOL.csv files", where=str(folder))
    return files


def _read(paths: Sequence[Path]) -> tuple[str, Dates, Floats]:
    path, *duplicates = paths
    if duplicates:
        raise _UnusableFileError(f"{path.name} and {duplicates[0].name} are for the same symbol; keep one")
    try:
        return _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise _UnusableFileError(f"{path.name}: {error}") from error


def _read_csv(path: Path) -> tuple[str, Dates, Floats]:
    text = path.read_text("utf-8-sig")
    lines = [line for line in text.splitlines() if line]
    # Splitting is twice as fast as the csv reader; only quotes need the reader.
    rows = list(csv.reader(lines)) if '"' in text else [line.split(",") for line in lines]
    if len(rows) < 2:
        raise ValueError("no rows")

    date_at, close_at = _find_columns(rows[0])
    width = max(date_at, close_at) + 1
    if short_row := next((row for row in rows if len(row) < width), None):
        raise ValueError(f"the row {','.join(short_row)!r} has too few values")

    dates = dates_from_texts(tuple([row[date_at].strip() for row in rows[1:]]))
    return rows[0][close_at].strip(), dates, _prices([row[close_at] for row in rows[1:]])


def _prices(texts: Sequence[str]) -> Floats:
    """Parse closes; a text that is not a number becomes NaN, which no decision may use."""
    try:
        return np.array(list(map(float, texts)))
    except ValueError:
        return np.array([_price(text) for text in texts])


def _price(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _read_parquet(path: Path) -> tuple[str, Dates, Floats]:
    try:
        table = read_parquet(path).read_all()
    except BaseException as error:
        # A damaged file raises a Rust panic in arro3, which derives from BaseException.
        if not isinstance(error, Exception) and type(error).__module__ != _PANIC:
            raise
        raise ValueError(f"not a readable parquet file: {error}") from error
    if not table.num_rows:
        raise ValueError("no rows")
    date_at, close_at = _find_columns(table.column_names)
    return table.column_names[close_at], _parquet_dates(table.column(date_at)), _parquet_closes(table, close_at)


def _find_columns(names: Sequence[str]) -> tuple[int, int]:
    """Return the positions of the date column and of the preferred close column."""
    normalized = [name.strip().lower().replace(" ", "").replace("_", "").replace("-", "") for name in names]
    date_at, close_at = _position(normalized, _DATE_COLUMNS), _position(normalized, _CLOSE_COLUMNS)
    if date_at is None or close_at is None:
        missing = "date or timestamp" if date_at is None else "close"
        raise ValueError(f"no column {missing}; the columns are {', '.join(names)}")
    return date_at, close_at


def _position(names: Sequence[str], accepted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in accepted if name in names), None)


def _parquet_closes(table: Table, position: int) -> Floats:
    if DataType.is_temporal(table.column(position).type) or DataType.is_nested(table.column(position).type):
        raise ValueError(f"{table.column_names[position]} is not a column of numbers")
    column = table.column(position).cast(DataType.float64())
    if column.null_count:
        return np.array([np.nan if value is None else value for value in column.to_pylist()])
    return np.array(column.to_numpy())


def _parquet_dates(column: Any) -> Dates:
    if column.null_count:
        raise ValueError("a row has no date")

    kind = column.type
    if DataType.is_date(kind):
        days: Dates = column.cast(DataType.date32()).cast(DataType.int32()).to_numpy().astype(DAY)
        return days
    if not (DataType.is_timestamp(kind) or DataType.is_integer(kind)):
        return dates_from_texts(tuple(str(value) for value in column.to_pylist()))
    numbers = tuple(column.cast(DataType.int64()).to_numpy().tolist())
    if DataType.is_integer(kind):
        return dates_from_numbers(numbers)
    return dates_from_instants(numbers, _PER_SECOND[kind.time_unit], _zone(kind.tz) if kind.tz else None)


def _zone(name: str) -> tzinfo:
    """Parse a time zone of Arrow: a name, or an offset such as +00:00."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError):
        offset = datetime.strptime(name, "%z").tzinfo
        return offset or UTC


def _ascending(dates: Dates, closes: Floats) -> tuple[Dates, Floats]:
    order = np.argsort(dates, kind="stable")
    return dates[order], closes[order]
