"""Checks a signal before anything is planned from it: a wrong one fails the run, and never sells a holding. Pure."""

from decimal import Decimal

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.messages import SignalGenerated

TOLERANCE = Decimal("0.000001")  # weights are rounded to 9 places, far below
_ZERO = Decimal(0)


class EmptySignalError(AlchemiserError):
    """The signal has neither weights nor cash. It would sell every holding, although no strategy asks for that."""


class InvalidWeightsError(AlchemiserError):
    """A weight is outside 0 to 1, weights and cash do not sum to 1, or the strategies' parts not to the weights."""


def check_signal(signal: SignalGenerated) -> None:
    """Check that weights and cash are a whole portfolio, and that the strategies' contributions make up the weights.

    Raises:
        EmptySignalError: neither a weight nor the cash is above zero.
        InvalidWeightsError: the weights or the contributions are wrong; the message names the first fault.
    """
    if not any(signal.weights.values()) and not signal.cash:
        raise EmptySignalError("the signal has no weight above zero; nothing is planned")

    for symbol, weight in (*sorted(signal.weights.items()), ("cash", signal.cash)):
        if not 0 <= weight <= 1:
            raise InvalidWeightsError(f"{symbol}: weight {weight} is not in [0, 1]; nothing is planned")

    total = sum(signal.weights.values(), signal.cash)
    if abs(total - 1) > TOLERANCE:
        raise InvalidWeightsError(f"the weights and cash sum to {total}, not to 1; nothing is planned")

    for symbol, weight in sorted(signal.weights.items()):
        parts = sum((weights.get(symbol, _ZERO) for weights in signal.contributions.values()), _ZERO)
        if abs(parts - weight) > TOLERANCE:
            detail = f"the strategies' parts sum to {parts}, its weight is {weight}"
            raise InvalidWeightsError(f"{symbol}: {detail}; nothing is planned")
