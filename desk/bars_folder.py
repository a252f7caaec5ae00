"""A folder of bars as people bring it: SYMBOL.parquet or SYMBOL.csv, a date and a close a row."""

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
from desk.bar_dates import dates_of_instants, dates_of_numbers, dates_of_texts
from the_alchemiser.shared.symphony import canonical_symbol
from the_alchemiser.strategy_v2.arrays import Dates, Floats
from the_alchemiser.strategy_v2.history import DAY, PriceHistory

_DATES = ("date", "timestamp", "datetime")
_CLOSES = ("adjusted", "adjclose", "adjustedclose", "close")
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_PANIC = "pyo3_runtime"


class _UnusableFileError(Exception):
    """A file that gives no prices; the message says why."""


@dataclass(frozen=True, slots=True)
class FolderBars:
    """What a folder knows.

    Attributes:
        series: per symbol its dates, ascending, and closes, which may still be no prices.
        flaws: symbols whose file is of no use, and why.
        columns: per symbol of series, the column that its closes come from, as the file spells it.
    """

    series: Mapping[str, tuple[Dates, Floats]]
    flaws: Mapping[str, str]
    columns: Mapping[str, str]

    def history(self) -> PriceHistory:
        """The bars on their common calendar."""
        return PriceHistory.from_series(self.series, flaws=self.flaws)


def load_bars(folder: Path, symbols: Iterable[str] | None = None) -> FolderBars:
    """Read the files of some symbols; a symbol without a file is absent.

    A column of adjusted closes (adjusted, adj_close, Adj Close) is preferred to close. What is wrong with a file makes
    its symbol a flaw, so that it matters only to a decision that needs it.

    Args:
        symbols: canonical; None for every file of the folder.

    Raises:
        UsageError: there is no such folder, or no file of bars in it.
    """
    files = _files(folder)
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


def _files(folder: Path) -> Mapping[str, Sequence[Path]]:
    """The files of each symbol; more than one is told when the symbol is read."""
    if not folder.is_dir():
        raise UsageError("no such folder; expected one of SYMBOL.parquet or SYMBOL.csv files", where=str(folder))
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".parquet", ".csv") and not path.name.startswith("."):
            try:
                found[canonical_symbol(path.stem.replace("-", ".").replace("_", "."))].append(path)
            except ValueError:
                continue
    if not found:
        raise UsageError("no bars in this folder; expected SYMBOL.parquet or SYMBOL.csv files", where=str(folder))
    return found


def _read(paths: Sequence[Path]) -> tuple[str, Dates, Floats]:
    path, *others = paths
    if others:
        raise _UnusableFileError(f"{path.name} and {others[0].name} are both of it; keep one")
    try:
        return _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise _UnusableFileError(f"{path.name}: {error}") from error


def _read_csv(path: Path) -> tuple[str, Dates, Floats]:
    text = path.read_text("utf-8-sig")
    lines = [line for line in text.splitlines() if line]
    # Splitting is twice as fast as the reader, which only quotes need.
    rows = list(csv.reader(lines)) if '"' in text else [line.split(",") for line in lines]
    if len(rows) < 2:
        raise ValueError("no rows")
    date_at, close_at = _columns(rows[0])
    width = max(date_at, close_at) + 1
    if short := next((row for row in rows if len(row) < width), None):
        raise ValueError(f"the row {','.join(short)!r} lacks a value")
    dates = dates_of_texts(tuple([row[date_at].strip() for row in rows[1:]]))
    return rows[0][close_at].strip(), dates, _prices([row[close_at] for row in rows[1:]])


def _prices(texts: Sequence[str]) -> Floats:
    """NaN for what is no number, which no decision is made on."""
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
        # A damaged file is a Rust panic in arro3, which derives from BaseException.
        if not isinstance(error, Exception) and type(error).__module__ != _PANIC:
            raise
        raise ValueError(f"not a readable parquet file: {error}") from error
    if not table.num_rows:
        raise ValueError("no rows")
    date_at, close_at = _columns(table.column_names)
    return table.column_names[close_at], _parquet_dates(table.column(date_at)), _parquet_closes(table, close_at)


def _columns(names: Sequence[str]) -> tuple[int, int]:
    """Where the date and the best close are."""
    known = [name.strip().lower().replace(" ", "").replace("_", "").replace("-", "") for name in names]
    date_name, close_name = (next((name for name in wanted if name in known), "") for wanted in (_DATES, _CLOSES))
    if not date_name or not close_name:
        lacking = "close" if date_name else "date or timestamp"
        raise ValueError(f"no column {lacking}; it has {', '.join(names)}")
    return known.index(date_name), known.index(close_name)


def _parquet_closes(table: Table, position: int) -> Floats:
    if DataType.is_temporal(table.column(position).type) or DataType.is_nested(table.column(position).type):
        raise ValueError(f"{table.column_names[position]} is no column of numbers")
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
        return dates_of_texts(tuple(str(value) for value in column.to_pylist()))
    numbers = tuple(column.cast(DataType.int64()).to_numpy().tolist())
    if DataType.is_integer(kind):
        return dates_of_numbers(numbers)
    return dates_of_instants(numbers, _PER_SECOND[kind.time_unit], _zone(kind.tz) if kind.tz else None)


def _zone(name: str) -> tzinfo:
    """A zone of Arrow: a name, or an offset such as +00:00."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError):
        offset = datetime.strptime(name, "%z").tzinfo
        return offset or UTC


def _ascending(dates: Dates, closes: Floats) -> tuple[Dates, Floats]:
    order = np.argsort(dates, kind="stable")
    return dates[order], closes[order]
