"""Derive the range of numbers that a value can have from the conditions that hold. Pure."""

from dataclasses import dataclass
from functools import lru_cache
from math import inf

from the_alchemiser.shared.symphony.comparing import COMPARED_DECIMALS, compare
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    Condition,
    CurrentPrice,
    IndicatorKind,
    IndicatorOf,
    Number,
    Value,
)

_FLIPPED = {
    Comparison.GREATER: Comparison.LESS,
    Comparison.LESS: Comparison.GREATER,
    Comparison.GREATER_OR_EQUAL: Comparison.LESS_OR_EQUAL,
    Comparison.LESS_OR_EQUAL: Comparison.GREATER_OR_EQUAL,
    Comparison.EQUAL: Comparison.EQUAL,
}


@dataclass(frozen=True, slots=True)
class Domain:
    """An interval of numbers from low to high; an open end and the holes do not belong to it."""

    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False
    holes: frozenset[float] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Return whether the domain contains no number."""
        if self.low < self.high:
            return False
        return self.low > self.high or self.low_open or self.high_open or self.low in self.holes

    def intersect(self, domain: "Domain") -> "Domain":
        """Return the numbers that both domains contain."""
        low, low_open = max((self.low, self.low_open), (domain.low, domain.low_open))
        high, high_closed = min((self.high, not self.high_open), (domain.high, not domain.high_open))
        holes = frozenset(hole for hole in self.holes | domain.holes if low <= hole <= high)
        return Domain(low, high, low_open, not high_closed, holes)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g}"

        limits = []
        if self.low > -inf:
            limits.append(f"{'above' if self.low_open else 'at least'} {self.low:g}")
        if self.high < inf:
            limits.append(f"{'below' if self.high_open else 'at most'} {self.high:g}")
        limits += [f"not {hole:g}" for hole in sorted(self.holes)]
        return " and ".join(limits) or "any number"


EVERYTHING = Domain()

_NATURAL_DOMAINS = {
    IndicatorKind.RSI: Domain(0, 100),
    IndicatorKind.MAX_DRAWDOWN: Domain(0, 100),
    IndicatorKind.STDEV_RETURN: Domain(0),
    IndicatorKind.STDEV_PRICE: Domain(0),
    IndicatorKind.MOVING_AVERAGE_PRICE: Domain(0),
    IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE: Domain(0),
    IndicatorKind.CUMULATIVE_RETURN: Domain(-100),
    IndicatorKind.MOVING_AVERAGE_RETURN: Domain(-100),
    IndicatorKind.PPO: Domain(-100),
    IndicatorKind.PPO_SIGNAL: Domain(-100),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The number that a condition restricts: a value, or the difference of two values."""

    value: Value
    minus: Value | None = None

    @property
    def natural_domain(self) -> Domain:
        """Return the numbers that the subject can have under any prices."""
        if self.minus is not None:
            return EVERYTHING
        if isinstance(self.value, IndicatorOf):
            return _NATURAL_DOMAINS[self.value.indicator.kind]
        return Domain(0) if isinstance(self.value, CurrentPrice) else EVERYTHING

    def describe(self, domain: Domain) -> str:
        """Return a sentence which says that the subject lies in a domain."""
        name = f"{self.value}" if self.minus is None else f"{self.value} minus {self.minus}"
        return f"{name} is {domain}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A condition as a statement about one subject.

    Attributes:
        holds: the numbers for which the condition holds.
        fails: the numbers for which it does not.
    """

    subject: Subject
    holds: Domain
    fails: Domain


@lru_cache(maxsize=4096)
def interpret_condition(condition: Condition) -> Claim | bool:
    """Return the claim of a condition, or its outcome if no price can change it."""
    left, right, comparison = condition.left, condition.right, condition.comparison
    if isinstance(left, Number) and isinstance(right, Number):
        return bool(compare(comparison, round(left.value, COMPARED_DECIMALS), round(right.value, COMPARED_DECIMALS)))
    if left == right:
        return comparison in (Comparison.EQUAL, Comparison.GREATER_OR_EQUAL, Comparison.LESS_OR_EQUAL)

    # A number goes to the right and two values into a fixed order, so that `a < b` and `b > a` share a subject.
    if isinstance(left, Number) or (not isinstance(right, Number) and str(left) > str(right)):
        left, right, comparison = right, left, _FLIPPED[comparison]
    subject, bound = (Subject(left), right.value) if isinstance(right, Number) else (Subject(left, right), 0.0)
    return Claim(subject, *_domains(comparison, round(bound, COMPARED_DECIMALS)))


def _domains(comparison: Comparison, bound: float) -> tuple[Domain, Domain]:
    """Return the numbers for which a comparison with a bound holds, and those for which it fails."""
    match comparison:
        case Comparison.GREATER:
            return Domain(low=bound, low_open=True), Domain(high=bound)
        case Comparison.LESS:
            return Domain(high=bound, high_open=True), Domain(low=bound)
        case Comparison.GREATER_OR_EQUAL:
            return Domain(low=bound), Domain(high=bound, high_open=True)
        case Comparison.LESS_OR_EQUAL:
            return Domain(high=bound), Domain(low=bound, low_open=True)
        case Comparison.EQUAL:
            return Domain(bound, bound), Domain(holes=frozenset({bound}))
