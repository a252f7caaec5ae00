"""What a person names on the command line: a strategy of the book or a file, a day, a folder of bars."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from desk.bars_folder import load_bars
from desk.bundled import bundled_history
from the_alchemiser.shared.book import Book, BookEntry, BookError, StrategyOptions, load_book, read_symphony
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.symphony import Symphony, SymphonyError
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError
from the_alchemiser.strategy_v2.history import PriceHistory


@dataclass(frozen=True, slots=True)
class Chosen:
    """One strategy to work on.

    Attributes:
        name: that of the book, or the one that the file gives itself.
        inception: of the book; None for a file.
    """

    name: str
    path: Path
    symphony: Symphony
    options: StrategyOptions
    inception: date | None

    @property
    def label(self) -> str:
        """What messages call it: its name in the book, else its file."""
        return str(self.path) if self.inception is None else self.name


@dataclass(frozen=True, slots=True)
class Bars:
    """Prices to decide on.

    Attributes:
        origin: where they are from, for messages.
        columns: of bars from a folder, the column that a symbol's closes were read from.
    """

    history: PriceHistory
    origin: str
    columns: Mapping[str, str]


def read_book(directory: Path | None = None) -> Book:
    """The book.

    Raises:
        ConfigurationError: it cannot be traded.
    """
    try:
        return load_book(directory)
    except BookError as error:
        raise ConfigurationError(f"{error}; run inv strategies.check for all that is wrong") from error


def choose(names: Iterable[str], *, task: str, directory: Path | None = None) -> Chosen:
    """The one strategy that is named.

    Raises:
        UsageError: none or several are named, or one that is neither in the book nor a file.
        ConfigurationError: the book cannot be read.
        SymphonyError: the file does not follow the grammar.
    """
    words = tuple(names)
    if len(words) != 1:
        raise UsageError(f"expected one strategy: inv {task} NAME|FILE …; found {len(words)}", where=task)
    path = Path(words[0])
    if path.suffix or len(path.parts) > 1:
        return _of_file(path, task)
    book = read_book(directory)
    if path.is_file() and all(entry.name != words[0] for entry in book.entries):
        return _of_file(path, task)
    return _of_entry(_entry(book, words[0], task))


def _of_file(path: Path, task: str) -> Chosen:
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=task)
    symphony = _read(path)
    return Chosen(symphony.name, path, symphony, StrategyOptions(), None)


def _read(path: Path) -> Symphony:
    try:
        return read_symphony(path)
    except BookError as error:
        raise UsageError(str(error)) from error


def _of_entry(entry: BookEntry) -> Chosen:
    return Chosen(entry.name, entry.path, entry.symphony, entry.options, entry.inception)


def _entry(book: Book, name: str, task: str) -> BookEntry:
    try:
        return book.entry(name)
    except BookError as error:
        raise UsageError(f"{error}; or name a file such as mine.clj", where=task) from error


def read_bars(folder: str, symbols: Iterable[str]) -> Bars:
    """The bars of some symbols, of a folder, or without one the bundled ones.

    Raises:
        UsageError: there is no such folder, or nothing in it.
    """
    if not folder:
        return Bars(bundled_history().select(symbols), "the bundled prices", {})
    with console.progress(f"reading {folder}"):
        found = load_bars(Path(folder), symbols)
    return Bars(found.history(), folder, found.columns)


def parse_day(text: str, *, option: str, task: str) -> date:
    """A day as people type it.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        what = f"{option} {text}: no date" if text else f"{option} is missing"
        raise UsageError(f"{what}; expected {option} YYYY-MM-DD, as {option} 2022-03-15", where=task) from None


@contextmanager
def reported(*, as_json: bool = False, about: str = "") -> Iterator[None]:
    """Turn what the product says of a strategy into a failed check, the place in the file shown.

    Args:
        as_json: print the error as JSON on stdout too.
        about: the strategy in question, for errors that name none.

    Raises:
        CheckFailedError: the block raised an AlchemiserError.
    """
    try:
        yield
    except AlchemiserError as error:
        if as_json:
            console.result_json({"error": facts_of(error)})
        if not isinstance(error, SymphonyError):
            raise CheckFailedError(str(error), where=about) from error
        if error.excerpt and not as_json:
            console.results(error.excerpt.splitlines())
        raise CheckFailedError(headline(error)) from error


def headline(error: SymphonyError) -> str:
    """Where and what, without the excerpt."""
    return f"{error.source}:{error.line}:{error.column}: {error.message}"


def facts_of(error: AlchemiserError) -> Mapping[str, Any]:
    """What an error knows, for programs."""
    facts: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, SymphonyError):
        return {**facts, "message": error.message, "file": error.source, "line": error.line, "column": error.column}
    if isinstance(error, InsufficientHistoryError):
        facts |= {"symbol": error.symbol, "bars_present": error.bars_present, "bars_needed": error.bars_needed}
    return facts
