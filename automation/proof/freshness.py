"""Compare the artifacts with their sources: data files left out, and sources changed since the build."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from automation.building import sources
from automation.lambda_runtime.paths import LAYER_MODULES
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
    outdated_sources: set[str] = set()
    for origin in subject.origins.trees:
        for name in _own_files(subject, origin):
            for built in _built_paths(origin, name):
                source = subject.origins.source_of(built) if built.is_file() else None
                if source is not None and (subject.project.root / source).read_bytes() != built.read_bytes():
                    outdated_sources.add(str(source))
    return tuple(sorted(outdated_sources))


def _own_files(subject: Subject, origin: Origin) -> list[str]:
    """Return the files of a source folder that no installer put there; empty when a custom build makes its artifact."""
    folder = subject.project.root / origin.folder
    if not folder.is_dir() or not _is_copied(subject, origin):
        return []

    installed = finder.installed_names(folder) | finder.installed_names(folder / LAYER_MODULES)
    try:
        names = [file.name for file in sources.list_files(folder, display_name=str(origin.folder))]
    except ConfigurationError:
        return []
    return [
        name for name in names if not installed & set(PurePosixPath(name.removeprefix(f"{LAYER_MODULES}/")).parts[:1])
    ]


def _is_copied(subject: Subject, origin: Origin) -> bool:
    """Return whether the build copies a folder; with a Makefile or a bundler its artifact may hold anything."""
    for stack in subject.project.stacks:
        owner = next((owner for owner in stack.owners if owner.logical_id == origin.owner), None)
        if stack.name == origin.stack and owner is not None:
            method = owner.metadata.get("BuildMethod", "python")
            return isinstance(method, str) and method.startswith("python")
    return False


def _built_paths(origin: Origin, name: str) -> list[Path]:
    paths = [origin.tree / origin.modules / name]
    return [*paths, origin.tree / name] if origin.is_layer else paths
