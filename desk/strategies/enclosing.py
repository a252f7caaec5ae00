"""Which conditions of a strategy are settled by those around them, on every way that leads to them. Pure.

A shared node is reached on many ways; what holds there is what holds on all of them: the facts of the ways' last
common stretch. Facts lie in a tree, one fact more than the parent's each; every node is met once, and two ways are
joined in logarithmic time, so that 10 MB of strategy take seconds.

What stands inside a candidate of a filter or a part of an inverse volatility is also evaluated on days on which the
conditions around it did not hold, for its history: facts end there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desk.strategies.domains import Claim, Domain, Subject, claim_of
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Filter,
    Group,
    If,
    Node,
    Place,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """What one side of a condition says about its subject."""

    subject: Subject
    domain: Domain
    place: Place


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a subject; since is the condition that said so last, None when it cannot be otherwise."""

    domain: Domain
    since: Place | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A condition whose outcome is known; by is None when it is so by itself, without a subject when it is constant."""

    node: If
    holds: bool
    by: Known | None = None
    subject: Subject | None = None


class _Context:
    """Facts that hold together: those of the parent, and one more; the root has none.

    `jump` is an ancestor far up, so that two contexts find their last common one quickly.
    Source: Myers, An applicative random-access stack, 1983.
    """

    __slots__ = ("depth", "fact", "ifs", "inner", "jump", "parent")

    def __init__(self, parent: "_Context | None", fact: Fact | None) -> None:
        self.fact = fact
        self.ifs: list[tuple[If, Claim]] = []
        self.inner: list[_Context] = []
        self.parent = parent or self
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.jump = self.parent
        if parent is not None:
            parent.inner.append(self)
            far = parent.jump
            if parent.depth - far.depth == far.depth - far.jump.depth:
                self.jump = far.jump


def _common(one: _Context, other: _Context) -> _Context:
    """The deepest context that both have."""
    one, other = _at_depth(one, other.depth), _at_depth(other, one.depth)
    while one is not other:
        one, other = (one.parent, other.parent) if one.jump is other.jump else (one.jump, other.jump)
    return one


def _at_depth(context: _Context, depth: int) -> _Context:
    while context.depth > depth:
        context = context.jump if context.jump.depth >= depth else context.parent
    return context


def settled_conditions(nodes: Sequence[Node]) -> Iterator[Settled]:
    """Every condition whose outcome is known; nothing of what stands in a branch that is never taken.

    Args:
        nodes: children before parents, the root last.
    """
    constant: list[Settled] = []
    root = _spread(nodes, constant)
    yield from constant
    yield from _walk(root)


def _spread(nodes: Sequence[Node], constant: list[Settled]) -> _Context:
    """The tree of contexts, each with its conditions."""
    root = _Context(None, None)
    matters = _with_conditions(nodes)
    contexts: list[_Context | None] = [None] * len(nodes)
    contexts[-1] = root
    for number in range(len(nodes) - 1, -1, -1):
        context = contexts[number]
        if context is None:
            continue
        for child, reached in _edges(nodes[number], context, root, constant):
            if matters[child]:
                before = contexts[child]
                contexts[child] = reached if before is None else _common(before, reached)
    return root


def _with_conditions(nodes: Sequence[Node]) -> list[bool]:
    found: list[bool] = []
    for node in nodes:
        found.append(isinstance(node, If) or any(found[child] for block in blocks_of(node) for child in block))
    return found


def _edges(node: Node, context: _Context, root: _Context, constant: list[Settled]) -> Iterator[tuple[int, _Context]]:
    """The children of a node, each with what holds there."""
    if isinstance(node, If):
        claim = claim_of(node.condition)
        if isinstance(claim, bool):
            constant.append(Settled(node, claim))
            yield from ((child, context) for child in (node.then if claim else node.otherwise))
            return
        context.ifs.append((node, claim))
        for block, domain in ((node.then, claim.holds), (node.otherwise, claim.fails)):
            inner = _Context(context, Fact(claim.subject, domain, node.place))
            yield from ((child, inner) for child in block)
        return
    looks_back = isinstance(node, WeightInverseVolatility) or (
        isinstance(node, Filter) and node.count < len(node.candidates)
    )
    yield from ((child, root if looks_back else context) for block in blocks_of(node) for child in block)


def _walk(root: _Context) -> Iterator[Settled]:
    """Down and up again through the contexts, with what is known at each."""
    known: dict[Subject, Known] = {}
    steps: list[tuple[_Context, Known | None, bool]] = [(root, None, False)]
    while steps:
        context, before, is_left = steps.pop()
        fact = context.fact
        if is_left:
            if fact is not None and before is not None:
                known[fact.subject] = before
            continue
        if fact is not None:
            before = known.get(fact.subject) or Known(fact.subject.natural)
            domain = before.domain.meet(fact.domain)
            if domain.is_empty:
                continue
            known[fact.subject] = before if domain == before.domain else Known(domain, fact.place)
        for node, claim in context.ifs:
            settled = _settled(node, claim, known.get(claim.subject) or Known(claim.subject.natural))
            if settled is not None:
                yield settled
        steps.append((context, before, True))
        steps.extend((inner, None, False) for inner in reversed(context.inner))


def _settled(node: If, claim: Claim, known: Known) -> Settled | None:
    if known.domain.meet(claim.holds).is_empty:
        return Settled(node, False, known, claim.subject)
    if known.domain.meet(claim.fails).is_empty:
        return Settled(node, True, known, claim.subject)
    return None


def blocks_of(node: Node) -> tuple[Block, ...]:
    """The blocks of direct children."""
    match node:
        case Asset():
            return ()
        case If():
            return node.then, node.otherwise
        case Group():
            return (node.body,)
        case Filter():
            return (node.candidates,)
        case WeightEqual() | WeightSpecified() | WeightInverseVolatility():
            return (node.children,)
