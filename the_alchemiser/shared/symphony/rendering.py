"""Render a tree as text; parsing that text returns an equal tree."""

import json
from collections.abc import Iterable, Iterator

from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Condition,
    CurrentPrice,
    Empty,
    Filter,
    Group,
    If,
    Indicator,
    Node,
    Number,
    Predicate,
    Rebalance,
    Symphony,
    Threshold,
    Value,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
    window_keys,
)

# Deeper nesting gets no more indentation: at depth 5,000 it would be most of the file.
_DEEPEST_INDENT = 40

_Part = str | int


def render(symphony: Symphony) -> str:
    """Return the text of a strategy file, one node per line; shared nodes are written out at every occurrence."""
    settings = f"{{:asset-class {_string(symphony.asset_class)}, {_rebalance(symphony.rebalance)}}}"
    return f"(defsymphony {_string(symphony.name)} {settings}{''.join(_body(symphony.nodes))})\n"


def _body(nodes: tuple[Node, ...]) -> Iterator[str]:
    pending: list[tuple[int, _Part]] = [(1, len(nodes) - 1)]
    while pending:
        depth, part = pending.pop()
        if isinstance(part, str):
            yield part
            continue
        yield "\n" + "  " * min(depth, _DEEPEST_INDENT)
        pending.extend((depth + 1, inner) for inner in reversed(list(_parts(nodes[part]))))


def _parts(node: Node) -> Iterator[_Part]:
    """Yield the text and the child indices of one node, in the order of writing."""
    match node:
        case Asset():
            yield f"(asset {_string(node.symbol)} {'nil' if node.name is None else _string(node.name)})"
        case Empty():
            yield "(empty)"
        case WeightEqual():
            yield from _form("(weight-equal ", node.children)
        case WeightSpecified():
            yield "(weight-specified"
            for fraction, child in zip(node.fractions, node.children, strict=True):
                yield f" {_number(fraction)}"
                yield child
            yield ")"
        case WeightInverseVolatility():
            yield from _form(f"(weight-inverse-volatility {node.window} ", node.children)
        case Group():
            yield from _form(f"(group {_string(node.name)} ", node.body)
        case If():
            yield f"(if {_condition(node.condition)} "
            yield from (*_block(node.then), " ", *_block(node.otherwise), ")")
        case Filter():
            ranking = f"({node.indicator.kind} {_windows(node.indicator)}) ({node.select} {node.count})"
            yield from _form(f"(filter {ranking} ", node.candidates)


def _form(head: str, block: Block) -> Iterable[_Part]:
    return (head, *_block(block), ")")


def _block(block: Block) -> Iterable[_Part]:
    return ("[", *block, "]")


def _condition(predicate: Predicate) -> str:
    if isinstance(predicate, Condition):
        return f"({predicate.comparison} {_value(predicate.left)} {_value(predicate.right)})"
    return f"({predicate.junction} {' '.join(map(_condition, predicate.parts))})"


def _value(value: Value) -> str:
    match value:
        case Number():
            return _number(value.value)
        case CurrentPrice():
            return f"(current-price {_string(value.symbol)})"
        case _:
            return f"({value.indicator.kind} {_string(value.symbol)} {_windows(value.indicator)})"


def _windows(indicator: Indicator) -> str:
    keys = window_keys(indicator.kind)
    return "{" + " ".join(f":{key} {window}" for key, window in zip(keys, indicator.windows, strict=True)) + "}"


def _rebalance(rebalance: Rebalance) -> str:
    if isinstance(rebalance, Threshold):
        return f":rebalance-threshold {_number(rebalance.points)}"
    return f":rebalance-frequency :{rebalance}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _string(text: str) -> str:
    # Every JSON escape is also an escape of the language.
    return json.dumps(text, ensure_ascii=False)
