"""Compile a tree into a program: fold constant conditions, drop dead branches, merge equal operations, derive needs."""

from collections.abc import Mapping

from the_alchemiser.shared.symphony.bar_requirements import indicator_bars, value_bars
from the_alchemiser.shared.symphony.collector import collector_paused
from the_alchemiser.shared.symphony.comparing import COMPARED_DECIMALS, compare
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.program import (
    Cash,
    Choice,
    Fixed,
    InverseVolatility,
    Leaf,
    Operation,
    Program,
    Switch,
    scored_by,
)
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Compound,
    Condition,
    Empty,
    Filter,
    Group,
    If,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Node,
    Number,
    Place,
    Predicate,
    Symphony,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
    values_of,
)

_BLOCK = "block"


def compile_symphony(symphony: Symphony, options: StrategyOptions | None = None) -> Program:
    """Compile a strategy.

    Args:
        options: indicator conventions; None for the defaults.

    Raises:
        UnusableOptionError: the window of a standard deviation is not longer than its ddof.
    """
    with collector_paused():
        return _compile(symphony, options or StrategyOptions())


def _compile(symphony: Symphony, options: StrategyOptions) -> Program:
    merged = _Operations(symphony.source, options)
    numbers: list[int] = []
    for node in symphony.nodes:
        numbers.append(merged.of_node(node, numbers))

    operations = _reachable(merged.operations, numbers[-1])
    bars, streamed = _needs(operations)
    return Program(symphony.name, symphony.source, symphony.rebalance, options, operations, streamed, bars)


class _Operations:
    """The distinct operations, in the order of their first use."""

    def __init__(self, source: str, options: StrategyOptions) -> None:
        self.operations: list[Operation] = []
        self._source = source
        self._ddofs = {IndicatorKind.STDEV_PRICE: 1, IndicatorKind.STDEV_RETURN: options.ddof}
        self._index: dict[object, int] = {}

    def of_node(self, node: Node, numbers: list[int]) -> int:
        """Return the number of the operation for a node; `numbers` holds those of all nodes before it."""
        match node:
            case Asset():
                return self._add(Leaf(node.symbol, node.place))
            case Empty():
                return self._add(Cash(node.place))
            case WeightEqual():
                return self._equal(_renumbered(node.children, numbers), "weight-equal", node.place)
            case WeightSpecified():
                return self._specified(node, numbers)
            case WeightInverseVolatility():
                stdev = Indicator(IndicatorKind.STDEV_RETURN, (node.window,))
                self._require_usable_window(stdev, node.place)
                return self._add(InverseVolatility(stdev, _renumbered(node.children, numbers), node.place))
            case Group():
                return self._equal(_renumbered(node.body, numbers), f'group "{node.name}"', node.place)
            case If():
                return self._switch(node, numbers)
            case Filter():
                self._require_usable_window(node.indicator, node.place)
                candidates = _renumbered(node.candidates, numbers)
                return self._add(Choice(node.indicator, node.select, node.count, candidates, node.place))

    def _add(self, operation: Operation) -> int:
        number = self._index.setdefault(operation.compared(operation), len(self.operations))
        if number == len(self.operations):
            self.operations.append(operation)
        return number

    def _equal(self, children: Block, label: str, place: Place) -> int:
        fractions = (1 / len(children),) * len(children)
        return self._add(Fixed(children, fractions, label, place))

    def _specified(self, node: WeightSpecified, numbers: list[int]) -> int:
        total = sum(node.fractions)
        # Drop children of weight 0: they are in no decision, so their missing data must not matter.
        held = [(child, part) for child, part in zip(node.children, node.fractions, strict=True) if part > 0]
        children = _renumbered(tuple(child for child, _ in held), numbers)
        return self._add(Fixed(children, tuple(part / total for _, part in held), "weight-specified", node.place))

    def _switch(self, node: If, numbers: list[int]) -> int:
        for value in values_of(node.condition):
            if isinstance(value, IndicatorOf):
                self._require_usable_window(value.indicator, node.place)

        then, otherwise = (self._branch(block, numbers, node.place) for block in (node.then, node.otherwise))
        condition = _folded(node.condition)
        if isinstance(condition, bool):
            taken = then if condition else otherwise
            # Keep the branch as its own operation: a filter scores a bare asset on its prices, but this on its index.
            return self._equal((taken,), "if", node.place)
        return self._add(Switch(condition, (then, otherwise), node.place))

    def _branch(self, block: Block, numbers: list[int], place: Place) -> int:
        children = _renumbered(block, numbers)
        return children[0] if len(children) == 1 else self._equal(children, _BLOCK, place)

    def _require_usable_window(self, indicator: Indicator, place: Place) -> None:
        ddof = self._ddofs.get(indicator.kind, 0)
        if indicator.windows[0] <= ddof:
            where = f"{self._source}:{place.line}:{place.column}"
            raise UnusableOptionError(f"{where}: a stdev with ddof {ddof} needs a window of at least {ddof + 1}")


