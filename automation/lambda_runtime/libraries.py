"""The shared libraries in the image of each runtime, and the newest symbol versions that they define.

Only the lists in libraries.toml count: the libraries of the machine that builds or imports say nothing about Lambda.
AWS publishes container images of the runtimes. The image that functions from a zip run on has less, because it lacks
the package manager, so a library that is only known from a container image may be missing.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from automation.lambda_runtime.python_versions import is_amazon_linux_2023

_LISTS = Path(__file__).with_name("libraries.toml")
# The kernel's own, and the loader, whose name depends on the architecture.
_OF_EVERY_SYSTEM = frozenset({"linux-vdso.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})


class Presence(StrEnum):
    """Whether a library is in the image that a function runs on."""

    PRESENT = "present"
    ABSENT = "absent"
    ONLY_IN_CONTAINER = "only in container"
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Listing:
    """Libraries that one public source lists, by their sonames."""

    presence: Presence
    source: str
    date: date
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class System:
    """The libraries of one Amazon Linux.

    Attributes:
        newest: the newest version of each family of symbols, `GLIBCXX` to (3, 4, 24).
        is_frozen: no later image will have newer versions.
    """

    name: str
    lists: tuple[Listing, ...]
    newest: Mapping[str, tuple[int, ...]]
    is_frozen: bool

    def presence(self, soname: str) -> Presence:
        """Return whether a library is there."""
        if soname in _OF_EVERY_SYSTEM:
            return Presence.PRESENT
        return next((listing.presence for listing in self.lists if soname in listing.names), Presence.UNLISTED)

    @property
    def present(self) -> frozenset[str]:
        """Return the libraries that are certainly there."""
        return _OF_EVERY_SYSTEM.union(
            *(listing.names for listing in self.lists if listing.presence is Presence.PRESENT)
        )

    def named(self, short_name: str) -> str:
        """Return the soname of a library that `ctypes.util.find_library` looks for, such as `magic`; empty for none."""
        names = frozenset().union(*(listing.names for listing in self.lists))
        return min((name for name in names if name.startswith(f"lib{short_name}.so")), default="")

    def soname(self, name: str) -> str:
        """Return the soname of a name without version, such as `libmagic.so`; any other name as it is."""
        is_open = name.endswith(".so") and self.presence(name) is Presence.UNLISTED
        return (self.named(name.removeprefix("lib").removesuffix(".so")) if is_open else "") or name

    def meant(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the libraries that code means when it tries these names, among them names of other systems."""
        sonames = tuple(dict.fromkeys(map(self.soname, names)))
        listed = tuple(name for name in sonames if self.presence(name) is not Presence.UNLISTED)
        return listed or tuple(name for name in sonames if ".so." in name) or sonames


def of_runtime(python_minor: int) -> System:
    """Return the libraries of the runtime of Python 3.`python_minor`; both architectures have the same."""
    return _systems()["amazon-linux-2023" if is_amazon_linux_2023(python_minor) else "amazon-linux-2"]


@cache
def _systems() -> Mapping[str, System]:
    content = tomllib.loads(_LISTS.read_text(encoding="utf-8"))
    return {key: _system(fields) for key, fields in content.items()}


def _system(fields: Mapping[str, Any]) -> System:
    lists = [
        Listing(Presence(entry["presence"]), entry["source"], entry["date"], frozenset(entry["names"].split()))
        for entry in fields["lists"]
    ]
    newest = {family: tuple(version) for family, version in fields["newest"].items()}
    return System(fields["name"], tuple(lists), newest, is_frozen=fields["is_frozen"])
