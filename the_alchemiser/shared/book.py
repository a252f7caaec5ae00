"""The book: which strategies trade, with which fraction of the account, and since when."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony import Symphony, SymphonyError, parse, required_symbols
from the_alchemiser.shared.symphony.options import Decide, RsiMethod, StrategyOptions

BOOK = "book.toml"
STRATEGIES = Path(__file__).with_name("strategies")
"""The folder of the shipped book and its strategy files."""

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_KEYS = {"name", "file", "allocation", "inception"}
_OPTIONAL_KEYS = {"options"}


class BookError(AlchemiserError):
    """The book cannot be traded: it is missing, unreadable or inconsistent."""


class BookEntry(Frozen, dict=True):
    """One strategy of the book.

    Attributes:
        allocation: fraction of the account, above 0 and at most 1.
        inception: the day from which a rebalance-threshold is simulated.
        path: the strategy file; it is read on the first use of `symphony`.
    """

    name: str
    allocation: Decimal
    inception: date
    options: StrategyOptions
    path: Path

    @cached_property
    def symphony(self) -> Symphony:
        """The parsed strategy file.

        Raises:
            BookError: the file cannot be read.
            SymphonyError: the file does not follow the grammar, or is not UTF-8.
        """
        return read_symphony(self.path)


class Book(Frozen, dict=True):
    """All strategies of the book. Their allocations sum to exactly 1."""

    entries: tuple[BookEntry, ...]

    @cached_property
    def universe(self) -> frozenset[str]:
        """All symbols that the strategies can hold or read.

        Raises:
            BookError: the book names no symbols, or a strategy file cannot be read.
            SymphonyError: a strategy file does not follow the grammar, or is not UTF-8.
        """
        symbols = frozenset[str]().union(*(required_symbols(entry.symphony) for entry in self.entries))
        if not symbols:
            raise BookError("the book names no symbols")
        return symbols

    def entry(self, name: str) -> BookEntry:
        """Return the strategy with a name.

        Raises:
            BookError: the book has no strategy of this name.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.entries)
        raise BookError(f"no strategy {name!r} in the book; known strategies: {known}")


def read_symphony(path: Path) -> Symphony:
    """Read and parse one strategy file.

    Raises:
        BookError: the file cannot be read.
        SymphonyError: the file does not follow the grammar, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BookError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        raise SymphonyError("found bytes that are not UTF-8", str(path), line, column) from error
    return parse(text, source=str(path))


def load_book(directory: Path | None = None) -> Book:
    """Read book.toml and check that every strategy file exists; the files themselves are read on first use.

    Args:
        directory: the folder of book.toml and the strategy files; None for the shipped one.

    Raises:
        BookError: the book is missing, unreadable or inconsistent.
    """
    import tomllib  # noqa: PLC0415 - most handlers never read the book

    path = (directory or STRATEGIES) / BOOK

    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BookError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BookError(f"{path}: {error}") from error

    if set(document) != {"strategy"} or not isinstance(document["strategy"], list):
        raise BookError(f"{path}: expected only [[strategy]] tables")
    entries = tuple(_entry(table, number, path) for number, table in enumerate(document["strategy"], 1))
    _require_consistent(entries, path)
    return Book(entries)


def _require_consistent(entries: tuple[BookEntry, ...], path: Path) -> None:
    names = [entry.name for entry in entries]
    files = [entry.path.name for entry in entries]
    for key, values in (("name", names), ("file", files)):
        repeated = next((value for value in values if values.count(value) > 1), None)
        if repeated is not None:
            raise BookError(f"{path}: {key} {repeated!r} is used twice")

    total = sum((entry.allocation for entry in entries), Decimal(0))
    if total != 1:
        raise BookError(f"{path}: allocations sum to {total}, expected exactly 1")


def _entry(table: object, number: int, path: Path) -> BookEntry:
    where = f"{path}: strategy {number}"
    if not isinstance(table, dict):
        raise BookError(f"{where}: expected a [[strategy]] table")
    _check_keys(table, required=_KEYS, optional=_OPTIONAL_KEYS, where=where)

    name = _text(table, "name", where)
    if not NAME.fullmatch(name):
        raise BookError(f"{where}: name {name!r}: expected lower-case letters, digits and single hyphens")

    file = path.parent / _text(table, "file", where)
    if file.parent != path.parent or not file.is_file():
        raise BookError(f"{where} ({name}): file {table['file']!r} is not in {path.parent}")

    inception = table["inception"]
    if type(inception) is not date:
        raise BookError(f"{where} ({name}): inception {inception!r}: expected a date such as 2021-01-04")
    return BookEntry(name, _allocation(table, where), inception, _options(table.get("options", {}), where), file)


def _allocation(table: Mapping[str, Any], where: str) -> Decimal:
    text = _text(table, "allocation", where)
    try:
        allocation = Decimal(text)
    except InvalidOperation:
        raise BookError(f"{where}: allocation {text!r}: expected a decimal such as 0.25") from None
    if not allocation.is_finite() or not 0 < allocation <= 1:
        raise BookError(f"{where}: allocation {text!r}: expected above 0 and at most 1")
    return allocation


def _options(table: object, where: str) -> StrategyOptions:
    if not isinstance(table, dict):
        raise BookError(f"{where}: options: expected a table")
    _check_keys(table, required=set(), optional={"rsi", "ddof", "decide"}, where=f"{where}: options")
    rsi = table.get("rsi", RsiMethod.WILDER.value)
    ddof = table.get("ddof", 1)
    decide = table.get("decide", Decide.FIRST_SESSION.value)
    if rsi not in tuple(RsiMethod):
        raise BookError(f"{where}: options: rsi {rsi!r}: expected {' or '.join(RsiMethod)}")
    if type(ddof) is not int or ddof not in (0, 1):
        raise BookError(f"{where}: options: ddof {ddof!r}: expected 0 or 1")
    if decide not in tuple(Decide):
        raise BookError(f"{where}: options: decide {decide!r}: expected {' or '.join(Decide)}")
    return StrategyOptions(RsiMethod(rsi), ddof, Decide(decide))


def _check_keys(table: Mapping[str, Any], *, required: set[str], optional: set[str], where: str) -> None:
    unknown = sorted(set(table) - required - optional)
    missing = sorted(required - set(table))
    if unknown:
        raise BookError(f"{where}: unknown key {unknown[0]!r}; known keys: {', '.join(sorted(required | optional))}")
    if missing:
        raise BookError(f"{where}: {missing[0]!r} is missing")


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value:
        raise BookError(f"{where}: {key} {value!r}: expected a string in quotes")
    return value
