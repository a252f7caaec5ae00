"""Add a strategy file to the book: check it, make room for it, and write everything or nothing."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automation.system import console, files
from automation.system.errors import ConfigurationError, UsageError
from desk.strategies.allocation_scaling import scale_down
from desk.strategies.arguments import parse_day, read_book, require_files, translate_product_errors
from desk.strategies.book_text import NewEntry, UneditableBookError, add_entry
from desk.strategies.check_report import print_report, require_no_issues
from desk.strategies.checking import StrategyFile, check_file
from the_alchemiser.shared.book import BOOK, NAME, STRATEGIES, Book, load_book, read_symphony
from the_alchemiser.shared.symphony import required_symbols

ADD = "strategies.add"


@dataclass(frozen=True, slots=True)
class AdditionRequest:
    """The options of `strategies.add` as typed; an empty text selects the default.

    Attributes:
        files: exactly one strategy file.
        allocation: a fraction of the account, above 0 and below 1.
        scale: True scales the other allocations down to make room.
        bars: a folder of bars; empty for the bundled prices.
    """

    files: Sequence[str]
    allocation: str
    name: str = ""
    inception: str = ""
    scale: bool = False
    bars: str = ""


@dataclass(frozen=True, slots=True)
class Addition:
    """A planned addition to the book.

    Attributes:
        source: the strategy file to copy.
        allocations: new allocations of the strategies already in the book, in its order.
        book: the book before the addition.
        text: the new text of book.toml.
    """

    source: Path
    entry: NewEntry
    allocations: tuple[Decimal, ...]
    book: Book
    text: str


def add_strategy(request: AdditionRequest, *, as_json: bool, directory: Path = STRATEGIES) -> None:
    """Add a file to the book and print the allocations.

    Raises:
        UsageError: an option is invalid, or the book is full and scaling was not requested.
        ConfigurationError: the book cannot be read or edited.
        CheckFailedError: the strategy cannot trade.
    """
    with translate_product_errors(as_json=as_json):
        read_symphony(_source(request))
    addition = plan_addition(request, directory)
    entry = addition.entry

    result = check_file(StrategyFile(entry.name, addition.source, inception=entry.inception), bars=request.bars)
    if result.issues and not as_json:
        print_report((result,))
    require_no_issues((result,), strict=False)

    with translate_product_errors(as_json=as_json):
        # The book is parsed here first, so that an error in one of its files does not name the copy below.
        known_symbols = addition.book.universe
        write_addition(addition, directory)
        new_symbols = tuple(sorted(required_symbols(read_symphony(addition.source)) - known_symbols))

    if as_json:
        console.result_json({**_addition_json(addition), "new_symbols": new_symbols})
    else:
        _print_addition(addition, new_symbols)


def plan_addition(request: AdditionRequest, directory: Path) -> Addition:
    """Return what would be written, without checking the strategy itself.

    Raises:
        UsageError: an option is invalid, or the book is full and scaling was not requested.
        ConfigurationError: the book cannot be read or edited.
    """
    source = _source(request)
    allocation = _allocation(request)
    book = read_book(directory)
    entry = NewEntry(_name(request, source, book, directory), allocation, _inception(request, book))

    try:
        allocations = scale_down([existing.allocation for existing in book.entries], new=allocation)
    except ValueError as error:
        problem = f"--allocation {allocation} leaves too little for the other strategies: {error}"
        raise UsageError(f"{problem}; pass a smaller --allocation", where=ADD) from error
    if not request.scale:
        raise UsageError(_full_book_message(request, source, book, allocations), where=ADD)

    try:
        text = add_entry((directory / BOOK).read_text("utf-8"), allocations, entry)
    except UneditableBookError as error:
        raise ConfigurationError(
            f"the allocations cannot be rewritten; {error}", where=str(directory / BOOK)
        ) from error
    return Addition(source, entry, allocations, book, text)


def write_addition(addition: Addition, directory: Path) -> None:
    """Write the strategy file and the book; a failure leaves both unchanged.

    Raises:
        BookError: the new book cannot be traded.
        SymphonyError: a strategy file does not follow the grammar.
        OSError: a file cannot be written.
    """
    # The source may be the target itself, so it is read before anything is written.
    body = addition.source.read_bytes()

    # The whole new book is loaded from a copy first: the real folder must never hold a book that cannot be traded.
    with TemporaryDirectory() as scratch:
        trial = Path(scratch) / "strategies"
        shutil.copytree(directory, trial)
        _write_files(addition, body, trial)
        load_book(trial).universe  # noqa: B018 - parses every strategy of the book

    _write_files(addition, body, directory)


def _write_files(addition: Addition, body: bytes, directory: Path) -> None:
    target = directory / addition.entry.file
    existed = target.exists()

    # The strategy file comes first: a book must never name a file that does not exist.
    files.write_atomically(target, body)
    try:
        files.write_atomically(directory / BOOK, addition.text)
    except BaseException:
        # Remove only a file that this call created; one that existed before is the person's own.
        if not existed:
            target.unlink()
        raise


def _source(request: AdditionRequest) -> Path:
    if len(request.files) != 1:
        raise UsageError(
            f"expected one strategy file, got {len(request.files)}; run inv {ADD} FILE --allocation 0.1", where=ADD
        )
    path = Path(request.files[0])
    require_files((path,), task=ADD)
    return path


def _allocation(request: AdditionRequest) -> Decimal:
    if not request.allocation:
        raise UsageError("--allocation is missing; pass a fraction of the account, such as 0.1", where=ADD)

    try:
        allocation = Decimal(request.allocation)
    except InvalidOperation:
        allocation = Decimal(0)
    if not (allocation.is_finite() and 0 < allocation < 1):
        raise UsageError(
            f"--allocation must be above 0 and below 1, got {request.allocation}; pass a fraction such as 0.1",
            where=ADD,
        )
    return allocation


def _name(request: AdditionRequest, source: Path, book: Book, directory: Path) -> str:
    name = request.name or re.sub(r"[^a-z0-9]+", "-", source.stem.lower()).strip("-")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"name {name!r}: expected lower-case letters, digits and single hyphens; pass a valid --name", where=ADD
        )
    if any(entry.name == name for entry in book.entries):
        raise UsageError(f"the book already has a strategy {name!r}; pass another --name", where=ADD)

    target = directory / f"{name}.clj"
    if target.exists() and not target.samefile(source):
        raise UsageError(f"{target} already exists; pass another --name, or remove the file", where=ADD)
    return name


def _inception(request: AdditionRequest, book: Book) -> date:
    if request.inception:
        return parse_day(request.inception, option="--inception", task=ADD)
    return max(entry.inception for entry in book.entries)


def _full_book_message(request: AdditionRequest, source: Path, book: Book, allocations: Sequence[Decimal]) -> str:
    changes = ", ".join(
        f"{entry.name} {entry.allocation} -> {allocation:f}"
        for entry, allocation in zip(book.entries, allocations, strict=True)
    )
    name_option = f" --name {request.name}" if request.name else ""
    command = f"inv {ADD} {source} --allocation {request.allocation}{name_option} --scale"
    return f"the book is full: its allocations sum to 1; run {command} to scale the others down: {changes}"


def _print_addition(addition: Addition, new_symbols: Sequence[str]) -> None:
    old_allocations = {entry.name: str(entry.allocation) for entry in addition.book.entries}
    rows = [(name, old_allocations.get(name, ""), new) for name, new in _new_allocations(addition).items()]
    console.table(("strategy", "was", "is"), rows, right=("was", "is"))

    if new_symbols:
        console.result(f"new symbols, fetched by the next data refresh: {', '.join(new_symbols)}")
    entry = addition.entry
    console.result(
        f"added {entry.name} to the book, with decisions from {entry.inception} on; the next inv deploy ships it"
    )


def _addition_json(addition: Addition) -> Mapping[str, Any]:
    entry = addition.entry
    return {
        "added": entry.name,
        "file": entry.file,
        "inception": entry.inception,
        "allocations": _new_allocations(addition),
    }


def _new_allocations(addition: Addition) -> Mapping[str, str]:
    """Return the new allocation of every strategy, in the order of the book."""
    names = (*(entry.name for entry in addition.book.entries), addition.entry.name)
    allocations = (*addition.allocations, addition.entry.allocation)
    return {name: f"{allocation:f}" for name, allocation in zip(names, allocations, strict=True)}
