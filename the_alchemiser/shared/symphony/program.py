"""A compiled strategy: a list of distinct operations of six kinds, children before parents."""

from collections.abc import Mapping

from the_alchemiser.shared.symphony.frozen_record import PlacedRecord
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.tree import NOWHERE, Indicator, Place, Predicate, Rebalance, Select


class Leaf(PlacedRecord, frozen=True):
    """Hold one symbol, with weight 1."""

    symbol: str
    place: Place = NOWHERE

    @property
    def children(self) -> tuple[int, ...]:
        """A leaf has no children."""
        return ()

    @property
    def label(self) -> str:
        """The symbol, for messages."""
        return self.symbol


class Cash(PlacedRecord, frozen=True):
    """Hold nothing, and earn nothing."""

    place: Place = NOWHERE

    @property
    def children(self) -> tuple[int, ...]:
        """Cash has no children."""
        return ()

    @property
    def label(self) -> str:
        """The name of cash, for messages."""
        return "cash"


class Fixed(PlacedRecord, frozen=True):
    """Split over the children by constant fractions, each above 0, summing to 1."""

    children: tuple[int, ...]
    fractions: tuple[float, ...]
    label: str
    place: Place = NOWHERE


class Switch(PlacedRecord, frozen=True):
    """Hold one of two children on each session: the first if the condition holds, otherwise the second."""

    condition: Predicate
    children: tuple[int, int]
    place: Place = NOWHERE

    @property
    def label(self) -> str:
        """The condition, for messages."""
        return f"if {self.condition}"


class Choice(PlacedRecord, frozen=True):
    """Hold the `count` best or worst children by an indicator; all of them, unscored, if there are no more."""

    indicator: Indicator
    select: Select
    count: int
    children: tuple[int, ...]
    place: Place = NOWHERE

    @property
    def takes_all(self) -> bool:
        """Return whether no score can change the outcome."""
        return self.count >= len(self.children)

    @property
    def label(self) -> str:
        """The ranking, for messages."""
        return f"filter {self.indicator} {self.select} {self.count}"


class InverseVolatility(PlacedRecord, frozen=True):
    """Split in proportion to 1 / stdev of the children's daily returns; `returns` is that stdev as an indicator."""

    returns: Indicator
    children: tuple[int, ...]
    place: Place = NOWHERE

    @property
    def label(self) -> str:
        """The operator, for messages."""
        return f"weight-inverse-volatility {self.returns.windows[0]}"


Operation = Leaf | Cash | Fixed | Switch | Choice | InverseVolatility


def scored_by(operation: Operation) -> Indicator | None:
    """Return the indicator that the operation computes on its children's own history; None if it computes none."""
    if isinstance(operation, InverseVolatility):
        return operation.returns
    if isinstance(operation, Choice) and not operation.takes_all:
        return operation.indicator
    return None


class Program(PlacedRecord, frozen=True):
    """A compiled strategy.

    Attributes:
        operations: distinct operations, children before parents; the last one is the root and reaches all of them.
        streamed: operations whose daily returns are needed, because a filter or an inverse volatility reads an index
            that they are part of.
        bars_needed: for each symbol that a decision can depend on, the minimum number of bars through the decided day.
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
        """The number of the operation that is the whole strategy."""
        return len(self.operations) - 1

    @property
    def symbols(self) -> frozenset[str]:
        """All symbols that a decision can depend on."""
        return frozenset(self.bars_needed)

    def at(self, place: Place) -> str:
        """Return `file:line:column` of a place, for messages."""
        return f"{self.source}:{place.line}:{place.column}"
