"""Choose the strategies of a backtest and divide the capital between them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from automation.system.errors import UsageError
from desk.backtest.signals import Candidate
from the_alchemiser.shared.book import Book, BookEntry, read_symphony
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.weight_rounding import round_weights

_SUFFIX = ".clj"


class _NamedStrategy(NamedTuple):
    """A name from the command line, resolved: an entry of the book, or None for the user's own file."""

    entry: BookEntry | None
    path: Path


def select_strategies(names: Sequence[str], book: Book) -> tuple[Candidate, ...]:
    """Return the strategies with these names, or those of the whole book when there are no names.

    The whole book keeps its allocations. Among several named strategies, each file takes an equal share, and the
    strategies of the book divide the rest in proportion to their allocations.

    Args:
        names: strategies of the book, or paths of strategy files.

    Raises:
        UsageError: a name is unknown or repeated.
        BookError, SymphonyError: a file cannot be read or does not follow the grammar.
    """
    if not names:
        return tuple(_from_book(entry, entry.allocation) for entry in book.entries)

    chosen = {name: _find(name, book) for name in names}
    if len(chosen) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{repeated} is named twice; name each strategy once", where="backtest")

    shares = _shares(chosen)
    return tuple(
        _from_file(name, strategy.path, shares[name])
        if strategy.entry is None
        else _from_book(strategy.entry, shares[name])
        for name, strategy in chosen.items()
    )


def _find(name: str, book: Book) -> _NamedStrategy:
    entry = next((entry for entry in book.entries if entry.name == name), None)
    if entry is not None:
        return _NamedStrategy(entry, entry.path)

    path = Path(name)
    if path.is_file() or (name.endswith(_SUFFIX) and path.exists()):
        return _NamedStrategy(None, path)

    known = ", ".join(entry.name for entry in book.entries)
    missing = "file" if name.endswith(_SUFFIX) else "strategy or file"
    raise UsageError(f"no {missing} {name!r}; the strategies of the book are: {known}", where="backtest")


def _shares(chosen: Mapping[str, _NamedStrategy]) -> Mapping[str, Decimal]:
    """Return the fraction of the capital of each strategy; they sum to exactly 1."""
    if len(chosen) == 1:
        return dict.fromkeys(chosen, Decimal(1))
    allocations = {name: strategy.entry.allocation for name, strategy in chosen.items() if strategy.entry is not None}
    total = float(sum(allocations.values()))
    from_book = {name: float(part) / total * len(allocations) for name, part in allocations.items()}
    return round_weights({name: from_book.get(name, 1.0) / len(chosen) for name in chosen})


def _from_book(entry: BookEntry, share: Decimal) -> Candidate:
    return Candidate(entry.name, share, compile_symphony(entry.symphony, entry.options), entry.inception)


def _from_file(name: str, path: Path, share: Decimal) -> Candidate:
    return Candidate(name, share, compile_symphony(read_symphony(path), None))
