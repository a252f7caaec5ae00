"""The strategy language: text to a checked tree and back, what a tree needs, and the program that it compiles to.

Handlers import this at every cold start: what reads and writes text is loaded when it is first used, and the compiler
is imported by name, from its module.
"""

from the_alchemiser.shared.symphony.errors import SymphonyError
from the_alchemiser.shared.symphony.symbols import canonical_symbol, required_symbols
from the_alchemiser.shared.symphony.tree import Symphony

__all__ = ["Symphony", "SymphonyError", "canonical_symbol", "parse", "render", "required_symbols"]


def parse(text: str, *, source: str = "<string>") -> Symphony:
    """Read one strategy file.

    Args:
        text: the whole file.
        source: its name, for error messages.

    Raises:
        SymphonyError: brackets, operators, arity, types or values are not those of the grammar.
    """
    from the_alchemiser.shared.symphony import parser  # noqa: PLC0415 - as the package's docstring says

    return parser.parse(text, source=source)


def render(symphony: Symphony) -> str:
    """The file of a strategy, shared nodes written out wherever they occur, one node a line."""
    from the_alchemiser.shared.symphony import rendering  # noqa: PLC0415 - as the package's docstring says

    return rendering.render(symphony)
