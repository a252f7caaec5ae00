"""The source of each file of a built tree."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from automation.building import parent_packages
from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project.model import Project


@dataclass(frozen=True, slots=True)
class Origin:
    """A built tree and the folder it was built from.

    Attributes:
        owner: the logical id of its function or layer.
        tree: absolute, with links resolved.
        folder: relative to the project root.
        modules: where in the tree the content of the folder begins; `.` for the top.
    """

    stack: str
    owner: str
    tree: Path
    folder: PurePosixPath
    is_layer: bool
    modules: PurePosixPath = field(default_factory=PurePosixPath)


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of all built trees of a project."""

    root: Path
    package: str
    trees: tuple[Origin, ...]

    def locate(self, built: Path) -> tuple[Origin, PurePosixPath] | None:
        """Return the tree that contains a file (links resolved) and the file's path in it, or None."""
        real = os.path.realpath(built)
        for origin in self.trees:
            if real.startswith(f"{origin.tree}{os.sep}"):  # comparing strings is faster than Path.is_relative_to
                return origin, PurePosixPath(real.removeprefix(f"{origin.tree}{os.sep}"))
        return None

    def source_of(self, built: Path) -> PurePosixPath | None:
        """Return the source of a built file, relative to the root, or None when it has none.

        A folder that `inv sync` writes is itself a copy; the file that was copied is the source.
        """
        location = self.locate(built)
        if location is None:
            return None

        candidates = self._candidates(*location)
        return next((candidate for candidate in candidates if (self.root / candidate).is_file()), None)

    def label(self, built: Path) -> str:
        """Return the name of a built file in messages: its source, or its own path when it has none."""
        source = self.source_of(built)
        if source is not None:
            return str(source)

        real = built.resolve()
        return str(real.relative_to(self.root)) if real.is_relative_to(self.root) else str(real)

    def is_own(self, built: Path) -> bool:
        """Return whether a built file belongs to a module or package of the sources, not to an installed one."""
        location = self.locate(built)
        if location is None:
            return False

        origin, path = location
        inner = _without_modules_folder(origin, path)
        tops = [origin.folder / inner.parts[0]] if inner.parts else []
        tops += [origin.folder / LAYER_MODULES / inner.parts[0]] if inner != path and inner.parts else []
        return inner.parts[:1] == (self.package,) or any((self.root / top).exists() for top in tops)

    def _candidates(self, origin: Origin, path: PurePosixPath) -> Iterator[PurePosixPath]:
        inner = _without_modules_folder(origin, path)
        if self.package and inner.parts[:1] == (self.package,):
            yield inner
        yield origin.folder / inner
        yield origin.folder / path


def _without_modules_folder(origin: Origin, path: PurePosixPath) -> PurePosixPath:
    """Return a path without what a build puts above it: `python/` in a layer, parent packages in a function."""
    above = origin.modules.parts
    return PurePosixPath(*path.parts[len(above) :]) if path.parts[: len(above)] == above else path


def _folder(code: str, root: Path) -> PurePosixPath:
    """Return the folder of a function's or layer's code, which may also be one file."""
    path = PurePosixPath(code)
    return path.parent if (root / path).is_file() else path


def of_project(project: Project, trees: Mapping[tuple[str, str], Path]) -> Origins:
    """Return the origins of the built trees.

    Args:
        trees: the folder of each built tree, by (stack name, logical id).
    """
    origins = []
    for stack in project.stacks:
        folders = [
            (function.logical_id, function.code_uri, False, parent_packages.folder(function, project.root))
            for function in stack.functions
        ]
        folders += [(layer.logical_id, layer.content_uri, True, LAYER_MODULES) for layer in stack.layers]
        origins += [
            Origin(
                stack.name,
                owner,
                trees[stack.name, owner].resolve(),
                _folder(folder, project.root),
                is_layer,
                PurePosixPath(modules),
            )
            for owner, folder, is_layer, modules in folders
            if (stack.name, owner) in trees and isinstance(folder, str)
        ]
    return Origins(project.root.resolve(), project.settings.package, tuple(origins))
