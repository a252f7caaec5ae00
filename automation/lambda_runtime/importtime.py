"""What `python -X importtime` says -> which package costs how much, and who imports it: pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Importer:
    """All modules of one package together.

    Attributes:
        own_ms: the time in its own modules, without what these import of others.
        cumulative_ms: with all that they import, from each first import of it on.
        imported_by: the module that imports it first; empty when that is the handler's.
        modules: how many.
    """

    package: str
    own_ms: float
    cumulative_ms: float
    imported_by: str
    modules: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One import, with the modules that were being imported when it began, the outermost first."""

    module: str
    own_us: int
    cumulative_us: int
    above: tuple[str, ...]


def parse(text: str) -> tuple[Importer, ...]:
    """The packages by their own time, the dearest first."""
    found: dict[str, list[_Line]] = {}
    for line in _lines(text):
        found.setdefault(_top(line.module), []).append(line)
    made = [_importer(package, lines) for package, lines in found.items()]
    return tuple(sorted(made, key=lambda one: (-one.own_ms, one.package)))


def _importer(package: str, lines: list[_Line]) -> Importer:
    entries = [line for line in lines if package not in map(_top, line.above)]
    first = entries[0].above[-1] if entries[0].above else ""
    return Importer(
        package,
        sum(line.own_us for line in lines) / 1000,
        sum(line.cumulative_us for line in entries) / 1000,
        first,
        len(lines),
    )


def _lines(text: str) -> list[_Line]:
    """In the order in which the imports began: a line is printed when its import ends, indented by its depth."""
    made: list[_Line] = []
    above: list[tuple[int, str]] = []
    for own, cumulative, indent, module in reversed(_LINE.findall(text)):
        depth = len(indent)
        while above and above[-1][0] >= depth:
            above.pop()
        made.append(_Line(module, int(own), int(cumulative), tuple(name for _, name in above)))
        above.append((depth, module))
    return _first_first(made)


def _first_first(lines: Iterable[_Line]) -> list[_Line]:
    """Siblings come last first from behind; the deepest known order is that of the text, so it is turned again."""
    return list(reversed(list(lines)))


def _top(module: str) -> str:
    return module.partition(".")[0]
