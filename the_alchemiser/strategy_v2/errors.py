"""Why a strategy has no answer for a day."""

from datetime import date

from the_alchemiser.shared.symphony.errors import EvaluationError


class InsufficientHistoryError(EvaluationError):
    """A value that the decision needs is not defined.

    Attributes:
        symbol: whose bars are too few, or missing.
        bars_present: its bars through as_of.
        bars_needed: at least so many.
        as_of: the day asked for.
    """

    def __init__(self, message: str, *, symbol: str, bars_present: int, bars_needed: int, as_of: date) -> None:
        self.symbol = symbol
        self.bars_present = bars_present
        self.bars_needed = bars_needed
        self.as_of = as_of
        super().__init__(message)


class ZeroVolatilityError(EvaluationError):
    """The returns of a child of weight-inverse-volatility were all equal over the window."""


class NotStartedError(EvaluationError):
    """A strategy with a rebalance-threshold is asked about a day before its inception."""


class LateHistoryError(EvaluationError):
    """The history begins after the inception from which a rebalance-threshold is simulated."""
