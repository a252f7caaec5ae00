"""The book, strategy by strategy."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from automation.system import console
from desk.strategies.sources import read_book, reported
from the_alchemiser.shared.book import Book, BookEntry
from the_alchemiser.shared.symphony import Symphony, required_symbols
from the_alchemiser.shared.symphony.tree import Threshold


def list_strategies(*, as_json: bool) -> None:
    """Print the book.

    Raises:
        ConfigurationError: the book cannot be read.
        CheckFailedError: a strategy file does not follow the grammar.
    """
    book = read_book()
    with reported(as_json=as_json):
        rows = [_row(entry) for entry in book.entries]
    if as_json:
        console.result_json({"strategies": rows, "total": str(total(book)), "symbols": sorted(book.universe)})
        return
    columns = ("name", "allocation", "inception", "rebalance", "symbols", "nodes", "file")
    cells = [[len(row[name]) if name == "symbols" else row[name] for name in columns] for row in rows]
    console.table(columns, cells, right=("allocation", "symbols", "nodes"))
    console.result(f"{len(rows)} strategies, {total(book)} of the account, {len(book.universe)} symbols")


def total(book: Book) -> Decimal:
    """What the allocations sum to."""
    return sum((entry.allocation for entry in book.entries), Decimal(0))


def _row(entry: BookEntry) -> Mapping[str, Any]:
    symphony = entry.symphony
    return {
        "name": entry.name,
        "allocation": str(entry.allocation),
        "inception": entry.inception.isoformat(),
        "rebalance": rebalance_of(symphony),
        "symbols": sorted(required_symbols(symphony)),
        "nodes": len(symphony.nodes),
        "file": entry.path.name,
    }


def rebalance_of(symphony: Symphony) -> str:
    """When it decides, in a word."""
    rule = symphony.rebalance
    return f"threshold {rule.points:g}" if isinstance(rule, Threshold) else str(rule)
