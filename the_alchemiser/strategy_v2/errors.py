"""The errors that say why a strategy cannot be decided on a day."""

from datetime import date

from the_alchemiser.shared.symphony.errors import EvaluationError


class InsufficientHistoryError(EvaluationError):
    """A value that the decision needs is undefined.

    Attributes:
        symbol: the symbol whose bars are too few or missing.
        bars_present: the number of its bars through as_of.
        bars_needed: the minimum number of bars.
        as_of: the requested day.
    """

    def __init__(self, message: str, *, symbol: str, bars_present: int, bars_needed: int, as_of: date) -> None:
        self.symbol = symbol
        self.bars_present = bars_present
        self.bars_needed = bars_needed
        self.as_of = as_of
        super().__init__(message)


class ZeroVolatilityError(EvaluationError):
    """All returns of a child of weight-inverse-volatility are equal over the window."""


class NotStartedError(EvaluationError):
    """The requested day is before the inception of a strategy with a rebalance-threshold."""


class LateHistoryError(EvaluationError):
    """The history starts after the inception from which a rebalance-threshold is simulated."""
