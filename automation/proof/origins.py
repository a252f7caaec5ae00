"""Which source a file of a built tree was made from."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.project.model import Project

_MODULES = "python"


@dataclass(frozen=True, slots=True)
class Origin:
    """A built tree and the folder it was made from, the latter relative to the project root.

    Attributes:
        owner: the logical id of its function or layer.
    """

    stack: str
    owner: str
    tree: Path
    folder: PurePosixPath
    is_layer: bool


@dataclass(frozen=True, slots=True)
class Origins:
    """The built trees of a project."""

    root: Path
    package: str
    trees: tuple[Origin, ...]

    def of(self, built: Path) -> tuple[Origin, PurePosixPath] | None:
        """The tree that a file lies in, links followed, and its path in there; None when it is of no tree."""
        real = os.path.realpath(built)
        for one in self.trees:
            if real.startswith(f"{one.tree}{os.sep}"):  # a Path would be taken apart for each tree
                return one, PurePosixPath(real.removeprefix(f"{one.tree}{os.sep}"))
        return None

    def source(self, built: Path) -> PurePosixPath | None:
        """The source of a built file, relative to the root; None when no source of that name is there.

        A folder that sync writes is itself a copy: what it was copied from is the source.
        """
        found = self.of(built)
        if found is None:
            return None
        return next((one for one in self._candidates(*found) if (self.root / one).is_file()), None)

    def label(self, built: Path) -> str:
        """How messages call a built file: its source, else its own path."""
        source = self.source(built)
        if source is not None:
            return str(source)
        real = built.resolve()
        return str(real.relative_to(self.root)) if real.is_relative_to(self.root) else str(real)

    def is_own(self, built: Path) -> bool:
        """Is a built file of a module or package that the sources have, and not one that an installer put there?"""
        found = self.of(built)
        if found is None:
            return False
        origin, path = found
        inner = _inner(origin, path)
        tops = [origin.folder / inner.parts[0]] if inner.parts else []
        tops += [origin.folder / _MODULES / inner.parts[0]] if inner != path and inner.parts else []
        return inner.parts[:1] == (self.package,) or any((self.root / top).exists() for top in tops)

    def _candidates(self, origin: Origin, path: PurePosixPath) -> Iterator[PurePosixPath]:
        inner = _inner(origin, path)
        if self.package and inner.parts[:1] == (self.package,):
            yield inner
        yield origin.folder / inner
        yield origin.folder / path


def _inner(origin: Origin, path: PurePosixPath) -> PurePosixPath:
    """A path of a layer without the folder that a build puts above its content."""
    return PurePosixPath(*path.parts[1:]) if origin.is_layer and path.parts[:1] == (_MODULES,) else path


def of_project(project: Project, trees: Mapping[tuple[str, str], Path]) -> Origins:
    """The origins of the built trees, which are given by (stack name, logical id)."""
    found = []
    for stack in project.stacks:
        folders = [(one.logical_id, one.code_uri, False) for one in stack.functions]
        folders += [(one.logical_id, one.content_uri, True) for one in stack.layers]
        found += [
            Origin(stack.name, owner, trees[stack.name, owner].resolve(), PurePosixPath(folder), is_layer)
            for owner, folder, is_layer in folders
            if (stack.name, owner) in trees and isinstance(folder, str)
        ]
    return Origins(project.root.resolve(), project.package, tuple(found))
