"""Modules that another module of a function hides: parts of a package, and modules of the standard library."""

import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.proof.finder import Finder


@dataclass(frozen=True, slots=True)
class HiddenPart:
    """A part of a package that another part hides, with the modules that exist only there.

    Attributes:
        by: the file that hides it.
    """

    package: str
    by: Path
    folder: Path
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A module with the name of a stdlib module."""

    name: str
    file: Path
    is_distributed: bool


def hidden_parts(finder: Finder, installed: Mapping[Path, frozenset[str]]) -> Iterator[HiddenPart]:
    """Yield the parts of packages that an `__init__.py`, or a module, of another part hides.

    Args:
        installed: the folders of the trees on the search path, with the names that distributions own there.
    """
    yield from _hidden("", list(installed), finder, installed)


def shadows(finder: Finder, installed: Mapping[Path, frozenset[str]]) -> Iterator[Shadow]:
    """Yield the modules at the root of the trees that have the name of a stdlib module; `installed` as above."""
    for folder in installed:
        for name in sorted(finder.submodules([folder]) & sys.stdlib_module_names):
            module = Finder([folder]).find(name)
            if module is not None and module.file is not None and not _is_stdlib_copy(module.file, name):
                yield Shadow(name, module.file.resolve(), name in installed[folder])


def _hidden(
    within: str, folders: Sequence[Path], finder: Finder, installed: Mapping[Path, frozenset[str]]
) -> Iterator[HiddenPart]:
    for name in sorted(finder.submodules(folders)):
        parts = [folder / name for folder in folders if (folder / name).is_dir()]
        module = finder.find(f"{within}{name}")
        if module is None or not parts or (len(parts) == 1 and module.folders == tuple(parts)):
            continue
        if module.file is None:
            yield from _hidden(f"{module.name}.", parts, finder, installed)
            continue

        for part in parts:
            lost = tuple(sorted(_modules(part) - _modules(module.file.parent if module.folders else None)))
            if part not in module.folders and lost and not _are_installed(module.file, part, name, installed):
                yield HiddenPart(module.name, module.file.resolve(), part.resolve(), lost)


def _are_installed(file: Path, part: Path, name: str, installed: Mapping[Path, frozenset[str]]) -> bool:
    """Return whether both belong to distributions: then it is one package installed twice, not one in parts."""
    holders = [folder for folder in installed if file.is_relative_to(folder) or part.is_relative_to(folder)]
    return all(name in installed[folder] for folder in holders)


def _modules(folder: Path | None) -> set[str]:
    """Return the modules under a folder, as relative paths without their suffix."""
    if folder is None:
        return set()
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in {".py", ".so"})
    return {file.with_name(file.name.partition(".")[0]).as_posix() for file in files}


def _is_stdlib_copy(file: Path, name: str) -> bool:
    stdlib = Path(sysconfig.get_path("stdlib"))
    original = stdlib / name / "__init__.py" if file.stem == "__init__" else stdlib / f"{name}.py"
    return original.is_file() and original.read_bytes() == file.read_bytes()
