"""Edits of a text, as spans and their replacements: they keep every other character, comments and line endings too."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from `start` up to `end`; an insertion has equal ends."""

    start: int
    end: int
    text: str = ""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits. Insertions at one position keep their order.

    Raises:
        ValueError: two edits overlap, which is a bug of the planner.
    """
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise ValueError(f"two edits overlap at character {edit.start}")
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*parts, text[position:]])


def line_start(text: str, position: int) -> int:
    """Return where the line of a position starts."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Return where the line of a position ends, with its line break if it has one."""
    end = text.find("\n", position)
    return len(text) if end == -1 else end + 1


def newline_of(text: str) -> str:
    """Return the line break of a text: that of its first line."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
