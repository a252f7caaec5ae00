"""What the locks of a project pin, where, and what ships it to Lambda."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from automation.building import dependencies, requirements, wheels
from automation.building.requirements import PYLOCK, Kind, Requirement
from automation.project.model import Function, Layer, Project

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\[\]]*\])?\s*===?\s*(?P<version>[^\s,;*]+)")


class Pin(NamedTuple):
    """A version of a distribution; the name as PEP 503 writes it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A file with versions.

    Attributes:
        path: relative to the project root.
        owners: what ships it, such as `layer Wheels of Till`; empty for a lock of tools.
        pins: the line of each version, from 1.
        unpinned: the line of each requirement without one version, by its text.
    """

    path: str
    owners: tuple[str, ...]
    pins: Mapping[Pin, int]
    unpinned: Mapping[str, int] = field(default_factory=dict)


def read(project: Project) -> tuple[Lock, ...]:
    """Return the locks of a project: first those of functions and layers, then `locks/*.txt`.

    Raises:
        ConfigurationError: a lock cannot be read.
        ToolError: the tool of a lock, such as uv, cannot export it.
    """
    root = project.root
    owners: dict[Path, list[str]] = {}
    shipped: list[Function | Layer] = [*project.layers, *project.functions]
    for owner in shipped:
        if file := _file_of(owner, root):
            owners.setdefault(file, []).append(_description(owner, project))
    files = [*owners, *sorted((root / "locks").glob("*.txt"))]
    return tuple(_lock(file, root, tuple(owners.get(file, ()))) for file in files)


def _file_of(owner: Function | Layer, root: Path) -> Path | None:
    uri = owner.code_uri if isinstance(owner, Function) else owner.content_uri
    folder = root / uri if isinstance(uri, str) else None
    return dependencies.of_folder(folder, root) if folder and folder.is_dir() else None


def _description(owner: Function | Layer, project: Project) -> str:
    if isinstance(owner, Function):
        return f"function {owner.logical_id}"
    same_stack = (function for function in project.functions if function.stack == owner.stack)
    functions = [function.logical_id for function in same_stack if owner.logical_id in function.layers]
    return f"layer {owner.logical_id} of {', '.join(functions) or 'no function'}"


def _lock(file: Path, root: Path, owners: tuple[str, ...]) -> Lock:
    pins: dict[Pin, int] = {}
    unpinned: dict[str, int] = {}
    for text, number in _lines(file, root):
        if match := _PINNED.fullmatch(text):
            pins.setdefault(Pin(str(canonicalize_name(match["name"])), match["version"]), number)
        else:
            unpinned.setdefault(text, number)
    return Lock(file.relative_to(root).as_posix(), owners, pins, unpinned)


def _lines(file: Path, root: Path) -> Iterator[tuple[str, int]]:
    """Yield what a file requires, without markers and hashes, and its line; 1 in a file that is not made of lines."""
    if file.name == PYLOCK:
        for package in dependencies.load(file).get("packages", ()):
            if "directory" not in package:
                yield f"{package['name']}=={package['version']}" if "version" in package else str(package["name"]), 1
        return
    has_lines = file.suffix == ".txt"
    listed = requirements.read(file, root) if has_lines else wheels.requirements_of(file, root)
    for requirement in _required(listed):
        text = requirement.value if requirement.kind is Kind.NAMED else requirement.shown
        yield text, int(requirement.where.rpartition(":")[2]) if has_lines else 1


def _required(listed: Iterable[Requirement]) -> Iterator[Requirement]:
    """Yield what is installed from elsewhere: no options, constraints, or folders, which are our own."""
    for requirement in listed:
        if requirement.kind not in {Kind.OPTION, Kind.FOLDER} and not requirement.is_constraint:
            yield requirement
