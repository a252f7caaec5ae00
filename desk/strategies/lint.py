"""Find what parses but makes little sense: dead branches, zero weights, duplicates, idle filters. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from desk.strategies.settled_conditions import SettledCondition, child_blocks, find_settled_conditions
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Empty,
    Filter,
    Group,
    If,
    Node,
    Place,
    WeightInverseVolatility,
    WeightSpecified,
)

_WRITE_ONCE = "write it once; use weight-specified to give it a larger weight"


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One fault in a strategy file: where it is, which rule found it, what is wrong, and how to fix it."""

    place: Place
    rule: str
    problem: str
    fix: str
    is_error: bool = False


def lint(symphony: Symphony) -> tuple[Issue, ...]:
    """Return every warning in the order of the file; a repeated node is reported once, at its first place."""
    nodes = symphony.nodes
    issues: list[Issue] = []
    for node in nodes:
        issues.extend(_node_issues(node, nodes))
    issues.extend(map(_settled_issue, find_settled_conditions(nodes)))
    if not any(isinstance(node, Asset) for node in nodes):
        problem = "the strategy has no asset: it always holds only cash"
        issues.append(Issue(nodes[-1].place, "only-cash", problem, "add an asset"))
    return tuple(sorted(issues))


def _node_issues(node: Node, nodes: Sequence[Node]) -> Iterator[Issue]:
    for block in child_blocks(node):
        yield from _duplicate_issues(block, nodes, node.place)

    match node:
        case If() if node.then == node.otherwise:
            problem = f"both branches of ({node.condition}) are the same"
            yield Issue(node.place, "same-branches", problem, "keep one of them without the condition")
        case WeightSpecified():
            yield from _weight_issues(node)
        case Filter():
            yield from _filter_issues(node)
        case WeightInverseVolatility() if len(node.children) == 1:
            problem = "weight-inverse-volatility has one child, which gets the whole weight at any volatility"
            fix = "add more children, or remove weight-inverse-volatility"
            yield Issue(node.place, "single-candidate", problem, fix)


def _duplicate_issues(block: Block, nodes: Sequence[Node], place: Place) -> Iterator[Issue]:
    counts = Counter(_identity(child, nodes) for child in block)
    for child, count in counts.items():
        if count == 1:
            continue
        rule, name = ("duplicate-asset", child) if isinstance(child, str) else ("duplicate-part", _name(nodes[child]))
        yield Issue(place, rule, f"{name} is in this block {count} times", _WRITE_ONCE)


def _identity(child: int, nodes: Sequence[Node]) -> str | int:
    """Return the symbol of an asset, because its description does not matter; for any other node its index."""
    node = nodes[child]
    return node.symbol if isinstance(node, Asset) else child


def _name(node: Node) -> str:
    if isinstance(node, Empty):
        return "(empty)"
    where = f"line {node.place.line}, column {node.place.column}"
    if isinstance(node, Group):
        return f'group "{node.name}" ({where})'
    kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in type(node).__name__)
    return f"the {kind.lstrip('-')} at {where}"


def _weight_issues(node: WeightSpecified) -> Iterator[Issue]:
    for number, fraction in enumerate(node.fractions, 1):
        if fraction == 0:
            problem = f"child {number} of weight-specified has weight 0 and is never held"
            yield Issue(node.place, "zero-weight", problem, "give it a weight, or remove it")

    total = sum((Decimal(repr(fraction)) for fraction in node.fractions), Decimal(0))
    if total != 1:
        problem = f"weights sum to {total}, not exactly 1; each is divided by that sum"
        yield Issue(node.place, "inexact-weights", problem, "write weights that sum to 1")


def _filter_issues(node: Filter) -> Iterator[Issue]:
    count = len(node.candidates)
    if count == 1:
        problem = "the filter has one candidate, which it always selects"
        yield Issue(node.place, "single-candidate", problem, "add candidates, or remove the filter")
    elif node.count >= count:
        problem = f"{node.select} {node.count} of {count} candidates selects all and ranks nothing"
        yield Issue(node.place, "select-all", problem, f"select fewer than {count}, or write weight-equal")


def _settled_issue(settled: SettledCondition) -> Issue:
    place, by = settled.node.place, settled.by
    live, dead = ("then", "else") if settled.holds else ("else", "then")
    outcome = f"({settled.node.condition}) {'always' if settled.holds else 'never'} holds"
    fix = f"keep only the {live} branch, or correct the condition"

    if by is None or settled.subject is None:
        return Issue(place, "constant-condition", f"{outcome}; its {dead} branch is dead", fix)
    reason = settled.subject.describe(by.domain)
    if by.since is None:
        return Issue(place, "constant-condition", f"{outcome}, because {reason}; its {dead} branch is dead", fix)
    where = f"the condition at line {by.since.line}, column {by.since.column}"
    return Issue(place, "dead-branch", f"{outcome} here: {reason} by {where}; its {dead} branch is dead", fix)
