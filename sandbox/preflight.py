"""Check before anything is changed that the book can be traded on a date."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from arro3.core import DataType
from arro3.io import read_parquet

from automation.system.errors import CheckFailedError, ConfigurationError, Finding
from the_alchemiser.shared.book import BookError, load_book
from the_alchemiser.shared.symphony import SymphonyError

_EPOCH = date(1970, 1, 1)


def read_universe(directory: Path | None = None) -> frozenset[str]:
    """Return the symbols of the book, read from all its strategy files.

    Args:
        directory: the folder of book.toml and the strategy files; the ones that ship by default.

    Raises:
        ConfigurationError: the book or a strategy file cannot be read; the message has file, line and column.
    """
    try:
        return load_book(directory).universe
    except (BookError, SymphonyError) as cause:
        message = str(cause).partition("\n")[0]  # without the excerpt, whose caret needs a line of its own
        raise ConfigurationError(f"{message}; fix the file, then run inv deploy --env local") from cause


def first_bar_dates(folder: Path) -> Mapping[str, date]:
    """Return the date of each symbol's first bar in the bundled history.

    Args:
        folder: parquet files whose rows are ordered by symbol, then date.
    """
    first: dict[str, date] = {}
    for file in sorted(folder.glob("*.parquet")):
        table = read_parquet(file).read_all()
        days = table.column("date").cast(DataType.int32()).to_numpy().tolist()
        for symbol, day in zip(table.column("symbol").to_pylist(), days, strict=True):
            if symbol not in first:
                first[symbol] = _EPOCH + timedelta(days=day)
    return first


def require_bars(universe: Iterable[str], first_dates: Mapping[str, date], *, before: date) -> None:
    """Check that every symbol of the book has a bar before the date to trade.

    Args:
        first_dates: the date of each symbol's first bar.
        before: the date to trade.

    Raises:
        CheckFailedError: the findings name the symbols without one.
    """
    late = [symbol for symbol in sorted(universe) if first_dates.get(symbol, before) >= before]
    if late:
        raise CheckFailedError(
            f"the market history has no bars before {before} for: {', '.join(late)}",
            findings=[_finding(symbol, first_dates.get(symbol)) for symbol in late],
        )


def _finding(symbol: str, first: date | None) -> Finding:
    what = "is not in the bundled market history" if first is None else f"has its first bar on {first}"
    return Finding(symbol, what, "trade a later date with --date, or remove the symbol from the book")
