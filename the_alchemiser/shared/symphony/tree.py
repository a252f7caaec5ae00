"""The syntax tree of a strategy: flat, shared and checked.

One tuple holds all nodes, children before parents, the root last; a node refers to its children by index. Equal
subtrees share one node, so a repetitive file of 50,000 nodes becomes a few thousand here. Comparing, hashing and
walking a tree never recurse, however deep the nesting. A node keeps the place of its first occurrence; equality
ignores places.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from the_alchemiser.shared.symphony.frozen_record import PlacedRecord, Record


class Place(NamedTuple):
    """A line and a column of the file, both counted from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)

Block = tuple[int, ...]


class IndicatorKind(StrEnum):
    """An indicator, under its name in the language."""

    RSI = "rsi"
    MOVING_AVERAGE_PRICE = "moving-average-price"
    MOVING_AVERAGE_RETURN = "moving-average-return"
    EXPONENTIAL_MOVING_AVERAGE_PRICE = "exponential-moving-average-price"
    CUMULATIVE_RETURN = "cumulative-return"
    STDEV_RETURN = "stdev-return"
    STDEV_PRICE = "stdev-price"
    MAX_DRAWDOWN = "max-drawdown"
    PPO = "percentage-price-oscillator"
    PPO_SIGNAL = "percentage-price-oscillator-signal"


class Comparison(StrEnum):
    """A comparison operator of a condition."""

    GREATER = ">"
    LESS = "<"
    GREATER_OR_EQUAL = ">="
    LESS_OR_EQUAL = "<="
    EQUAL = "="


class Junction(StrEnum):
    """How a compound condition combines its parts."""

    ANY = "any"
    ALL = "all"


class Select(StrEnum):
    """The end of the ranking that a filter selects."""

    TOP = "select-top"
    BOTTOM = "select-bottom"


class Frequency(StrEnum):
    """How often a strategy decides: on the first session of each period."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


WINDOW_KEYS = {
    IndicatorKind.PPO: ("short-window", "long-window"),
    IndicatorKind.PPO_SIGNAL: ("short-window", "long-window", "smooth-window"),
}


def window_keys(kind: IndicatorKind) -> tuple[str, ...]:
    """Return the names of an indicator's window settings, in the order of `Indicator.windows`."""
    return WINDOW_KEYS.get(kind, ("window",))


class Indicator(Record, frozen=True):
    """An indicator with its windows, in sessions, each at least 1."""

    kind: IndicatorKind
    windows: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(map(str, self.windows))}"


class Number(Record, frozen=True):
    """A constant in a condition."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


class CurrentPrice(Record, frozen=True):
    """The adjusted close of a symbol on the session, in USD."""

    symbol: str

    def __str__(self) -> str:
        return f"current-price {self.symbol}"


class IndicatorOf(Record, frozen=True):
    """An indicator on the closes of a symbol."""

    indicator: Indicator
    symbol: str

    def __str__(self) -> str:
        return f"{self.indicator.kind} {self.symbol} {'/'.join(map(str, self.indicator.windows))}"


Value = Number | CurrentPrice | IndicatorOf


class Condition(Record, frozen=True):
    """A comparison of two values."""

    comparison: Comparison
    left: Value
    right: Value

    def __str__(self) -> str:
        return f"{self.left} {self.comparison} {self.right}"


class Compound(Record, frozen=True):
    """Conditions of which any, or all, must hold; parsing limits how deep they are nested."""

    junction: Junction
    parts: "tuple[Predicate, ...]"

    def __str__(self) -> str:
        return f"{self.junction} of ({', '.join(map(str, self.parts))})"


Predicate = Condition | Compound


def comparisons_of(predicate: Predicate) -> Iterator[Condition]:
    """Yield the comparisons of a condition in the order of the file."""
    if isinstance(predicate, Condition):
        yield predicate
        return
    for part in predicate.parts:
        yield from comparisons_of(part)


def values_of(predicate: Predicate) -> Iterator[Value]:
    """Yield both sides of every comparison of a condition."""
    for condition in (predicate,) if isinstance(predicate, Condition) else comparisons_of(predicate):
        yield condition.left
        yield condition.right


class Asset(PlacedRecord, frozen=True):
    """A holding of one symbol, with weight 1."""

    symbol: str
    name: str | None
    place: Place = NOWHERE


class Empty(PlacedRecord, frozen=True):
    """Cash: nothing is held, and nothing is earned."""

    place: Place = NOWHERE


class WeightEqual(PlacedRecord, frozen=True):
    """Direct children with equal weights."""

    children: Block
    place: Place = NOWHERE


class WeightSpecified(PlacedRecord, frozen=True):
    """Direct children with the fractions written in the file; they sum to 1 within 1e-6."""

    fractions: tuple[float, ...]
    children: Block
    place: Place = NOWHERE


class WeightInverseVolatility(PlacedRecord, frozen=True):
    """Direct children in proportion to 1 / stdev of their daily returns over the window, in sessions."""

    window: int
    children: Block
    place: Place = NOWHERE


class Group(PlacedRecord, frozen=True):
    """A named block, whose nodes have equal weights."""

    name: str
    body: Block
    place: Place = NOWHERE


class If(PlacedRecord, frozen=True):
    """A choice between two blocks, made again on every session."""

    condition: Predicate
    then: Block
    otherwise: Block
    place: Place = NOWHERE


class Filter(PlacedRecord, frozen=True):
    """The `count` best (or worst) direct children by an indicator, with equal weights."""

    indicator: Indicator
    select: Select
    count: int
    candidates: Block
    place: Place = NOWHERE


Node = Asset | Empty | WeightEqual | WeightSpecified | WeightInverseVolatility | Group | If | Filter


class Threshold(Record, frozen=True):
    """Rebalance when a weight is off target by more than these points (0.05 is five percent of the portfolio)."""

    points: float


Rebalance = Frequency | Threshold


class Symphony(PlacedRecord, frozen=True):
    """A parsed strategy file.

    Attributes:
        nodes: the distinct nodes in the order in which the file completes them: children before parents, the root last.
        source: the file name, for messages; ignored by equality.
    """

    name: str
    asset_class: str
    rebalance: Rebalance
    nodes: tuple[Node, ...]
    source: str = "<string>"
