"""What filters and inverse volatilities look at: a bare asset's prices, anything else's own index.

An index needs the operation's weights on every session, and its indicator may need a loop over time, which is quick
only for many at once. So operations are evaluated in levels: by how many indices stand on each other below them.
"""

from collections.abc import Iterable, Iterator

from the_alchemiser.shared.symphony.program import Leaf, Operation, Program, Switch, scored_by
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorOf
from the_alchemiser.strategy_v2.indicators import RECURSIVE


def below(program: Program, numbers: Iterable[int]) -> set[int]:
    """These operations and all that they stand on."""
    found: set[int] = set()
    pending = list(numbers)
    while pending:
        number = pending.pop()
        if number not in found:
            found.add(number)
            pending.extend(program.operations[number].children)
    return found


def levels(program: Program, numbers: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """Operations, each after all of these that it stands on; those of a level look only at indices of levels before."""
    depth: dict[int, int] = {}
    for number in sorted(numbers):
        operation = program.operations[number]
        own = max((depth.get(child, 0) for child in operation.children), default=0)
        looked_at = [depth.get(child, 0) + 1 for child, _ in indices_read(program, operation)]
        depth[number] = max([own, *looked_at])
    found: list[list[int]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for number, level in depth.items():
        found[level].append(number)
    return tuple(map(tuple, found))


def indices_read(program: Program, operation: Operation) -> Iterator[tuple[int, Indicator]]:
    """The children on whose index the operation depends, and the indicator on it."""
    indicator = scored_by(operation)
    if indicator is not None:
        for child in operation.children:
            if not isinstance(program.operations[child], Leaf):
                yield child, indicator


def recursive_prices_read(program: Program) -> Iterator[tuple[str, Indicator]]:
    """Every indicator on a symbol's own prices that is quicker computed among others, some more than once."""
    for operation in program.operations:
        if isinstance(operation, Switch):
            for side in (operation.condition.left, operation.condition.right):
                if isinstance(side, IndicatorOf) and side.indicator.kind in RECURSIVE:
                    yield side.symbol, side.indicator
        elif (indicator := scored_by(operation)) is not None and indicator.kind in RECURSIVE:
            for child in operation.children:
                leaf = program.operations[child]
                if isinstance(leaf, Leaf):
                    yield leaf.symbol, indicator
