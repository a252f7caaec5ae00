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


def round_weights(weights: Mapping[str, float], cash: float = 0.0) -> dict[str, Decimal]:
    """Round weights to 1e-9 by largest remainder; ties go to the symbol first in the alphabet, last to cash.

    Args:
        weights: zero or more; they need not sum to 1, but with cash to more than 0.
        cash: the part that stays in cash, in the same unit as the weights.

    Returns:
        The weights above 0. They sum to exactly 1 without cash, otherwise to less: the rest is the rounded cash.
    """
    symbols = sorted(weights)
    parts = [*(weights[symbol] for symbol in symbols), cash]
    total = sum(parts)
    scaled = [round(part / total * _UNITS, _NOISE_DECIMALS) for part in parts]
    units = [int(value) for value in scaled]

    unassigned = _UNITS - sum(units)
    by_remainder = sorted(range(len(units)), key=lambda at: (units[at] - scaled[at], at))
    for at in by_remainder[:unassigned]:
        units[at] += 1

    return {symbol: Decimal(count).scaleb(-_PLACES) for symbol, count in zip(symbols, units[:-1], strict=True) if count}


def cash_beside(weights: Mapping[str, Decimal]) -> Decimal:
    """Return the part that rounded weights leave in cash."""
    return 1 - sum(weights.values(), Decimal(0))
