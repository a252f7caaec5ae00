"""Which folders and files decide what code a build makes, for a program that waits for their edits."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from automation.building import artifacts, dependencies, sources
from automation.project import model, sam_configuration
from automation.project.model import Project
from automation.project.settings import PYPROJECT
from automation.system import files
from automation.system.errors import ConfigurationError

_OF_EDITORS = (".swp", ".swx", ".tmp", "~")


def folders(project: Project) -> tuple[Path, ...]:
    """Return the folders of the project's own code, none inside another one; what sync generates is left out.

    Of a code folder that is the project itself, these are the subfolders that do not belong to tools.
    """
    root, package = project.root.resolve(), project.settings.package
    wanted = {root / package} if package else set()
    for artifact in chain.from_iterable(_artifacts(project)):
        folder = artifact.source.resolve() if artifact.source.is_dir() else artifact.source.resolve().parent
        if folder == root:
            wanted |= {entry for entry in root.iterdir() if entry.is_dir() and not sources.is_of_tool(entry)}
        elif not (package and (folder / package).is_dir()):  # sync puts the package into the folders that it fills
            wanted.add(folder)
    existing = {folder for folder in wanted if folder.is_dir()}
    return tuple(sorted(folder for folder in existing if not existing & set(folder.parents)))


def is_of_interest(path: Path, root: Path) -> bool:
    """Return whether an edit of a file may change what is built; the build itself decides for certain."""
    inside = path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else path
    if path.suffix in {".pyc", ".pyo"} or path.name.startswith((".#", "4913")) or path.name.endswith(_OF_EDITORS):
        return False
    return not any(part in sources.CACHES for part in inside.parts)


def settings(project: Project) -> dict[str, str]:
    """Return the signature of each file that decides how code is built and deployed, by its path from the root.

    These are the templates, the configuration and the locks; of a code folder that is the project itself, its files.
    """
    root = project.root
    paths = {root / name for name in (PYPROJECT, *sam_configuration.NAMES, *model.TEMPLATES)}
    paths |= {root / stack.template.path for stack in project.stacks}
    for artifact in chain.from_iterable(_artifacts(project)):
        paths |= set(_locks(artifact))
        if artifact.source.resolve() == root.resolve():
            paths |= {path for path in root.iterdir() if path.is_file()}
    return {path.relative_to(root).as_posix(): files.signature(path) for path in paths if path.is_file()}


def _locks(artifact: artifacts.Artifact) -> Iterator[Path]:
    if artifact.lock is None:
        return
    try:
        locked = dependencies.lock_files(artifact.lock, artifact.root)
    except ConfigurationError:  # the build reports it
        locked = (artifact.lock,)
    yield from (path for path in locked if path.is_relative_to(artifact.root))


def _artifacts(project: Project) -> Iterator[tuple[artifacts.Artifact, ...]]:
    for stack in project.stacks:
        yield artifacts.of_stack(stack, project.root, on_failure=lambda *_: None)
