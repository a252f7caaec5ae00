"""Whether the artifacts are what their sources would make now."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from automation.building import sources
from automation.proof import finder
from automation.proof.model import Subject
from automation.proof.origins import Origin
from automation.system.errors import ConfigurationError

_MODULES = "python"
# Never asked for by name on Lambda, or left out by one builder or the other.
_UNREAD = frozenset({".py", ".pyc", ".pyi", ".so", ".md", ".rst"})


def left_out(subject: Subject) -> Iterator[tuple[Path, str]]:
    """The data files of the source folders that are in no artifact: where each would be, and its source."""
    for origin in subject.origins.trees:
        for name in _own(subject, origin):
            hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
            places = _places(origin, name)
            if not hidden and PurePosixPath(name).suffix not in _UNREAD and not any(one.is_file() for one in places):
                yield places[0], str(origin.folder / name)


def outdated(subject: Subject) -> tuple[str, ...]:
    """The sources that are not what was built of them, relative to the root."""
    found = {
        str(source)
        for origin in subject.origins.trees
        for name in _own(subject, origin)
        for built in _places(origin, name)
        if built.is_file() and (source := subject.origins.source(built)) is not None
        if (subject.project.root / source).read_bytes() != built.read_bytes()
    }
    return tuple(sorted(found))


def _own(subject: Subject, origin: Origin) -> list[str]:
    """The files of a source folder that no installer put there; none where the folder is built in a way of its own."""
    folder = subject.project.root / origin.folder
    if not folder.is_dir() or not _is_copied(subject, origin):
        return []
    installed = finder.distributed(folder) | finder.distributed(folder / _MODULES)
    try:
        names = [one.name for one in sources.of_folder(folder, called=str(origin.folder))]
    except ConfigurationError:
        return []
    return [name for name in names if not installed & set(PurePosixPath(name.removeprefix(f"{_MODULES}/")).parts[:1])]


def _is_copied(subject: Subject, origin: Origin) -> bool:
    """A Makefile or a bundler makes what it likes of a folder."""
    for stack in subject.project.stacks:
        resource = stack.template.resources.get(origin.owner, {})
        if stack.name == origin.stack:
            method = (resource.get("Metadata") or {}).get("BuildMethod", "python")
            return isinstance(method, str) and method.startswith("python")
    return False


def _places(origin: Origin, name: str) -> list[Path]:
    return [origin.tree / _MODULES / name, origin.tree / name] if origin.is_layer else [origin.tree / name]
