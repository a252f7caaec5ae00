"""Weights that reach an order: Decimal, at 1e-9, summing to exactly 1."""

from collections.abc import Mapping
from decimal import Decimal

_PLACES = 9
_UNITS = 10**_PLACES
# Parts of a unit beyond this are noise of the arithmetic and must not decide a tie.
_NOISE_DECIMALS = 5


def exact_weights(weights: Mapping[str, float]) -> dict[str, Decimal]:
    """Round to 1e-9 by largest remainder, ties to the symbol first in the alphabet; what is 0 then is left out.

    Args:
        weights: at least one above 0; normalised here.
    """
    total = sum(weights[symbol] for symbol in sorted(weights))
    scaled = {symbol: round(weights[symbol] / total * _UNITS, _NOISE_DECIMALS) for symbol in sorted(weights)}
    units = {symbol: int(value) for symbol, value in scaled.items()}
    missing = _UNITS - sum(units.values())
    by_remainder = sorted(units, key=lambda symbol: (units[symbol] - scaled[symbol], symbol))
    for symbol in by_remainder[:missing]:
        units[symbol] += 1
    return {symbol: Decimal(count).scaleb(-_PLACES) for symbol, count in units.items() if count}
