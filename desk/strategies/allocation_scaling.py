"""Make room in the book: scale allocations down in proportion, so that all sum to exactly 1. Pure."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

QUANTUM = Decimal("0.0001")


def scale_down(allocations: Sequence[Decimal], *, new: Decimal) -> tuple[Decimal, ...]:
    """Return the allocations scaled in proportion to leave room for a new one, rounded by largest remainder.

    They are multiples of 0.0001, or of a finer step if the new allocation or an existing one has more decimals.

    Args:
        allocations: fractions of the account, each above 0.
        new: a fraction of the account, above 0 and below 1.

    Returns:
        One allocation per existing one, in the same order; together with the new one they sum to exactly 1.

    Raises:
        ValueError: a scaled allocation would be 0.
    """
    quantum = min(QUANTUM, *(_last_place(allocation) for allocation in (*allocations, new)))
    total = sum(allocations, Decimal(0))
    ideal_units = [allocation * (1 - new) / total / quantum for allocation in allocations]
    units = [ideal.to_integral_value(ROUND_FLOOR) for ideal in ideal_units]

    units_left = int((1 - new) / quantum - sum(units, Decimal(0)))
    by_remainder = sorted(range(len(units)), key=lambda index: units[index] - ideal_units[index])
    for index in by_remainder[:units_left]:
        units[index] += 1

    if not all(units):
        raise ValueError(f"an allocation would fall below {quantum}")
    return tuple((count * quantum).normalize() for count in units)


def _last_place(number: Decimal) -> Decimal:
    """Return the value of one unit in the last decimal place."""
    exponent = number.normalize().as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
