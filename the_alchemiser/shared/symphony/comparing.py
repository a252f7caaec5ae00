"""The comparison operators of a condition, for numbers and for arrays; callers round both sides first."""

import operator
from collections.abc import Callable
from typing import Any

from the_alchemiser.shared.symphony.tree import Comparison

COMPARED_DECIMALS = 8
"""Every value is rounded to this before it is compared or ranked; otherwise two correct evaluators disagree at ties."""

_OPERATORS: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.GREATER: operator.gt,
    Comparison.LESS: operator.lt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS_OR_EQUAL: operator.le,
    Comparison.EQUAL: operator.eq,
}


def compare(comparison: Comparison, left: Any, right: Any) -> Any:
    """Return whether the comparison holds, element by element for arrays; both sides are already rounded."""
    return _OPERATORS[comparison](left, right)
