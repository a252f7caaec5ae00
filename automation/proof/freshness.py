"""Compare the artifacts with their sources: data files left out, and sources changed since the build."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from automation.building import artifacts, dependencies, manifests, sources
from automation.building.artifacts import Artifact
from automation.building.requirements import LOCKS, REQUIREMENTS, UV_LOCK
from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project.model import Function, Layer
from automation.proof import finder
from automation.proof.model import Subject
from automation.proof.origins import Origin
from automation.system.errors import ConfigurationError

# Not opened by name on Lambda, or left out by one of the builders.
_UNREAD = frozenset({".py", ".pyc", ".pyi", ".so", ".md", ".rst"})


def left_out(subject: Subject) -> Iterator[tuple[Path, str]]:
    """Yield each data file of the source folders that is missing in its artifact: its built path and its source."""
    for origin in subject.origins.trees:
        for name in _own_files(subject, origin):
            is_hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
            is_data = not is_hidden and PurePosixPath(name).suffix not in _UNREAD
            paths = _built_paths(origin, name)
            if is_data and not any(path.is_file() for path in paths):
                yield paths[0], str(origin.folder / name)


def outdated(subject: Subject) -> tuple[str, ...]:
    """Return the sources that differ from what was built from them, relative to the root."""
    outdated_sources = set(_outdated_requirements(subject))
    for origin in subject.origins.trees:
        for name in _own_files(subject, origin):
            for built in _built_paths(origin, name):
                source = subject.origins.source_of(built) if built.is_file() else None
                if source is not None and (subject.project.root / source).read_bytes() != built.read_bytes():
                    outdated_sources.add(str(source))
    return tuple(sorted(outdated_sources))


def compared(subject: Subject) -> tuple[str, ...]:
    """Return the files and folders that `outdated` reads, relative to the root; empty when they cannot be known."""
    root = subject.project.root
    paths = {str(origin.folder) for origin in subject.origins.trees} | {UV_LOCK, subject.project.settings.package}
    for stack in subject.project.stacks:
        paths.add(str(manifests.path_of(root, stack.name).relative_to(root)))
        for artifact in artifacts.of_stack(stack, root, on_failure=lambda *_: None):
            paths.add(artifact.folder)
            try:
                locks = dependencies.lock_files(artifact.lock, root) if artifact.lock else ()
            except ConfigurationError:
                return ()
            paths |= {os.path.relpath(lock, root) for lock in locks}
    return tuple(paths - {""})


def _outdated_requirements(subject: Subject) -> Iterator[str]:
    """Yield the files that decide what is installed and are not as the last build read them."""
    root = subject.project.root
    for stack in subject.project.stacks:
        built = manifests.read(root, stack.name).artifacts
        for artifact in artifacts.of_stack(stack, root, on_failure=lambda *_: None):
            if artifact.logical_id in built:
                changed = _changed_requirements(artifact, built[artifact.logical_id].ingredients.files)
                yield from (os.path.relpath(artifact.source / name, root) for name in changed)


def _changed_requirements(artifact: Artifact, before: Mapping[str, str]) -> set[str]:
    try:
        now = artifacts.locked_files(artifact)
    except ConfigurationError:
        return {artifact.lock.name} if artifact.lock else set()
    removed = {name for name in (REQUIREMENTS, *LOCKS) if name in before and name not in now}
    return removed | {name for name, digest in now.items() if before.get(name) != digest}


def _own_files(subject: Subject, origin: Origin) -> list[str]:
    """Return the files of a source folder that no installer put there; empty when a custom build makes its artifact."""
    folder, owner = subject.project.root / origin.folder, _owner(subject, origin)
    if not folder.is_dir() or owner is None or not _is_copied(owner):
        return []
    if isinstance(owner, Function) and (subject.project.root / str(owner.code_uri)).is_file():
        return [PurePosixPath(str(owner.code_uri)).name]

    installed = finder.installed_names(folder) | finder.installed_names(folder / LAYER_MODULES)
    try:
        names = [file.name for file in sources.list_files(folder, display_name=str(origin.folder))]
    except ConfigurationError:
        return []
    return [
        name for name in names if not installed & set(PurePosixPath(name.removeprefix(f"{LAYER_MODULES}/")).parts[:1])
    ]


def _owner(subject: Subject, origin: Origin) -> Function | Layer | None:
    for stack in subject.project.stacks:
        if stack.name == origin.stack:
            return next((owner for owner in stack.owners if owner.logical_id == origin.owner), None)
    return None


def _is_copied(owner: Function | Layer) -> bool:
    """Return whether the build copies a folder; with a Makefile or a bundler its artifact may hold anything."""
    method = owner.metadata.get("BuildMethod", "python")
    return isinstance(method, str) and method.startswith("python")


def _built_paths(origin: Origin, name: str) -> list[Path]:
    paths = [origin.tree / origin.modules / name]
    return [*paths, origin.tree / name] if origin.is_layer else paths
