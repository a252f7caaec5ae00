"""The operators of a condition, on numbers and on arrays alike; both sides are rounded before."""

import operator
from collections.abc import Callable
from typing import Any

from the_alchemiser.shared.symphony.tree import Comparison

DECIMALS = 8
"""Every value is rounded so before it is compared or ranked: otherwise two right evaluators disagree at ties."""

_OPERATORS: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.GREATER: operator.gt,
    Comparison.LESS: operator.lt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS_OR_EQUAL: operator.le,
    Comparison.EQUAL: operator.eq,
}


def compare(comparison: Comparison, left: Any, right: Any) -> Any:
    """Whether it holds; element by element for arrays."""
    return _OPERATORS[comparison](left, right)
