"""Copy the source package to where SAM takes code from: `functions/<module>/` and `layers/<name>/python/`.

The templates say what goes where: a function whose Handler is `<package>.<module>.…` gets that module in its
CodeUri; a layer whose ContentUri is `…/<module>/python/` gets that module. Trees of other shapes are left alone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from automation.project.model import Function, Layer, Project
from automation.system import files
from automation.system.errors import ConfigurationError, Finding

_WAIT_S = 60.0
_NEVER_SHIPPED = frozenset({"__pycache__", "tests"})


@dataclass(frozen=True, slots=True, order=True)
class Tree:
    """One generated folder, relative to the project root, and the module of the source package that fills it."""

    target: str
    module: str


class Fault(StrEnum):
    """What is wrong with a generated file."""

    MISSING = "missing"
    EDITED = "edited"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True, order=True)
class Write:
    """A file to be written, both paths relative to the project root."""

    path: str
    source: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Plan:
    """What sync would do. Applied, the next plan is empty."""

    writes: tuple[Write, ...]
    deletes: tuple[str, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        return not (self.writes or self.deletes)

    def findings(self) -> tuple[Finding, ...]:
        mend = {
            Fault.MISSING: "run inv sync",
            Fault.EDITED: "move the change to its source, then run inv sync",
            Fault.EXTRA: "move it to the source package if it is needed; inv sync deletes it",
        }
        written = [
            Finding(one.path, f"{one.fault} (its source is {one.source})", mend[one.fault]) for one in self.writes
        ]
        deleted = [Finding(path, f"{Fault.EXTRA} (it has no source)", mend[Fault.EXTRA]) for path in self.deletes]
        return tuple(sorted([*written, *deleted]))


@dataclass(frozen=True, slots=True)
class Source:
    """A source file, relative to the project root, and its digest."""

    path: str
    digest: str


def trees(project: Project, *, layers_only: bool = False) -> tuple[Tree, ...]:
    """The folders that sync fills.

    Raises:
        ConfigurationError: a handler names a module that the source package has not, or a code folder is not one
            that may be filled and emptied.
    """
    if not project.package:
        return ()
    found = {tree for layer in project.layers if (tree := _layer_tree(layer, project))}
    if not layers_only:
        found |= {tree for function in project.functions if (tree := _function_tree(function, project))}
    targets = [tree.target for tree in found]
    twice = sorted({target for target in targets if targets.count(target) > 1})
    if twice:
        raise ConfigurationError("two functions with different modules share this folder", where=twice[0])
    for tree in found:
        _require_apart(tree.target, project.package)
    return tuple(sorted(found))


def plan(wanted: Mapping[str, Source], present: Mapping[str, str]) -> Plan:
    """Compare what the generated trees should hold with what they hold.

    Args:
        wanted: source of each generated file, by the path of the generated file.
        present: digest of each file that is there, by path.
    """
    writes = [
        Write(path, source.path, Fault.EDITED if path in present else Fault.MISSING)
        for path, source in wanted.items()
        if present.get(path) != source.digest
    ]
    deletes = tuple(sorted(path for path in present if path not in wanted))
    return Plan(tuple(sorted(writes)), deletes, len(wanted) - len(writes))


def gather(project: Project, *, layers_only: bool = False) -> Plan:
    """Read source and generated trees and plan.

    Raises:
        ConfigurationError: the source package has an `__init__.py` at its root, or a module is absent.
    """
    chosen = trees(project, layers_only=layers_only)
    if chosen and (project.root / project.package / "__init__.py").exists():
        message = "remove it: at the root of a namespace package it would hide the parts in the other trees"
        raise ConfigurationError(message, where=f"{project.package}/__init__.py")
    wanted: dict[str, Source] = {}
    present: dict[str, str] = {}
    for tree in chosen:
        wanted |= _wanted(project, tree)
        present |= _present(project.root, tree.target)
    if not layers_only:
        for orphan in _orphans(project, chosen):
            present |= _present(project.root, orphan)
    return plan(wanted, present)


def apply(plan: Plan, root: Path) -> None:
    """Carry out a plan. Interrupted, it is finished by the next sync."""
    for path in plan.deletes:
        files.remove_with_empty_parents(root / path, root)
    for write in plan.writes:
        target = root / write.path
        if target.is_dir():
            files.remove(target)
        files.write_atomically(target, (root / write.source).read_bytes())


def sync(project: Project, *, layers_only: bool = False) -> Plan:
    """Make the generated trees what the source says; returns what was done. What is right already needs no lock."""
    if (made := gather(project, layers_only=layers_only)).is_empty:
        return made
    with files.lock(project.root / ".alchemiser" / "sync.lock", wait_s=_WAIT_S, doing="syncing"):
        made = gather(project, layers_only=layers_only)
        apply(made, project.root)
    return made


def is_shipped(path: Path) -> bool:
    """Does a file or folder of the source package belong in a deployment? Caches, tests and hidden files do not."""
    name = path.name
    return not (name in _NEVER_SHIPPED or name.startswith(".") or name.endswith((".pyc", ".pyo")))


def _function_tree(function: Function, project: Project) -> Tree | None:
    if not (isinstance(function.handler, str) and isinstance(function.code_uri, str)):
        return None
    package, _, rest = function.handler.partition(".")
    module = rest.split(".")[0]
    if package != project.package or not module:
        return None
    if not (project.root / package / module).is_dir():
        message = f"Handler {function.handler}: there is no folder {package}/{module}"
        raise ConfigurationError(message, where=f"{function.stack} stack: {function.logical_id}")
    return Tree(function.code_uri, module)


def _require_apart(target: str, package: str) -> None:
    """Refuse a folder that holds the source, lies in it or outside the project: sync deletes what it did not write."""
    folder, source = (PurePosixPath(os.path.normpath(path)) for path in (target, package))
    is_outside = folder.is_absolute() or ".." in folder.parts
    if is_outside or source.is_relative_to(folder) or folder.is_relative_to(source):
        message = f"sync fills and empties this code folder; give the code one of its own, such as functions/{source}/"
        raise ConfigurationError(message, where=target)


def _layer_tree(layer: Layer, project: Project) -> Tree | None:
    if not isinstance(layer.content_uri, str):
        return None
    content = PurePosixPath(layer.content_uri)
    module = content.parent.name
    if content.name != "python" or not module or not (project.root / project.package / module).is_dir():
        return None
    return Tree(content.as_posix(), module)


def _wanted(project: Project, tree: Tree) -> dict[str, Source]:
    source, target = f"{project.package}/{tree.module}", PurePosixPath(tree.target)
    found = files.digest_tree(project.root / source, keep=is_shipped)
    for name in [name for name, digest in found.items() if digest == files.SYMLINK]:
        linked = project.root / source / name
        del found[name]
        if linked.is_file():
            found[name] = files.digest(linked.read_bytes())
    return {f"{target}/{source}/{name}": Source(f"{source}/{name}", digest) for name, digest in found.items()}


def _present(root: Path, target: str) -> dict[str, str]:
    folder = PurePosixPath(target)
    return {f"{folder}/{name}": digest for name, digest in files.digest_tree(root / target).items()}


def _orphans(project: Project, chosen: tuple[Tree, ...]) -> list[str]:
    """Generated trees of functions that the templates no longer have: neighbours of ours that hold the package."""
    functions = {function.code_uri for function in project.functions}
    targets = {tree.target for tree in chosen}
    parents = {PurePosixPath(tree.target).parent for tree in chosen if tree.target in functions}
    neighbours = (
        (parent / folder.name / project.package).as_posix()
        for parent in parents
        if str(parent) != "."
        for folder in (project.root / parent).glob("*")
        if (parent / folder.name).as_posix() not in targets
    )
    return sorted(neighbour for neighbour in neighbours if (project.root / neighbour).is_dir())
