"""The order in which operations are evaluated, derived from what filters and inverse volatilities score.

They score a bare asset on its prices and any other operation on its own index. An index needs the operation's weights
on every session, and its indicator may need a loop over time, which is only fast for many series at once. So operations
are evaluated in levels: the level of an operation is the number of indices that depend on each other below it.
"""

from collections.abc import Iterable, Iterator

from the_alchemiser.shared.symphony.program import Leaf, Operation, Program, Switch, scored_by
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorKind, IndicatorOf, values_of

RECURSIVE = frozenset(
    {
        IndicatorKind.RSI,
        IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE,
        IndicatorKind.PPO,
        IndicatorKind.PPO_SIGNAL,
    }
)
"""The indicators that need a loop over time, which many series can share."""


def with_descendants(program: Program, numbers: Iterable[int]) -> set[int]:
    """Return these operations and all their descendants."""
    reached: set[int] = set()
    pending = list(numbers)
    while pending:
        number = pending.pop()
        if number not in reached:
            reached.add(number)
            pending.extend(program.operations[number].children)
    return reached


def evaluation_levels(program: Program, numbers: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """Group operations into levels, children before parents; a level reads only indices of the levels before it."""
    depth: dict[int, int] = {}
    for number in sorted(numbers):
        operation = program.operations[number]
        deepest = max((depth.get(child, 0) for child in operation.children), default=0)
        scored = [depth.get(child, 0) + 1 for child, _ in indices_read(program, operation)]
        depth[number] = max([deepest, *scored])

    levels: list[list[int]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for number, level in depth.items():
        levels[level].append(number)
    return tuple(map(tuple, levels))


def indices_read(program: Program, operation: Operation) -> Iterator[tuple[int, Indicator]]:
    """Yield each child whose index the operation scores, with the indicator."""
    indicator = scored_by(operation)
    if indicator is not None:
        for child in operation.children:
            if not isinstance(program.operations[child], Leaf):
                yield child, indicator


def recursive_prices_read(program: Program, numbers: Iterable[int]) -> Iterator[tuple[str, Indicator]]:
    """Yield the recursive indicators that operations read on symbols' own prices; some occur repeatedly.

    Recursive indicators are fast only in batches.
    """
    for number in numbers:
        operation = program.operations[number]
        if isinstance(operation, Switch):
            for side in values_of(operation.condition):
                if isinstance(side, IndicatorOf) and side.indicator.kind in RECURSIVE:
                    yield side.symbol, side.indicator
        elif (indicator := scored_by(operation)) is not None and indicator.kind in RECURSIVE:
            for child in operation.children:
                leaf = program.operations[child]
                if isinstance(leaf, Leaf):
                    yield leaf.symbol, indicator
