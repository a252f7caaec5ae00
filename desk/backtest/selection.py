"""Which strategies are tested, and how they share the capital."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from automation.system.errors import UsageError
from desk.backtest.signals import Candidate
from the_alchemiser.shared.book import Book, BookEntry, read_symphony
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.strategy_v2.weights import exact_weights

_SUFFIX = ".clj"


class _Chosen(NamedTuple):
    """What a word stands for: a strategy of the book, or a file."""

    entry: BookEntry | None
    path: Path


def select(names: Sequence[str], book: Book) -> tuple[Candidate, ...]:
    """The strategies of these words: names of the book, or paths of strategy files; none for the whole book.

    The whole book keeps its allocations. Of several chosen, each file takes an equal part, and the named ones share
    what is left in proportion to their allocations.

    Raises:
        UsageError: a word is neither, or is there twice.
        BookError, SymphonyError: a file cannot be read, or does not follow the grammar.
    """
    if not names:
        return tuple(_of_book(entry, entry.allocation) for entry in book.entries)
    chosen = {name: _find(name, book) for name in names}
    if len(chosen) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{twice} is there twice; name it once", where="backtest")
    shares = _shares(chosen)
    return tuple(
        _of_file(name, one.path, shares[name]) if one.entry is None else _of_book(one.entry, shares[name])
        for name, one in chosen.items()
    )


def _find(name: str, book: Book) -> _Chosen:
    entry = next((entry for entry in book.entries if entry.name == name), None)
    if entry is not None:
        return _Chosen(entry, entry.path)
    path = Path(name)
    if path.is_file() or (name.endswith(_SUFFIX) and path.exists()):
        return _Chosen(None, path)
    known = ", ".join(entry.name for entry in book.entries)
    what = "file" if name.endswith(_SUFFIX) else "strategy of the book, nor a file,"
    raise UsageError(f"there is no {what} {name!r}; the strategies are: {known}", where="backtest")


def _shares(chosen: Mapping[str, _Chosen]) -> Mapping[str, Decimal]:
    """Fractions that sum to exactly 1."""
    if len(chosen) == 1:
        return dict.fromkeys(chosen, Decimal(1))
    allocations = {name: one.entry.allocation for name, one in chosen.items() if one.entry is not None}
    whole = float(sum(allocations.values()))
    named = {name: float(part) / whole * len(allocations) for name, part in allocations.items()}
    return exact_weights({name: named.get(name, 1.0) / len(chosen) for name in chosen})


def _of_book(entry: BookEntry, share: Decimal) -> Candidate:
    return Candidate(entry.name, share, compile_symphony(entry.symphony, entry.options), entry.inception)


def _of_file(name: str, path: Path, share: Decimal) -> Candidate:
    return Candidate(name, share, compile_symphony(read_symphony(path), None))
