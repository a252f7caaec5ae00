"""The syntax tree of a strategy: flat, shared, and checked.

Nodes lie in one tuple, children before parents, the root last, and name their children by index. Equal subtrees are one
node, so a file of 50,000 nodes that repeats itself is a few thousand here; comparing, hashing and walking never
recurse, however deep the nesting. Places are those of the first occurrence and take no part in equality.
"""

from enum import StrEnum
from typing import NamedTuple

from the_alchemiser.shared.symphony.record import Record


class Place(NamedTuple):
    """Line and column in the file, both counted from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)

Block = tuple[int, ...]


class IndicatorKind(StrEnum):
    """The names of the language."""

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
    """The operators of a condition."""

    GREATER = ">"
    LESS = "<"
    GREATER_OR_EQUAL = ">="
    LESS_OR_EQUAL = "<="
    EQUAL = "="


class Select(StrEnum):
    """Which end of the ranking a filter takes."""

    TOP = "select-top"
    BOTTOM = "select-bottom"


class Frequency(StrEnum):
    """How often a strategy decides: on the first session of the period."""

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
    """The settings that an indicator takes, in the order of `Indicator.windows`."""
    return WINDOW_KEYS.get(kind, ("window",))


class Indicator(Record):
    """An indicator with its windows, in sessions, each at least 1."""

    kind: IndicatorKind
    windows: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(map(str, self.windows))}"


class Number(Record):
    """A constant."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


class CurrentPrice(Record):
    """The close of as_of, USD, adjusted."""

    symbol: str

    def __str__(self) -> str:
        return f"current-price {self.symbol}"


class IndicatorOf(Record):
    """An indicator of a symbol's closes."""

    indicator: Indicator
    symbol: str

    def __str__(self) -> str:
        return f"{self.indicator.kind} {self.symbol} {'/'.join(map(str, self.indicator.windows))}"


Value = Number | CurrentPrice | IndicatorOf


class Condition(Record):
    """Left against right."""

    comparison: Comparison
    left: Value
    right: Value


class Asset(Record):
    """All in one symbol."""

    symbol: str
    name: str | None
    place: Place = NOWHERE


class WeightEqual(Record):
    """Each direct child the same."""

    children: Block
    place: Place = NOWHERE


class WeightSpecified(Record):
    """Fractions as written; they sum to 1 within 1e-6."""

    fractions: tuple[float, ...]
    children: Block
    place: Place = NOWHERE


class WeightInverseVolatility(Record):
    """Each direct child in proportion to 1 / stdev of its daily returns over the window."""

    window: int
    children: Block
    place: Place = NOWHERE


class Group(Record):
    """A name for a block."""

    name: str
    body: Block
    place: Place = NOWHERE


class If(Record):
    """One of two blocks, day by day."""

    condition: Condition
    then: Block
    otherwise: Block
    place: Place = NOWHERE


class Filter(Record):
    """The count best (or worst) of the direct children."""

    indicator: Indicator
    select: Select
    count: int
    candidates: Block
    place: Place = NOWHERE


Node = Asset | WeightEqual | WeightSpecified | WeightInverseVolatility | Group | If | Filter


class Threshold(Record):
    """Rebalance when a weight is off by more than these weight points (0.05 is five percent of the portfolio)."""

    points: float


Rebalance = Frequency | Threshold


class Symphony(Record):
    """A whole strategy file.

    Attributes:
        nodes: distinct nodes, children before parents, in the order in which the file completes them; the root is last.
        source: the file it came from, for messages; no part of equality.
    """

    name: str
    asset_class: str
    rebalance: Rebalance
    nodes: tuple[Node, ...]
    source: str = "<string>"
