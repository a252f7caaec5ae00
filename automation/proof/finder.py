"""Find where Python would find a module on a search path, from the folders only: nothing is imported."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

# The stdlib's top-level names that a Python version added or removed. The running interpreter lists only its own.
# Source: the documents "What's New in Python" 3.11 to 3.14.
_ADDED = {11: frozenset({"tomllib"}), 14: frozenset({"annotationlib", "compression"})}
_REMOVED = {
    11: frozenset({"binhex"}),
    12: frozenset({"asynchat", "asyncore", "distutils", "imp", "smtpd"}),
    13: frozenset(
        [
            "aifc",
            "audioop",
            "cgi",
            "cgitb",
            "chunk",
            "crypt",
            "imghdr",
            "lib2to3",
            "mailcap",
            "msilib",
            "nis",
            "nntplib",
            "ossaudiodev",
            "pipes",
            "sndhdr",
            "spwd",
            "sunau",
            "telnetlib",
            "uu",
            "xdrlib",
        ]
    ),
}


@dataclass(frozen=True, slots=True)
class FoundModule:
    """A module on a search path.

    Attributes:
        file: the file that is executed; None for a namespace package, which has none.
        folders: the folders of its submodules; empty when it is not a package.
    """

    name: str
    file: Path | None
    folders: tuple[Path, ...] = ()


class Finder:
    """Finds modules on one search path, and caches the folders it has listed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._modules: dict[str, FoundModule | None] = {}
        self._entries: dict[Path, frozenset[str]] = {}

    def find(self, name: str) -> FoundModule | None:
        """Return the module of a dotted name; None when it is not on the path, as for the stdlib's modules."""
        if name not in self._modules:
            self._modules[name] = self._find(name)
        return self._modules[name]

    def first_missing(self, name: str) -> str:
        """Return the shortest prefix of a dotted name that is not found; empty when the whole name is found.

        A package may create submodules at import, so a missing submodule of a package with code is only a candidate:
        the caller decides by the package's source.
        """
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            if self.find(prefix) is None:
                return prefix
        return ""

    def names_in(self, folder: Path) -> frozenset[str]:
        """Return the names of a folder's entries; empty when the folder cannot be listed."""
        if folder not in self._entries:
            try:
                self._entries[folder] = frozenset(entry.name for entry in folder.iterdir())
            except OSError:
                self._entries[folder] = frozenset()
        return self._entries[folder]

    def submodules(self, folders: Iterable[Path]) -> set[str]:
        """Return the names of the modules and packages in these folders."""
        entries = chain.from_iterable(self.names_in(folder) for folder in folders)
        names = {entry.partition(".")[0] for entry in entries}
        return {name for name in names if name.isidentifier() and name != "__pycache__"}

    def _find(self, name: str) -> FoundModule | None:
        parent, _, last = name.rpartition(".")
        if not parent:
            return self._find_in(name, last, self.folders)
        package = self.find(parent)
        return self._find_in(name, last, package.folders) if package else None

    def _find_in(self, name: str, last: str, folders: Sequence[Path]) -> FoundModule | None:
        """Search as Python does: a package goes before a module, and both before parts of a namespace package."""
        parts = []
        for folder in folders:
            entries = self.names_in(folder)
            if last in entries and (folder / last).is_dir():
                init = next(iter(_files("__init__", self.names_in(folder / last))), None)
                if init:
                    return FoundModule(name, folder / last / init, (folder / last,))
                parts.append(folder / last)
            if file := next(iter(_files(last, entries)), None):
                return FoundModule(name, folder / file)
        return FoundModule(name, None, tuple(parts)) if parts else None


def is_stdlib(name: str, minor: int) -> bool:
    """Return whether the standard library of Python 3.`minor` has a top-level module of this name."""
    added, added_later = _names_until(minor, _ADDED)
    removed, removed_later = _names_until(minor, _REMOVED)
    is_known = name in sys.stdlib_module_names or name in added or name in removed_later
    return is_known and name not in removed and name not in added_later


def installed_names(folder: Path) -> frozenset[str]:
    """Return the top-level names in a folder that an installed distribution owns, according to its RECORD."""
    if not folder.is_dir():
        return frozenset()

    names: set[str] = set()
    for info in folder.iterdir():
        if info.suffix == ".dist-info":
            names |= {path.partition("/")[0] for path in _recorded(info / "RECORD")}
        elif info.suffix == ".egg-info":
            names |= set(_lines(info / "top_level.txt"))
    return frozenset(name.partition(".")[0] for name in names)


def _names_until(minor: int, changes: Mapping[int, frozenset[str]]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that changed until Python 3.`minor`, and those that changed later."""
    until = frozenset().union(*(names for version, names in changes.items() if version <= minor))
    return until, frozenset().union(*(names for version, names in changes.items() if version > minor))


def _files(name: str, entries: frozenset[str]) -> list[str]:
    """Return the files of a folder that define a module, in Python's order: extensions, source, bytecode."""
    compiled = sorted(entry for entry in entries if entry.startswith(f"{name}.") and entry.endswith((".so", ".pyd")))
    return [*compiled, *(file for file in (f"{name}.py", f"{name}.pyc") if file in entries)]


def _recorded(record: Path) -> list[str]:
    return [row[0] for row in csv.reader(_lines(record)) if row]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
