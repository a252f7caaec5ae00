"""What is wrong with a strategy file, and where."""

from the_alchemiser.shared.errors import AlchemiserError

_EXCERPT_REACH = 60


class SymphonyError(AlchemiserError):
    """A strategy file that does not follow the grammar, or says something impossible.

    Attributes:
        source: the file, or another name of the text.
        line, column: where, both counted from 1.
        excerpt: that line, cut to what is near, and a caret below the place; empty when there is no text to show.
    """

    def __init__(self, message: str, source: str, line: int, column: int, *, excerpt: str = "") -> None:
        self.message = message
        self.source = source
        self.line = line
        self.column = column
        self.excerpt = excerpt
        super().__init__(message, source, line, column)

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}:{self.column}: {self.message}"
        return f"{where}\n{self.excerpt}" if self.excerpt else where


def error_at(text: str, offset: int, message: str, *, source: str) -> SymphonyError:
    """The error for the character at an offset of the text."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    left = max(start, offset - _EXCERPT_REACH)
    right = min(len(text) if end < 0 else end, offset + _EXCERPT_REACH)
    shown = text[left:right].replace("\t", " ").rstrip()
    return SymphonyError(
        message,
        source,
        text.count("\n", 0, offset) + 1,
        offset - start + 1,
        excerpt=f"  {shown}\n  {' ' * (offset - left)}^",
    )
