"""The strategy language: text to a checked tree and back, and what a tree needs."""

from the_alchemiser.shared.symphony.errors import SymphonyError
from the_alchemiser.shared.symphony.parser import parse
from the_alchemiser.shared.symphony.render import render
from the_alchemiser.shared.symphony.symbols import canonical_symbol, required_symbols
from the_alchemiser.shared.symphony.tree import Symphony

__all__ = ["Symphony", "SymphonyError", "canonical_symbol", "parse", "render", "required_symbols"]
