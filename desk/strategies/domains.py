"""What is known of a number from the conditions that hold: between two ends, but for single numbers. Pure."""

from dataclasses import dataclass
from math import inf

from the_alchemiser.shared.symphony.comparing import DECIMALS, compare
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
    """The numbers from low to high, without an end that is open, and without the holes."""

    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False
    holes: frozenset[float] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether no number is left."""
        if self.low < self.high:
            return False
        return self.low > self.high or self.low_open or self.high_open or self.low in self.holes

    def meet(self, other: "Domain") -> "Domain":
        """The numbers in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        holes = frozenset(hole for hole in self.holes | other.holes if low <= hole <= high)
        return Domain(low, high, low_open, not high_closed, holes)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g}"
        ends = []
        if self.low > -inf:
            ends.append(f"{'above' if self.low_open else 'at least'} {self.low:g}")
        if self.high < inf:
            ends.append(f"{'below' if self.high_open else 'at most'} {self.high:g}")
        ends += [f"not {hole:g}" for hole in sorted(self.holes)]
        return " and ".join(ends) or "any number"


EVERYTHING = Domain()

_NATURAL = {
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
    """What a condition is about: a value, or by how much one exceeds another."""

    value: Value
    less: Value | None = None

    @property
    def natural(self) -> Domain:
        """What it can be at all."""
        if self.less is None and isinstance(self.value, IndicatorOf):
            return _NATURAL[self.value.indicator.kind]
        return Domain(0) if self.less is None and isinstance(self.value, CurrentPrice) else EVERYTHING

    def told(self, domain: Domain) -> str:
        """A domain of it in words."""
        if self.less is None:
            return f"{self.value} is {domain}"
        return f"{self.value} less {self.less} is {domain}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A condition as a statement about one subject."""

    subject: Subject
    holds: Domain
    fails: Domain


def claim_of(condition: Condition) -> Claim | bool:
    """The claim of a condition; whether it holds, where that is the same on every day."""
    left, right, comparison = condition.left, condition.right, condition.comparison
    if isinstance(left, Number) and isinstance(right, Number):
        return bool(compare(comparison, round(left.value, DECIMALS), round(right.value, DECIMALS)))
    if left == right:
        return comparison in (Comparison.EQUAL, Comparison.GREATER_OR_EQUAL, Comparison.LESS_OR_EQUAL)
    if isinstance(left, Number) or (not isinstance(right, Number) and str(left) > str(right)):
        left, right, comparison = right, left, _FLIPPED[comparison]
    subject, number = (Subject(left), right.value) if isinstance(right, Number) else (Subject(left, right), 0.0)
    return Claim(subject, *_domains(comparison, round(number, DECIMALS)))


def _domains(comparison: Comparison, number: float) -> tuple[Domain, Domain]:
    """Where a number compares so, and where it does not."""
    match comparison:
        case Comparison.GREATER:
            return Domain(low=number, low_open=True), Domain(high=number)
        case Comparison.LESS:
            return Domain(high=number, high_open=True), Domain(low=number)
        case Comparison.GREATER_OR_EQUAL:
            return Domain(low=number), Domain(high=number, high_open=True)
        case Comparison.LESS_OR_EQUAL:
            return Domain(high=number), Domain(low=number, low_open=True)
        case Comparison.EQUAL:
            return Domain(number, number), Domain(holes=frozenset({number}))
