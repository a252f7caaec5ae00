"""Can the book be traded on that date? Asked before anything is changed."""

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
    """The symbols of the book, every strategy file read.

    Args:
        directory: where book.toml and the strategy files are; those that ship by default.

    Raises:
        ConfigurationError: the book or a strategy file cannot be read; the message has file, line and column.
    """
    try:
        return load_book(directory).universe
    except (BookError, SymphonyError) as cause:
        told = str(cause).partition("\n")[0]  # without the excerpt, whose caret needs its own line
        raise ConfigurationError(f"{told}; mend the file, then run inv deploy --env local") from cause


def first_bars(folder: Path) -> Mapping[str, date]:
    """The date of each symbol's first bar in the bundled history; rows come by symbol, then date."""
    first: dict[str, date] = {}
    for file in sorted(folder.glob("*.parquet")):
        table = read_parquet(file).read_all()
        days = table.column("date").cast(DataType.int32()).to_numpy().tolist()
        for symbol, day in zip(table.column("symbol").to_pylist(), days, strict=True):
            if symbol not in first:
                first[symbol] = _EPOCH + timedelta(days=day)
    return first


def require_bars(universe: Iterable[str], first: Mapping[str, date], *, before: date) -> None:
    """Every symbol of the book must have a bar before the date to trade.

    Raises:
        CheckFailedError: the findings name those that have none.
    """
    found = [_finding(symbol, first.get(symbol)) for symbol in sorted(universe) if first.get(symbol, before) >= before]
    if found:
        symbols = ", ".join(finding.where for finding in found)
        raise CheckFailedError(f"no bars before {before} in the market history for: {symbols}", findings=found)


def _finding(symbol: str, first: date | None) -> Finding:
    what = "is not in the bundled market history" if first is None else f"has its first bar on {first}"
    return Finding(symbol, what, "trade a later date, or take the symbol out of the book")
