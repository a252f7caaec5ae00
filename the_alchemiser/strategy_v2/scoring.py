"""What filters and inverse volatilities look at: a bare asset's prices, anything else's own index.

An index needs the operation's weights on every session, and its indicator may need a loop over time, which is quick
only for many at once. So operations are evaluated in levels: by how many indices stand on each other below them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from the_alchemiser.shared.symphony.tree import Indicator, IndicatorOf
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.program import Choice, InverseVolatility, Leaf, Operation, Program, Switch

Scores = Mapping[tuple[int, Indicator], Floats]
"""(T,) per operation that is not a bare asset and indicator on its index."""


def scored_by(operation: Operation) -> Indicator | None:
    """The indicator of the children's own history on which the operation depends, if it does."""
    if isinstance(operation, InverseVolatility):
        return operation.returns
    if isinstance(operation, Choice) and not operation.takes_all:
        return operation.indicator
    return None


def levels(program: Program) -> tuple[tuple[int, ...], ...]:
    """Operations, each after all that it stands on: those of a level look only at indices of the levels before."""
    depth: list[int] = []
    for operation in program.operations:
        own = max((depth[child] for child in operation.children), default=0)
        below = [depth[child] for child, _ in indices_read(program, operation)]
        depth.append(max([own, *(level + 1 for level in below)]))
    found: list[list[int]] = [[] for _ in range(max(depth) + 1)]
    for number, level in enumerate(depth):
        found[level].append(number)
    return tuple(map(tuple, found))


def indices_read(program: Program, operation: Operation) -> Iterator[tuple[int, Indicator]]:
    """The children on whose index the operation depends, and the indicator on it."""
    indicator = scored_by(operation)
    if indicator is not None:
        for child in operation.children:
            if not isinstance(program.operations[child], Leaf):
                yield child, indicator


def prices_read(program: Program) -> Iterator[tuple[str, Indicator]]:
    """Every indicator on a symbol's own prices, some more than once."""
    for operation in program.operations:
        if isinstance(operation, Switch):
            sides = (operation.condition.left, operation.condition.right)
            yield from ((side.symbol, side.indicator) for side in sides if isinstance(side, IndicatorOf))
        indicator = scored_by(operation)
        if indicator is not None:
            yield from ((symbol, indicator) for symbol in _symbols(program, operation.children))


def _symbols(program: Program, children: Sequence[int]) -> Iterable[str]:
    for child in children:
        operation = program.operations[child]
        if isinstance(operation, Leaf):
            yield operation.symbol
