"""Symbols: their canonical spelling, and those that a strategy requires."""

import re
from functools import lru_cache

from the_alchemiser.shared.symphony.tree import Asset, If, Number, Symphony, values_of

_SPELLING = re.compile(r"(?:EQUITIES::)?([A-Z][A-Z0-9]*(?:[./][A-Z0-9]+)*)(?://USD)?")


@lru_cache(4096)
def canonical_symbol(text: str) -> str:
    """Return a symbol in upper case with a dot: `brk/b` becomes `BRK.B`, `EQUITIES::SPY//USD` becomes `SPY`.

    Raises:
        ValueError: the text is not an equity symbol.
    """
    match = _SPELLING.fullmatch(text.strip().upper())
    if match is None:
        raise ValueError(f"{text!r} is not an equity symbol")
    return match[1].replace("/", ".")


def required_symbols(symphony: Symphony) -> frozenset[str]:
    """Return every symbol that the file names, whether it can be held or is only read."""
    symbols: set[str] = set()
    for node in symphony.nodes:
        if isinstance(node, Asset):
            symbols.add(node.symbol)
        elif isinstance(node, If):
            symbols.update([value.symbol for value in values_of(node.condition) if not isinstance(value, Number)])
    return frozenset(symbols)
