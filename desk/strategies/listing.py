"""List the strategies of the book."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from automation.system import console
from desk.strategies.arguments import read_book, translate_product_errors
from the_alchemiser.shared.book import Book, BookEntry
from the_alchemiser.shared.symphony import Symphony, required_symbols
from the_alchemiser.shared.symphony.tree import Threshold

_COLUMNS = ("name", "allocation", "inception", "rebalance", "symbols", "nodes", "file")


def list_strategies(*, as_json: bool) -> None:
    """Print the book.

    Raises:
        ConfigurationError: the book cannot be read.
        CheckFailedError: a strategy file does not follow the grammar.
    """
    book = read_book()
    total = _total_allocation(book)
    with translate_product_errors(as_json=as_json):
        strategies = [_strategy_json(entry) for entry in book.entries]

    if as_json:
        console.result_json({"strategies": strategies, "total": str(total), "symbols": sorted(book.universe)})
        return
    console.table(_COLUMNS, map(_row, strategies), right=("allocation", "symbols", "nodes"))
    console.result(f"{len(strategies)} strategies, {total} of the account, {len(book.universe)} symbols")


def _total_allocation(book: Book) -> Decimal:
    return sum((entry.allocation for entry in book.entries), Decimal(0))


def _strategy_json(entry: BookEntry) -> Mapping[str, Any]:
    symphony = entry.symphony
    return {
        "name": entry.name,
        "allocation": str(entry.allocation),
        "inception": entry.inception.isoformat(),
        "rebalance": rebalance_rule(symphony),
        "symbols": sorted(required_symbols(symphony)),
        "nodes": len(symphony.nodes),
        "file": entry.path.name,
    }


def _row(strategy: Mapping[str, Any]) -> list[object]:
    cells = {**strategy, "symbols": len(strategy["symbols"])}
    return [cells[column] for column in _COLUMNS]


def rebalance_rule(symphony: Symphony) -> str:
    """Return when a strategy rebalances: `daily`, or `threshold 0.05`."""
    rule = symphony.rebalance
    return f"threshold {rule.points:g}" if isinstance(rule, Threshold) else str(rule)