def _folded(predicate: Predicate) -> Predicate | bool:
    """Return the condition without its constant parts, or its outcome if no price can change it."""
    if isinstance(predicate, Condition):
        left, right = predicate.left, predicate.right
        if isinstance(left, Number) and isinstance(right, Number):
            rounded = (round(number.value, COMPARED_DECIMALS) for number in (left, right))
            return bool(compare(predicate.comparison, *rounded))
        return predicate

    decisive = predicate.junction is Junction.ANY
    parts: list[Predicate] = []
    for part in map(_folded, predicate.parts):
        if part is decisive:
            return decisive
        if not isinstance(part, bool):
            parts.append(part)
    if not parts:
        return not decisive
    return parts[0] if len(parts) == 1 else Compound(predicate.junction, tuple(parts))


def _renumbered(block: Block, numbers: list[int]) -> Block:
    return tuple([numbers[child] for child in block])


def _reachable(operations: list[Operation], root: int) -> tuple[Operation, ...]:
    """Return the operations that the root depends on, renumbered, the root last."""
    wanted = {root}
    for number in range(root, -1, -1):
        if number in wanted:
            wanted.update(operations[number].children)
    if len(wanted) == len(operations):
        return tuple(operations)

    order = {old: new for new, old in enumerate(sorted(wanted))}
    return tuple(_with_children(operations[old], order) for old in order)


def _with_children(operation: Operation, order: Mapping[int, int]) -> Operation:
    match operation:
        case Leaf() | Cash():
            return operation
        case Fixed():
            children = tuple(order[child] for child in operation.children)
            return Fixed(children, operation.fractions, operation.label, operation.place)
        case Switch():
            then, otherwise = (order[child] for child in operation.children)
            return Switch(operation.condition, (then, otherwise), operation.place)
        case Choice():
            children = tuple(order[child] for child in operation.children)
            return Choice(operation.indicator, operation.select, operation.count, children, operation.place)
        case InverseVolatility():
            children = tuple(order[child] for child in operation.children)
            return InverseVolatility(operation.returns, children, operation.place)


def _needs(operations: tuple[Operation, ...]) -> tuple[dict[str, int], frozenset[int]]:
    """Return the bars that each symbol needs, and the operations whose daily returns are needed."""
    days = [1] * len(operations)  # consecutive sessions on which each operation must have weights
    bars: dict[str, int] = {}
    streamed: set[int] = set()

    for number in range(len(operations) - 1, -1, -1):
        operation, sessions = operations[number], days[number]
        if number in streamed:
            streamed.update(operation.children)
        if sessions > 1:
            for child in operation.children:
                days[child] = max(days[child], sessions)
        scored = scored_by(operation)
        for child in operation.children:
            if scored is None:
                break
            leaf = operations[child]
            span = indicator_bars(scored) + sessions - 1
            if isinstance(leaf, Leaf):
                bars[leaf.symbol] = max(bars.get(leaf.symbol, 0), span)
            else:
                days[child] = max(days[child], span)
                streamed.add(child)
        for symbol, count in _read_by(operation):
            bars[symbol] = max(bars.get(symbol, 0), count + sessions - 1)

    return bars, frozenset(streamed)


def _read_by(operation: Operation) -> tuple[tuple[str, int], ...]:
    """Return the symbols whose prices the operation itself reads, each with the number of bars."""
    if isinstance(operation, Leaf):
        return ((operation.symbol, 1),)
    if isinstance(operation, Switch):
        values = values_of(operation.condition)
        return tuple([(value.symbol, value_bars(value)) for value in values if not isinstance(value, Number)])
    return ()
