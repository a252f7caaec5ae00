"""book.toml as text: allocations rewritten and a strategy appended, comments and order kept. Pure."""

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
    """A book whose text does not let itself be changed line by line."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A strategy to append; its file is called as it is."""

    name: str
    allocation: Decimal
    inception: date

    @property
    def file(self) -> str:
        """The name of its file, beside the book."""
        return f"{self.name}.clj"


def with_entry(text: str, allocations: Sequence[Decimal], entry: NewEntry) -> str:
    """The text with other allocations, in the order of the book, and one more strategy.

    Raises:
        UneditableBookError: the allocations do not stand in lines of their own.
    """
    lines = text.splitlines(keepends=True)
    number = -1
    for at, line in enumerate(lines):
        number += bool(_TABLE.match(line))
        if number >= 0 and (match := _ALLOCATION.fullmatch(line)):
            lines[at] = f'{match["before"]}"{allocations[number]:f}"{match["after"]}'
    changed = "".join(lines).rstrip("\n") + f"\n\n{_table(entry)}"
    wanted = (*_with_allocations(text, allocations), *tomllib.loads(_table(entry))["strategy"])
    if not _says(changed, wanted):
        raise UneditableBookError('write each as allocation = "0.1" in a line of its own below its [[strategy]]')
    return changed


def _table(entry: NewEntry) -> str:
    return (
        f'[[strategy]]\nname = "{entry.name}"\nfile = "{entry.file}"\n'
        f'allocation = "{entry.allocation:f}"\ninception = {entry.inception}\n'
    )


def _says(text: str, strategies: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a text is a book of these strategies and nothing else."""
    try:
        return tomllib.loads(text) == {"strategy": list(strategies)}
    except tomllib.TOMLDecodeError:
        return False


def _with_allocations(text: str, allocations: Sequence[Decimal]) -> Iterator[Mapping[str, Any]]:
    for table, allocation in zip(tomllib.loads(text)["strategy"], allocations, strict=True):
        yield {**table, "allocation": f"{allocation:f}"}
