"""Round the engine's weights to the decimals that reach orders.

This is the only place that rounds weights. Values are rounded before comparing and ranking by
`indicators.round_for_comparison`.
"""

from collections.abc import Mapping
from decimal import Decimal

_PLACES = 9
_UNITS = 10**_PLACES
# Digits beyond this are arithmetic noise and must not decide a tie.
_NOISE_DECIMALS = 5


def round_weights(weights: Mapping[str, float]) -> dict[str, Decimal]:
    """Round weights to 1e-9 by largest remainder; ties go to the symbol first in the alphabet.

    Args:
        weights: zero or more, at least one above 0; they need not sum to 1.

    Returns:
        The weights above 0; they sum to exactly 1.
    """
    total = sum(weights[symbol] for symbol in sorted(weights))
    scaled = {symbol: round(weights[symbol] / total * _UNITS, _NOISE_DECIMALS) for symbol in sorted(weights)}
    units = {symbol: int(value) for symbol, value in scaled.items()}

    unassigned = _UNITS - sum(units.values())
    by_remainder = sorted(units, key=lambda symbol: (units[symbol] - scaled[symbol], symbol))
    for symbol in by_remainder[:unassigned]:
        units[symbol] += 1

    return {symbol: Decimal(count).scaleb(-_PLACES) for symbol, count in units.items() if count}
