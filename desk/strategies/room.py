"""Room in the book: allocations scaled down in proportion, to a sum of exactly 1. Pure."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

QUANTUM = Decimal("0.0001")


def scaled(allocations: Sequence[Decimal], *, new: Decimal) -> tuple[Decimal, ...]:
    """The allocations that leave room for a new one, in proportion to what they were, by largest remainder.

    They are multiples of 0.0001, or finer where the new one or an old one is.

    Args:
        allocations: each above 0.
        new: above 0, below 1.

    Raises:
        ValueError: nothing would be left of one of them.
    """
    quantum = min(QUANTUM, *(_last_place(one) for one in (*allocations, new)))
    total = sum(allocations, Decimal(0))
    ideal = [one * (1 - new) / total / quantum for one in allocations]
    units = [one.to_integral_value(ROUND_FLOOR) for one in ideal]
    left = int((1 - new) / quantum - sum(units, Decimal(0)))
    by_remainder = sorted(range(len(ideal)), key=lambda at: units[at] - ideal[at])
    for at in by_remainder[:left]:
        units[at] += 1
    if not all(units):
        raise ValueError(f"an allocation would fall below {quantum}")
    return tuple((one * quantum).normalize() for one in units)


def _last_place(number: Decimal) -> Decimal:
    """What one unit of the last digit is worth."""
    exponent = number.normalize().as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
