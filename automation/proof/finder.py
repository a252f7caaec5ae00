"""Where Python would find a module on a search path, told from the folders alone: nothing is imported."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The stdlib's top-level names that a version took away; those of later versions are still in our own list.
_REMOVED = {
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
class Found:
    """A module.

    Attributes:
        file: what is executed; None for a namespace package, which has no file.
        folders: where its submodules are looked for; empty when it is no package.
    """

    name: str
    file: Path | None
    folders: tuple[Path, ...] = ()


class Finder:
    """Answers for one search path, and remembers what it has listed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._found: dict[str, Found | None] = {}
        self._listed: dict[Path, frozenset[str]] = {}

    def find(self, name: str) -> Found | None:
        """The module of this dotted name; None when the path has none, and for the stdlib's."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def first_missing(self, name: str) -> str:
        """The shortest prefix of a dotted name that is not found; empty when the whole is, or cannot be known.

        A module that is no namespace package may make its submodules as it likes, so that only a package of which
        a source is at hand, or that has no file at all, is asked for them.
        """
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            if self.find(prefix) is None:
                return prefix
        return ""

    def names_in(self, folder: Path) -> frozenset[str]:
        """The names of a folder's entries, none when it is absent."""
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(entry.name for entry in folder.iterdir())
            except OSError:
                self._listed[folder] = frozenset()
        return self._listed[folder]

    def submodules(self, folders: Sequence[Path]) -> set[str]:
        """The names of the modules and packages that lie in these folders."""
        names = {entry.partition(".")[0] for folder in folders for entry in self.names_in(folder)}
        return {name for name in names if name.isidentifier() and name != "__pycache__"}

    def _find(self, name: str) -> Found | None:
        parent, _, last = name.rpartition(".")
        if not parent:
            return self._look(name, last, self.folders)
        package = self.find(parent)
        return self._look(name, last, package.folders) if package else None

    def _look(self, name: str, last: str, folders: Sequence[Path]) -> Found | None:
        parts = []
        for folder in folders:
            entries = self.names_in(folder)
            if last in entries and (folder / last).is_dir():
                init = next((one for one in _files("__init__", self.names_in(folder / last))), None)
                if init:
                    return Found(name, folder / last / init, (folder / last,))
                parts.append(folder / last)
            if file := next(iter(_files(last, entries)), None):
                return Found(name, folder / file)
        return Found(name, None, tuple(parts)) if parts else None


def is_stdlib(name: str, minor: int) -> bool:
    """Is it a top-level module of the standard library of Python 3.`minor`?"""
    later = frozenset().union(*(names for version, names in _REMOVED.items() if version > minor))
    gone = frozenset().union(*(names for version, names in _REMOVED.items() if version <= minor))
    return (name in sys.stdlib_module_names or name in later) and name not in gone


def distributed(folder: Path) -> frozenset[str]:
    """The top-level names in a folder that belong to an installed distribution, as its RECORD says."""
    if not folder.is_dir():
        return frozenset()
    names: set[str] = set()
    for info in folder.iterdir():
        if info.suffix == ".dist-info":
            names |= {path.partition("/")[0] for path in _recorded(info / "RECORD")}
        elif info.suffix == ".egg-info":
            names |= set(_lines(info / "top_level.txt"))
    return frozenset(name.partition(".")[0] for name in names)


def _files(name: str, entries: frozenset[str]) -> list[str]:
    """The file of a folder that a module of this name is made of: an extension goes before a source."""
    compiled = sorted(one for one in entries if one.startswith(f"{name}.") and one.endswith((".so", ".pyd")))
    return [*compiled, *(one for one in (f"{name}.py", f"{name}.pyc") if one in entries)]


def _recorded(record: Path) -> list[str]:
    return [row[0] for row in csv.reader(_lines(record)) if row]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
