"""What parses and can hardly be meant: dead branches, idle weights, duplicates, filters that choose nothing. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from desk.strategies.enclosing import Settled, blocks_of, settled_conditions
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Condition,
    Filter,
    Group,
    If,
    Node,
    Place,
    WeightInverseVolatility,
    WeightSpecified,
)


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One finding in a strategy file: where, by which rule, what, and what to do about it."""

    place: Place
    rule: str
    what: str
    mend: str
    is_error: bool = False


def lint(symphony: Symphony) -> tuple[Issue, ...]:
    """Every warning, in the order of the file; a node that the file repeats is told where it stands first."""
    nodes = symphony.nodes
    found = [issue for node in nodes for issue in _of_node(node, nodes)]
    found += [_of_settled(settled) for settled in settled_conditions(nodes)]
    return tuple(sorted(found))


def _of_node(node: Node, nodes: Sequence[Node]) -> Iterator[Issue]:
    for block in blocks_of(node):
        yield from _duplicates(block, nodes, node.place)
    match node:
        case If() if node.then == node.otherwise:
            what = f"both branches of ({_told(node.condition)}) are the same"
            yield Issue(node.place, "same-branches", what, "keep one of them without the condition")
        case WeightSpecified():
            yield from _weights(node)
        case Filter():
            yield from _selection(node)
        case WeightInverseVolatility() if len(node.children) == 1:
            what = "weight-inverse-volatility has one child, which gets everything whatever its volatility"
            yield Issue(node.place, "single-candidate", what, "add what it is to be weighed against, or leave it out")


def _duplicates(block: Block, nodes: Sequence[Node], place: Place) -> Iterator[Issue]:
    counts = Counter(_identity(child, nodes) for child in block)
    for child, count in counts.items():
        if count > 1 and isinstance(child, str):
            what = f"{child} is in this block {count} times"
            yield Issue(place, "duplicate-asset", what, "write it once; a larger part is said by weight-specified")
        elif count > 1 and isinstance(child, int):
            what = f"{_name(nodes[child])} is in this block {count} times"
            yield Issue(place, "duplicate-part", what, "write it once; a larger part is said by weight-specified")


def _identity(child: int, nodes: Sequence[Node]) -> str | int:
    """Assets are the same by their symbol, whatever they are called."""
    node = nodes[child]
    return node.symbol if isinstance(node, Asset) else child


def _name(node: Node) -> str:
    where = f"(line {node.place.line}, column {node.place.column})"
    if isinstance(node, Group):
        return f'group "{node.name}" {where}'
    kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in type(node).__name__)
    return f"the {kind.lstrip('-')} of {where.strip('()')}"


def _weights(node: WeightSpecified) -> Iterator[Issue]:
    for number, fraction in enumerate(node.fractions, 1):
        if fraction == 0:
            what = f"child {number} of weight-specified has weight 0 and is never held"
            yield Issue(node.place, "zero-weight", what, "give it a weight, or remove it")
    total = sum((Decimal(repr(fraction)) for fraction in node.fractions), Decimal(0))
    if total != 1:
        what = f"weights sum to {total}, not exactly 1; each is divided by that sum"
        yield Issue(node.place, "inexact-weights", what, "write weights that sum to 1")


def _selection(node: Filter) -> Iterator[Issue]:
    count = len(node.candidates)
    if count == 1:
        what = "the filter has one candidate, which it always takes"
        yield Issue(node.place, "single-candidate", what, "add candidates, or remove the filter")
    elif node.count >= count:
        what = f"{node.select} {node.count} of {count} candidates takes all and ranks nothing"
        yield Issue(node.place, "select-all", what, f"select fewer than {count}, or write weight-equal")


def _of_settled(settled: Settled) -> Issue:
    node, by = settled.node, settled.by
    taken, dead = ("then", "else") if settled.holds else ("else", "then")
    outcome = f"({_told(node.condition)}) {'always' if settled.holds else 'never'} holds"
    mend = f"keep the {taken} branch alone, or correct the condition"
    if by is None:
        return Issue(node.place, "constant-condition", f"{outcome}; its {dead} branch is dead", mend)
    told = settled.subject.told(by.domain) if settled.subject else ""
    if by.since is None:
        what = f"{outcome}, since {told}; its {dead} branch is dead"
        return Issue(node.place, "constant-condition", what, mend)
    since = f"the condition of line {by.since.line}, column {by.since.column}"
    return Issue(node.place, "dead-branch", f"{outcome} here: {told} by {since}; its {dead} branch is dead", mend)


def _told(condition: Condition) -> str:
    return f"{condition.left} {condition.comparison} {condition.right}"
