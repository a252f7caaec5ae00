"""Read what a person names on the command line: a strategy of the book or a file, a day, a folder of bars."""

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
from the_alchemiser.shared.book import Book, BookEntry, BookError, load_book, read_symphony
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.symphony import Symphony, SymphonyError
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError
from the_alchemiser.strategy_v2.history import PriceHistory


@dataclass(frozen=True, slots=True)
class ChosenStrategy:
    """The strategy that a command works on.

    Attributes:
        name: its name in the book, or the name that the file gives itself.
        inception: its inception in the book; None for a file.
    """

    name: str
    path: Path
    symphony: Symphony
    options: StrategyOptions
    inception: date | None

    @property
    def label(self) -> str:
        """Return the name for messages: that in the book, or the path of a file."""
        return str(self.path) if self.inception is None else self.name


@dataclass(frozen=True, slots=True)
class LoadedBars:
    """The prices that a command decides on.

    Attributes:
        origin: where the bars are from, for messages.
        columns: per symbol, the column that its closes were read from; empty for the bundled prices.
    """

    history: PriceHistory
    origin: str
    columns: Mapping[str, str]


def read_book(directory: Path | None = None) -> Book:
    """Read the book.

    Raises:
        ConfigurationError: the book cannot be traded.
    """
    try:
        return load_book(directory)
    except BookError as error:
        raise ConfigurationError(f"{error}; run inv strategies.check to see every issue") from error


def require_files(paths: Iterable[Path], *, task: str) -> None:
    """Fail unless every path is a file.

    Raises:
        UsageError: a file does not exist; the message names every missing one.
    """
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}; pass the path of a strategy file", where=task)


def choose_strategy(names: Iterable[str], *, task: str, directory: Path | None = None) -> ChosenStrategy:
    """Return the one strategy that the command names; a name in the book wins over a file of the same name.

    Raises:
        UsageError: not exactly one name, or a name that is neither in the book nor a file.
        ConfigurationError: the book cannot be read.
        SymphonyError: the file does not follow the grammar.
    """
    words = tuple(names)
    if len(words) != 1:
        raise UsageError(f"expected one strategy, got {len(words)}; run inv {task} NAME|FILE …", where=task)

    path = Path(words[0])
    if path.suffix or len(path.parts) > 1:
        return _choose_file(path, task)
    book = read_book(directory)
    if path.is_file() and all(entry.name != words[0] for entry in book.entries):
        return _choose_file(path, task)
    return _choose_entry(book, words[0], task)


def _choose_file(path: Path, task: str) -> ChosenStrategy:
    require_files((path,), task=task)
    try:
        symphony = read_symphony(path)
    except BookError as error:
        raise UsageError(str(error)) from error
    return ChosenStrategy(symphony.name, path, symphony, StrategyOptions(), None)


def _choose_entry(book: Book, name: str, task: str) -> ChosenStrategy:
    entry = _entry(book, name, task)
    return ChosenStrategy(entry.name, entry.path, entry.symphony, entry.options, entry.inception)


def _entry(book: Book, name: str, task: str) -> BookEntry:
    try:
        return book.entry(name)
    except BookError as error:
        raise UsageError(f"{error}; or pass a file such as mine.clj", where=task) from error


def read_bars(folder: str, symbols: Iterable[str]) -> LoadedBars:
    """Read the bars of some symbols from a folder; an empty folder name reads the bundled prices.

    Raises:
        UsageError: the folder does not exist or is empty.
    """
    if not folder:
        return LoadedBars(bundled_history().select(symbols), "the bundled prices", {})
    with console.progress(f"reading {folder}"):
        bars = load_bars(Path(folder), symbols)
    return LoadedBars(bars.history(), folder, bars.columns)


def parse_day(text: str, *, option: str, task: str) -> date:
    """Parse the value of a date option, YYYY-MM-DD.

    Raises:
        UsageError: the text is empty or not a date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        problem = f"{option} {text} is not a date" if text else f"{option} is missing"
        raise UsageError(f"{problem}; pass {option} YYYY-MM-DD, such as {option} 2022-03-15", where=task) from None


@contextmanager
def translate_product_errors(*, as_json: bool = False, about: str = "") -> Iterator[None]:
    """Turn an error of the product into a failed check, and print the excerpt of a syntax error.

    Args:
        as_json: print the error as JSON on stdout instead of the excerpt.
        about: the strategy, for errors that do not name one.

    Raises:
        CheckFailedError: the block raised an AlchemiserError.
    """
    try:
        yield
    except AlchemiserError as error:
        if as_json:
            console.result_json({"error": error_facts(error)})
        if not isinstance(error, SymphonyError):
            raise CheckFailedError(str(error), where=about) from error
        if error.excerpt and not as_json:
            console.results(error.excerpt.splitlines())
        raise CheckFailedError(error.headline) from error


def error_facts(error: AlchemiserError) -> Mapping[str, Any]:
    """Return the fields of an error for JSON output: kind, message, and its place or its bar counts if it has them."""
    facts: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, SymphonyError):
        place = {"file": error.source, "line": error.line, "column": error.column}
        return {**facts, "message": error.message, **place, **({"next": error.fix} if error.fix else {})}
    if isinstance(error, InsufficientHistoryError):
        facts |= {"symbol": error.symbol, "bars_present": error.bars_present, "bars_needed": error.bars_needed}
    return facts
