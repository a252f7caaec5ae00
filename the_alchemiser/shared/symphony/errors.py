"""What is wrong with a strategy: its file, and where in it, or what is asked of it."""

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


class EvaluationError(AlchemiserError):
    """The day asked for cannot be decided; a guess would be worse."""


class UnusableOptionError(EvaluationError):
    """A window that has no meaning under the strategy's options."""


def excerpt_of(line: str, column: int) -> str:
    """What is near a column of a line, counted from 1, and a caret below it."""
    left = max(0, column - 1 - _EXCERPT_REACH)
    shown = line[left : column - 1 + _EXCERPT_REACH].replace("\t", " ").rstrip()
    return f"  {shown}\n  {' ' * (column - 1 - left)}^"
