"""Symbols: one spelling, and those that a strategy needs."""

import re
from collections.abc import Iterator

from the_alchemiser.shared.symphony.tree import Asset, CurrentPrice, If, IndicatorOf, Node, Symphony

_SPELLING = re.compile(r"(?:EQUITIES::)?([A-Z][A-Z0-9]*(?:[./][A-Z0-9]+)*)(?://USD)?")


def canonical_symbol(text: str) -> str:
    """Upper case, with a dot: `brk/b` is `BRK.B`, `EQUITIES::SPY//USD` is `SPY`.

    Raises:
        ValueError: no symbol of an equity.
    """
    match = _SPELLING.fullmatch(text.strip().upper())
    if match is None:
        raise ValueError(f"{text!r} is no symbol of an equity")
    return match[1].replace("/", ".")


def required_symbols(symphony: Symphony) -> frozenset[str]:
    """Every symbol that the file names, held or only looked at."""
    return frozenset(symbol for node in symphony.nodes for symbol in _symbols_of(node))


def _symbols_of(node: Node) -> Iterator[str]:
    if isinstance(node, Asset):
        yield node.symbol
    elif isinstance(node, If):
        for value in (node.condition.left, node.condition.right):
            if isinstance(value, CurrentPrice | IndicatorOf):
                yield value.symbol
