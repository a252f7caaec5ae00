"""Errors of a strategy: a file that cannot be parsed, or a day that cannot be decided."""

from the_alchemiser.shared.errors import AlchemiserError

_EXCERPT_REACH = 60


class SymphonyError(AlchemiserError):
    """A strategy file does not follow the grammar, or contains an impossible value.

    Attributes:
        source: the file name, or another name of the text.
        line, column: the position of the error, both counted from 1.
        excerpt: the part of the line around the error, with a caret below it; empty when there is no text to show.
        fix: the command that helps; empty when the message says enough.
    """

    def __init__(self, message: str, source: str, line: int, column: int, *, excerpt: str = "", fix: str = "") -> None:
        self.message = message
        self.source = source
        self.line = line
        self.column = column
        self.excerpt = excerpt
        self.fix = fix
        super().__init__(message, source, line, column)

    def __str__(self) -> str:
        return f"{self.headline}\n{self.excerpt}" if self.excerpt else self.headline

    @property
    def headline(self) -> str:
        """Return everything but the excerpt."""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.source}:{self.line}:{self.column}: {self.message}{fix}"


class EvaluationError(AlchemiserError):
    """The requested day cannot be decided. The engine raises this instead of guessing."""


class UnusableOptionError(EvaluationError):
    """A window is too short for the strategy's options."""


def excerpt_of(line: str, column: int) -> str:
    """Return the part of a line around a column (counted from 1), with a caret below that column."""
    left = max(0, column - 1 - _EXCERPT_REACH)
    shown = line[left : column - 1 + _EXCERPT_REACH].replace("\t", " ").rstrip()
    return f"  {shown}\n  {' ' * (column - 1 - left)}^"
