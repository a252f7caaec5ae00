"""A strategy file into the book: checked first, room made for it, and all written or nothing."""

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
from desk.strategies.book_text import NewEntry, UneditableBookError, with_entry
from desk.strategies.check_report import require, show
from desk.strategies.checking import Subject, check_file
from desk.strategies.room import scaled
from desk.strategies.sources import parse_day, read_book, reported
from the_alchemiser.shared.book import BOOK, NAME, STRATEGIES, Book, load_book, read_symphony
from the_alchemiser.shared.symphony import required_symbols

ADD = "strategies.add"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, as typed; an empty text leaves the choice to us.

    Attributes:
        files: exactly one.
        scale: whether the others make room.
    """

    files: Sequence[str]
    allocation: str
    name: str = ""
    inception: str = ""
    scale: bool = False
    bars: str = ""


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be written.

    Attributes:
        allocations: of the strategies that are there, in their order.
    """

    source: Path
    entry: NewEntry
    allocations: tuple[Decimal, ...]
    book: Book
    text: str


def add_strategy(wish: Wish, *, as_json: bool, directory: Path = STRATEGIES) -> None:
    """Add a file to the book and print the allocations.

    Raises:
        UsageError: a word or an option is not understood, or there is no room and none is to be made.
        ConfigurationError: the book cannot be read, or not be edited.
        CheckFailedError: the strategy cannot trade.
    """
    addition = plan(wish, directory)
    checked = check_file(
        Subject(addition.entry.name, addition.source, inception=addition.entry.inception), bars=wish.bars
    )
    if checked.issues and not as_json:
        show((checked,))
    require((checked,), strict=False)
    with reported(as_json=as_json):
        write(addition, directory)
        unknown = tuple(sorted(required_symbols(read_symphony(addition.source)) - addition.book.universe))
    if as_json:
        console.result_json({**_as_json(addition), "new_symbols": unknown})
    else:
        _show(addition, unknown)


def plan(wish: Wish, directory: Path) -> Addition:
    """What would be written, the strategy itself not looked at.

    Raises:
        UsageError: a word or an option is not understood, or there is no room and none is to be made.
        ConfigurationError: the book cannot be read, or not be edited.
    """
    source = _source(wish)
    allocation = _allocation(wish)
    book = read_book(directory)
    entry = NewEntry(_name(wish, source, book, directory), allocation, _inception(wish, book))
    try:
        allocations = scaled([one.allocation for one in book.entries], new=allocation)
    except ValueError as error:
        raise UsageError(f"--allocation {allocation} leaves too little: {error}", where=ADD) from error
    if not wish.scale:
        raise UsageError(_no_room(wish, source, book, allocations), where=ADD)
    try:
        text = with_entry((directory / BOOK).read_text("utf-8"), allocations, entry)
    except UneditableBookError as error:
        raise ConfigurationError(
            f"the allocations cannot be rewritten; {error}", where=str(directory / BOOK)
        ) from error
    return Addition(source, entry, allocations, book, text)


def write(addition: Addition, directory: Path) -> None:
    """Write the file and the book, which is read back first; a failure leaves both as they were."""
    body = addition.source.read_bytes()
    with TemporaryDirectory() as scratch:
        trial = Path(scratch) / "strategies"
        shutil.copytree(directory, trial)
        _place(addition, body, trial)
        load_book(trial).universe  # noqa: B018 - the whole book is parsed
    _place(addition, body, directory)


def _place(addition: Addition, body: bytes, directory: Path) -> None:
    target = directory / addition.entry.file
    is_there = target.exists()
    files.write_atomically(target, body)
    try:
        files.write_atomically(directory / BOOK, addition.text)
    except BaseException:
        if not is_there:
            target.unlink()
        raise


def _source(wish: Wish) -> Path:
    if len(wish.files) != 1:
        raise UsageError(f"expected one file: inv {ADD} FILE --allocation 0.1; found {len(wish.files)}", where=ADD)
    path = Path(wish.files[0])
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=ADD)
    return path


def _allocation(wish: Wish) -> Decimal:
    try:
        allocation = Decimal(wish.allocation)
    except InvalidOperation:
        allocation = Decimal(0)
    if not (allocation.is_finite() and 0 < allocation < 1):
        what = f"--allocation {wish.allocation}" if wish.allocation else "--allocation is missing"
        raise UsageError(f"{what}: expected above 0 and below 1, as --allocation 0.1", where=ADD)
    return allocation


def _name(wish: Wish, source: Path, book: Book, directory: Path) -> str:
    name = wish.name or re.sub(r"[^a-z0-9]+", "-", source.stem.lower()).strip("-")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"name {name!r}: expected lower-case letters, digits and single hyphens; pass --name", where=ADD
        )
    if any(entry.name == name for entry in book.entries):
        raise UsageError(f"the book has a strategy {name!r}; pass another --name", where=ADD)
    target = directory / f"{name}.clj"
    if target.exists() and not target.samefile(source):
        raise UsageError(f"there is a file {target}; pass another --name, or remove it", where=ADD)
    return name


def _inception(wish: Wish, book: Book) -> date:
    if wish.inception:
        return parse_day(wish.inception, option="--inception", task=ADD)
    return max(entry.inception for entry in book.entries)


def _no_room(wish: Wish, source: Path, book: Book, allocations: Sequence[Decimal]) -> str:
    changes = ", ".join(
        f"{entry.name} {entry.allocation} -> {allocation:f}"
        for entry, allocation in zip(book.entries, allocations, strict=True)
    )
    named = f" --name {wish.name}" if wish.name else ""
    command = f"inv {ADD} {source} --allocation {wish.allocation}{named} --scale"
    return f"the book is full, its allocations sum to 1; make room with {command}, which makes {changes}"


def _show(addition: Addition, unknown: Sequence[str]) -> None:
    was = {entry.name: str(entry.allocation) for entry in addition.book.entries}
    rows = [(name, was.get(name, ""), now) for name, now in _now(addition).items()]
    console.table(("strategy", "was", "is"), rows, right=("was", "is"))
    if unknown:
        console.result(f"new to the universe, fetched with the next refresh: {', '.join(unknown)}")
    entry = addition.entry
    console.result(f"{entry.name} is in the book, decided from {entry.inception} on; inv sync ships it")


def _as_json(addition: Addition) -> Mapping[str, Any]:
    entry = addition.entry
    return {"added": entry.name, "file": entry.file, "inception": entry.inception, "allocations": _now(addition)}


def _now(addition: Addition) -> Mapping[str, str]:
    """The allocation of every strategy, in the order of the book."""
    names = (*(entry.name for entry in addition.book.entries), addition.entry.name)
    allocations = (*addition.allocations, addition.entry.allocation)
    return {name: f"{allocation:f}" for name, allocation in zip(names, allocations, strict=True)}
