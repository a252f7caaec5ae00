"""Copy the source package to where SAM takes code from: `functions/<module>/` and `layers/<name>/python/`.

The templates say what goes where. A function whose Handler is `<package>.<module>.…` gets that module in its CodeUri; a
layer whose ContentUri is `…/<module>/python/` gets that module. All other code folders are left alone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project.model import Function, Layer, Project
from automation.system import files
from automation.system.errors import ConfigurationError, Finding

_WAIT_S = 60.0
_NEVER_SHIPPED = frozenset({"__pycache__", "tests"})


@dataclass(frozen=True, slots=True, order=True)
class Tree:
    """A generated folder, relative to the project root, and the module of the source package that it contains."""

    target: str
    module: str


class Drift(StrEnum):
    """How a generated file differs from its source."""

    MISSING = "missing"
    EDITED = "edited"
    EXTRA = "extra"


_FIXES: Mapping[Drift, str] = {
    Drift.MISSING: "run inv sync",
    Drift.EDITED: "move the change to its source, then run inv sync",
    Drift.EXTRA: "move it to the source package if it is needed; inv sync deletes it",
}


@dataclass(frozen=True, slots=True, order=True)
class Write:
    """A file to write; both paths are relative to the project root."""

    path: str
    source: str
    drift: Drift


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The changes that sync makes. Once they are applied, the next plan is empty.

    Attributes:
        deletes: the generated files without a source, relative to the project root.
        unchanged: the number of files that are up to date.
    """

    writes: tuple[Write, ...]
    deletes: tuple[str, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        return not (self.writes or self.deletes)

    def findings(self) -> tuple[Finding, ...]:
        findings = [
            Finding(write.path, f"{write.drift} (its source is {write.source})", _FIXES[write.drift])
            for write in self.writes
        ]
        findings += [Finding(path, f"{Drift.EXTRA} (it has no source)", _FIXES[Drift.EXTRA]) for path in self.deletes]
        return tuple(sorted(findings))


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the source package, relative to the project root, and its digest."""

    path: str
    digest: str


def trees(project: Project, *, layers_only: bool = False) -> tuple[Tree, ...]:
    """Return the folders that sync fills.

    Raises:
        ConfigurationError: the source package lacks the module of a handler, or a code folder must not be emptied.
    """
    package = project.settings.package
    if not package:
        return ()

    candidates = [_layer_tree(layer, project) for layer in project.layers]
    if not layers_only:
        candidates += [_function_tree(function, project) for function in project.functions]
    distinct = {tree for tree in candidates if tree is not None}

    targets = [tree.target for tree in distinct]
    shared = sorted({target for target in targets if targets.count(target) > 1})
    if shared:
        raise ConfigurationError("two functions with different modules share this folder", where=shared[0])
    for target in targets:
        _require_apart(target, package)
    return tuple(sorted(distinct))


def compare(wanted: Mapping[str, Source], present: Mapping[str, str]) -> SyncPlan:
    """Plan the changes that turn the present files into the wanted ones. Pure.

    Args:
        wanted: the source of each generated file, by the path of the generated file.
        present: the digest of each file that exists, by path.
    """
    writes = [
        Write(path, source.path, Drift.EDITED if path in present else Drift.MISSING)
        for path, source in wanted.items()
        if present.get(path) != source.digest
    ]
    deletes = tuple(sorted(path for path in present if path not in wanted))
    return SyncPlan(tuple(sorted(writes)), deletes, len(wanted) - len(writes))


def make_plan(project: Project, *, layers_only: bool = False) -> SyncPlan:
    """Read the source and the generated trees, and plan; change nothing.

    Raises:
        ConfigurationError: the source package has an `__init__.py` at its root, or as `trees`.
    """
    package, generated = project.settings.package, trees(project, layers_only=layers_only)
    if generated and (project.root / package / "__init__.py").exists():
        message = "remove it: at the root of a namespace package it would hide the modules in the other trees"
        raise ConfigurationError(message, where=f"{package}/__init__.py")

    wanted: dict[str, Source] = {}
    present: dict[str, str] = {}
    for tree in generated:
        wanted |= _wanted(project, tree)
        present |= _present(project.root, tree.target)
    if not layers_only:
        for orphan in _orphans(project, generated):
            present |= _present(project.root, orphan)
    return compare(wanted, present)


def apply(plan: SyncPlan, root: Path) -> None:
    """Make the changes of a plan. After an interrupt, the next sync makes the rest."""
    # Safe to delete: `trees` refuses a folder that overlaps the source or lies outside the project.
    for path in plan.deletes:
        files.remove_with_empty_parents(root / path, root)

    for write in plan.writes:
        target = root / write.path
        if target.is_dir():
            files.remove(target)
        source = root / write.source
        files.write_atomically(target, source.read_bytes(), mode=0o755 if files.is_program(source) else 0o644)


def sync(project: Project, *, layers_only: bool = False) -> SyncPlan:
    """Bring the generated trees up to date; return what was changed. Idempotent.

    Raises:
        ConfigurationError: as `make_plan`.
        ToolError: another command is syncing and does not end.
    """
    plan = make_plan(project, layers_only=layers_only)
    if plan.is_empty:  # the usual case needs no lock
        return plan
    with files.lock(project.root / ".alchemiser" / "sync.lock", wait_s=_WAIT_S, doing="syncing"):
        plan = make_plan(project, layers_only=layers_only)
        apply(plan, project.root)
    return plan


def is_shipped(path: Path) -> bool:
    """Return whether a file or folder of the source package is copied; caches, tests and hidden files are not."""
    name = path.name
    return not (name in _NEVER_SHIPPED or name.startswith(".") or name.endswith((".pyc", ".pyo")))


def _function_tree(function: Function, project: Project) -> Tree | None:
    if not (isinstance(function.handler, str) and isinstance(function.code_uri, str)):
        return None
    package, _, rest = function.handler.partition(".")
    module = rest.split(".")[0]
    if package != project.settings.package or not module:
        return None
    if not (project.root / package / module).is_dir():
        message = f"Handler {function.handler}: there is no folder {package}/{module}"
        raise ConfigurationError(message, where=f"{function.stack} stack: {function.logical_id}")
    return Tree(function.code_uri, module)


def _layer_tree(layer: Layer, project: Project) -> Tree | None:
    if not isinstance(layer.content_uri, str):
        return None
    content = PurePosixPath(layer.content_uri)
    module = content.parent.name
    is_module = bool(module) and (project.root / project.settings.package / module).is_dir()
    return Tree(content.as_posix(), module) if content.name == LAYER_MODULES and is_module else None


def _require_apart(target: str, package: str) -> None:
    """Refuse a folder that overlaps the source or lies outside the project: sync deletes what it did not write."""
    folder, source = PurePosixPath(os.path.normpath(target)), PurePosixPath(os.path.normpath(package))
    is_outside = folder.is_absolute() or ".." in folder.parts
    if is_outside or source.is_relative_to(folder) or folder.is_relative_to(source):
        message = f"sync fills and empties this code folder; give the code its own folder, such as functions/{source}/"
        raise ConfigurationError(message, where=target)


def _wanted(project: Project, tree: Tree) -> dict[str, Source]:
    """Return the files that a tree should contain; a symbolic link to a file counts as that file."""
    source, target = f"{project.settings.package}/{tree.module}", PurePosixPath(tree.target)
    wanted: dict[str, Source] = {}
    for name, digest in files.digest_tree(project.root / source, keep=is_shipped).items():
        path = project.root / source / name
        if path.is_file():
            content = files.digest(path.read_bytes()) if digest == files.SYMLINK else digest
            wanted[f"{target}/{source}/{name}"] = Source(f"{source}/{name}", _with_run_bit(content, path))
    return wanted


def _present(root: Path, target: str) -> dict[str, str]:
    folder, digests = PurePosixPath(target), files.digest_tree(root / target)
    return {f"{folder}/{name}": _with_run_bit(digest, root / target / name) for name, digest in digests.items()}


def _with_run_bit(digest: str, path: Path) -> str:
    """Mark the digest of a program, whose copy must be one, too."""
    return f"{digest}+x" if digest != files.SYMLINK and files.is_program(path) else digest


def _orphans(project: Project, generated: tuple[Tree, ...]) -> list[str]:
    """Return the packages in folders beside those of functions: the generated trees of functions that were removed.

    There are none while a template cannot be read: the functions that it names may be there.
    """
    if project.unread or any(stack.faults for stack in project.stacks):
        return []
    function_folders = {function.code_uri for function in project.functions}
    targets = {tree.target for tree in generated}
    parents = {PurePosixPath(tree.target).parent for tree in generated if tree.target in function_folders}

    orphans = []
    for parent in parents - {PurePosixPath(".")}:
        for folder in (project.root / parent).glob("*"):
            package = parent / folder.name / project.settings.package
            if (parent / folder.name).as_posix() not in targets and (project.root / package).is_dir():
                orphans.append(package.as_posix())
    return sorted(orphans)
