"""Parse the output of `python -X importtime`: which package takes how long to import, and which module imports it."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PackageImport:
    """The import time of all modules of one package.

    Attributes:
        own_ms: the time in its own modules, without what they import from other packages.
        cumulative_ms: the time with everything that they import, from each first import of the package on.
        imported_by: the module that imports the package first; empty when that is the handler's module.
        modules: the number of its modules.
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
    importing: tuple[str, ...]


def parse(text: str) -> tuple[PackageImport, ...]:
    """Return the packages, the one with the longest own time first."""
    by_package: dict[str, list[_Line]] = {}
    for line in _lines(text):
        by_package.setdefault(_top_package(line.module), []).append(line)
    packages = [_package_import(package, lines) for package, lines in by_package.items()]
    return tuple(sorted(packages, key=lambda package: (-package.own_ms, package.package)))


def _package_import(package: str, lines: list[_Line]) -> PackageImport:
    # Only these lines count towards the cumulative time: the others are already part of it.
    entries = [line for line in lines if package not in map(_top_package, line.importing)]
    return PackageImport(
        package=package,
        own_ms=sum(line.own_us for line in lines) / 1000,
        cumulative_ms=sum(line.cumulative_us for line in entries) / 1000,
        imported_by=entries[0].importing[-1] if entries[0].importing else "",
        modules=len(lines),
    )


def _lines(text: str) -> list[_Line]:
    """Return the imports of the text, in its order.

    Python prints an import when it ends, indented by its depth. Read from the end, each import comes after the one
    that contains it.
    """
    lines: list[_Line] = []
    importing: list[tuple[int, str]] = []
    for own_us, cumulative_us, indent, module in reversed(_LINE.findall(text)):
        depth = len(indent)
        while importing and importing[-1][0] >= depth:
            importing.pop()
        lines.append(_Line(module, int(own_us), int(cumulative_us), tuple(name for _, name in importing)))
        importing.append((depth, module))
    return lines[::-1]


def _top_package(module: str) -> str:
    return module.partition(".")[0]
