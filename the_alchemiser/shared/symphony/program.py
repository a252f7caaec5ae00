"""A strategy made ready to run: few kinds of operation, distinct ones only, children before parents."""

from collections.abc import Mapping

from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.record import Record
from the_alchemiser.shared.symphony.tree import NOWHERE, Condition, Indicator, Place, Rebalance, Select


class Leaf(Record):
    """All in one symbol."""

    symbol: str
    place: Place = NOWHERE

    @property
    def children(self) -> tuple[int, ...]:
        """None."""
        return ()

    @property
    def label(self) -> str:
        """The symbol."""
        return self.symbol


class Fixed(Record):
    """Constant fractions, each above 0, summing to 1."""

    children: tuple[int, ...]
    fractions: tuple[float, ...]
    label: str
    place: Place = NOWHERE


class Switch(Record):
    """One of two children, day by day: the first where the condition holds."""

    condition: Condition
    children: tuple[int, int]
    place: Place = NOWHERE

    @property
    def label(self) -> str:
        """The condition in words."""
        return f"if {self.condition.left} {self.condition.comparison} {self.condition.right}"


class Choice(Record):
    """The count best or worst children by indicator; with no more children than count, all, unscored."""

    indicator: Indicator
    select: Select
    count: int
    children: tuple[int, ...]
    place: Place = NOWHERE

    @property
    def takes_all(self) -> bool:
        """Whether no score can change the outcome."""
        return self.count >= len(self.children)

    @property
    def label(self) -> str:
        """The ranking in words."""
        return f"filter {self.indicator} {self.select} {self.count}"


class InverseVolatility(Record):
    """Fractions in proportion to 1 / stdev of daily returns; `returns` is that stdev as an indicator."""

    returns: Indicator
    children: tuple[int, ...]
    place: Place = NOWHERE

    @property
    def label(self) -> str:
        """The operator in words."""
        return f"weight-inverse-volatility {self.returns.windows[0]}"


Operation = Leaf | Fixed | Switch | Choice | InverseVolatility


def scored_by(operation: Operation) -> Indicator | None:
    """The indicator of the children's own history on which the operation depends, if it does."""
    if isinstance(operation, InverseVolatility):
        return operation.returns
    if isinstance(operation, Choice) and not operation.takes_all:
        return operation.indicator
    return None


class Program(Record):
    """A compiled strategy.

    Attributes:
        operations: distinct, reachable from the last one, which is the root; children before parents.
        streamed: operations whose daily returns are needed, since a filter or an inverse volatility looks at the index
            of an operation that they are part of.
        bars_needed: per symbol that a decision can depend on, the bars that it takes at least, through the day decided.
    """

    name: str
    source: str
    rebalance: Rebalance
    options: StrategyOptions
    operations: tuple[Operation, ...]
    streamed: frozenset[int]
    bars_needed: Mapping[str, int]

    @property
    def root(self) -> int:
        """The operation that is the strategy."""
        return len(self.operations) - 1

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol that a decision can depend on."""
        return frozenset(self.bars_needed)

    def at(self, place: Place) -> str:
        """A place of the file, for messages."""
        return f"{self.source}:{place.line}:{place.column}"
