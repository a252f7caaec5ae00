"""Edit the text of book.toml: rewrite allocations and append a strategy, but keep comments and order. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

_TABLE = re.compile(r"\s*\[\[\s*strategy\s*\]\]")
_ALLOCATION = re.compile(r"""(?P<before>\s*allocation\s*=\s*)(["'])[^"']*\2(?P<after>.*)""", re.DOTALL)


class UneditableBookError(Exception):
    """The text of the book cannot be edited line by line."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A strategy to append to the book; its file is named after it."""

    name: str
    allocation: Decimal
    inception: date

    @property
    def file(self) -> str:
        """Return the name of the strategy file, which lies beside the book."""
        return f"{self.name}.clj"


def add_entry(text: str, allocations: Sequence[Decimal], entry: NewEntry) -> str:
    """Return the text of the book with new allocations and one more strategy.

    Args:
        allocations: one per strategy of the text, in the order of the book.

    Raises:
        UneditableBookError: an allocation is not written on a line of its own.
    """
    lines = text.splitlines(keepends=True)
    index = -1
    for line_number, line in enumerate(lines):
        index += bool(_TABLE.match(line))
        if index >= 0 and (match := _ALLOCATION.fullmatch(line)):
            lines[line_number] = f'{match["before"]}"{allocations[index]:f}"{match["after"]}'
    edited = "".join(lines).rstrip("\n") + f"\n\n{_entry_text(entry)}"

    # A line-by-line edit can miss or corrupt unusual TOML, so the result is parsed and compared before it is used.
    expected = (*_with_allocations(text, allocations), *tomllib.loads(_entry_text(entry))["strategy"])
    if not _contains_exactly(edited, expected):
        raise UneditableBookError('write each as allocation = "0.1" on a line of its own below its [[strategy]]')
    return edited


def _entry_text(entry: NewEntry) -> str:
    return (
        f'[[strategy]]\nname = "{entry.name}"\nfile = "{entry.file}"\n'
        f'allocation = "{entry.allocation:f}"\ninception = {entry.inception}\n'
    )


def _contains_exactly(text: str, strategies: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the text parses to these strategies and nothing more."""
    try:
        return tomllib.loads(text) == {"strategy": list(strategies)}
    except tomllib.TOMLDecodeError:
        return False


def _with_allocations(text: str, allocations: Sequence[Decimal]) -> Iterator[Mapping[str, Any]]:
    for table, allocation in zip(tomllib.loads(text)["strategy"], allocations, strict=True):
        yield {**table, "allocation": f"{allocation:f}"}
