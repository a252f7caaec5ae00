"""The strategy language: parse a strategy file into a checked tree, render it back, and compile it into a program.

Handlers import this package on every cold start, so the parser and the renderer are loaded on first use, and callers
import the compiler from its own module. docs/strategy-engine.md shows how the modules fit together.
"""

from the_alchemiser.shared.symphony.errors import SymphonyError
from the_alchemiser.shared.symphony.symbols import canonical_symbol, required_symbols
from the_alchemiser.shared.symphony.tree import Symphony

__all__ = ["Symphony", "SymphonyError", "canonical_symbol", "parse", "render", "required_symbols"]


def parse(text: str, *, source: str = "<string>") -> Symphony:
    """Parse one strategy file.

    Args:
        text: the content of the whole file.
        source: the file name shown in error messages.

    Raises:
        SymphonyError: the text does not follow the grammar (brackets, operators, arity, types or values).
    """
    from the_alchemiser.shared.symphony import parser  # noqa: PLC0415 - loaded on first use

    return parser.parse(text, source=source)


def render(symphony: Symphony) -> str:
    """Return the text of a strategy file, one node per line; shared nodes are written out at every occurrence."""
    from the_alchemiser.shared.symphony import rendering  # noqa: PLC0415 - loaded on first use

    return rendering.render(symphony)
