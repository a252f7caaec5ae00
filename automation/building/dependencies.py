"""Find the file that says what is installed into an artifact, and everything else on this disk that it depends on.

It is requirements.txt, as for SAM. Where there is none: uv.lock, pylock.toml or poetry.lock. A member of a uv workspace
has its pyproject.toml, because the workspace has the lock.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from automation.building import requirements, sources
from automation.building.requirements import LOCKS, POETRY_LOCK, PYLOCK, PYPROJECT, REQUIREMENTS, UV_LOCK
from automation.system import files
from automation.system.errors import ConfigurationError

_LEFT_BY_BUILDS = frozenset({"build", "dist"})
_UNREAD = ("Pipfile.lock", "pdm.lock")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATORS = re.compile(r"[-_.]+")


def of_folder(folder: Path, root: Path, *, takes_pyproject: bool = False) -> Path | None:
    """Return the file that lists what to install into the artifact of a code folder; None when there is none.

    Args:
        root: the project root, the topmost folder that is searched for a workspace.
        takes_pyproject: SAM's `BuildMethod: python-uv`, for which a pyproject.toml is enough.
    """
    names = [REQUIREMENTS, *LOCKS, *([PYPROJECT] if takes_pyproject else [])]
    for name in names:
        if (folder / name).is_file() and (name != UV_LOCK or (folder / PYPROJECT).is_file()):
            return folder / name
    pyproject = folder / PYPROJECT
    return pyproject if pyproject.is_file() and workspace_lock(folder, root) else None


def unread(folder: Path, root: Path) -> str:
    """Return a file of a code folder that lists requirements in vain, and what to do; empty when there is none."""
    for name in _UNREAD:
        if (folder / name).is_file():
            return f"{name} is not read, by sam build neither; write its requirements to {REQUIREMENTS}"
    if folder.resolve() != root.resolve() and _lists_dependencies(folder / PYPROJECT):
        return f"{PYPROJECT} lists dependencies, but has no lock; run uv lock --directory {files.display_path(folder)}"
    return ""


def lock_files(lock: Path, root: Path) -> tuple[Path, ...]:
    """Return the files whose lines or entries decide what is installed, the given one first.

    Raises:
        ConfigurationError: a requirement file cannot be read, or one that it includes does not exist.
    """
    if lock.name == REQUIREMENTS:
        return requirements.included_files(lock, root)
    workspace = workspace_lock(lock.parent, root) if lock.name == PYPROJECT else None
    beside = () if lock.name in {PYLOCK, PYPROJECT} else (lock.with_name(PYPROJECT),)
    of_workspace = (workspace, workspace.with_name(PYPROJECT)) if workspace else ()
    return (lock, *(path for path in (*beside, *of_workspace) if path.is_file()))


def local_paths(lock: Path, root: Path) -> tuple[Path, ...]:
    """Return the folders and archives on this disk that are installed, and the folders that those name, each once.

    Raises:
        ConfigurationError: a file cannot be read or parsed, or a path in it does not exist.
    """
    paths: dict[Path, None] = {}
    waiting = list(_named_paths(lock, root))
    while waiting:
        path = waiting.pop(0)
        if path not in paths:
            paths[path] = None
            waiting += _sources(path) if path.is_dir() else ()
    return tuple(paths)


def digests(lock: Path, root: Path) -> dict[Path, str]:
    """Return the digest of every file that decides what is installed; comments in requirement files do not count.

    Raises:
        ConfigurationError: as `lock_files` and `local_paths`.
    """
    digests = {path: _digest_of_lock(path) for path in lock_files(lock, root)}
    for path in local_paths(lock, root):
        for file in files_of(path) if path.is_dir() else (path,):
            digests[file] = files.digest(file.read_bytes())
    return digests


def lacking(folder: Path, uv_lock: Path) -> tuple[str, ...]:
    """Return the names that the pyproject.toml of a folder requires and its uv.lock does not know, as written there.

    Raises:
        ConfigurationError: a file cannot be parsed.
    """
    project = _table(folder / PYPROJECT, "project")
    own = next((entry for entry in load(uv_lock).get("package", ()) if entry["name"] == _own_name(folder)), None)
    if own is None:
        return ()
    locked = [*own.get("dependencies", ()), *own.get("metadata", {}).get("requires-dist", ())]
    known = {entry["name"] for entry in locked}
    names = [_NAME.match(text) for text in project.get("dependencies", ())]
    return tuple(dict.fromkeys(name[0] for name in names if name and _normalized(name[0]) not in known))


def is_all_in_files(lock: Path, root: Path) -> bool:
    """Return whether the lines alone decide what is installed: no path on this disk and no environment variable."""
    if lock.name != REQUIREMENTS:
        return not local_paths(lock, root)
    has_variables = any("${" in requirements.decode(file.read_bytes()) for file in lock_files(lock, root))
    return not has_variables and not local_paths(lock, root)


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files that a package may be built from; what tools and earlier builds left there is not among them.

    Links to folders are followed, except into a circle.
    """
    for name, folders, names in os.walk(folder, followlinks=True):
        parent = Path(name)
        folders[:] = [inner for inner in sorted(folders) if _is_built_from(parent / inner, folder)]
        for inner in sorted(names):
            if not inner.endswith((".pyc", ".pyo")) and (parent / inner).is_file():
                yield parent / inner


def _is_built_from(path: Path, top: Path) -> bool:
    is_left_over = path.parent == top and (path.name in _LEFT_BY_BUILDS or path.suffix == ".egg-info")
    if is_left_over or sources.is_of_tool(path):
        return False
    if not path.is_symlink():
        return True
    return path.resolve() not in {parent.resolve() for parent in path.parents if parent.is_relative_to(top)}


def workspace_lock(folder: Path, root: Path) -> Path | None:
    """Return the uv.lock of the workspace that a folder is a member of; None when it is in none."""
    top = root.resolve()
    for parent in folder.resolve().parents:
        lock = parent / UV_LOCK
        if lock.is_file() and _is_member(folder.resolve(), parent):
            return lock
        if parent == top or not parent.is_relative_to(top):
            break
    return None


def _lists_dependencies(pyproject: Path) -> bool:
    try:
        return bool(_table(pyproject, "project").get("dependencies"))
    except ConfigurationError:
        return False  # nothing reads this file, so its faults do not matter


def _is_member(folder: Path, parent: Path) -> bool:
    workspace = _table(parent / PYPROJECT, "tool").get("uv", {}).get("workspace", {})
    relative = folder.relative_to(parent).as_posix()
    members, excluded = workspace.get("members", ()), workspace.get("exclude", ())
    return any(fnmatch(relative, name.rstrip("/")) for name in members) and not any(
        fnmatch(relative, name.rstrip("/")) for name in excluded
    )


def _digest_of_lock(path: Path) -> str:
    if path.suffix in {".toml", ".lock"}:
        return files.digest(path.read_bytes())
    # Options may hold a password of an index, which changes without changing what is installed.
    texts = (line if line.startswith("-") else requirements.expand(line) for _, line in requirements.lines(path))
    return files.digest_of(texts)


def _named_paths(lock: Path, root: Path) -> Iterator[Path]:
    """Yield the paths that a file names itself."""
    if lock.name == REQUIREMENTS:
        yield from (named.path for named in requirements.read(lock, root) if named.path)
        return
    if lock.name == PYPROJECT:
        workspace = workspace_lock(lock.parent, root)
        yield from _of_uv_lock(workspace, lock.parent) if workspace else _sources(lock.parent)
    elif lock.name == UV_LOCK:
        yield from _of_uv_lock(lock, lock.parent)
    elif lock.name == POETRY_LOCK:
        places = (package.get("source", {}) for package in load(lock).get("package", ()))
        names = (source["url"] for source in places if source.get("type") in {"directory", "file"})
        yield from _resolved(names, lock.parent)
    else:
        folders = (package.get("directory", {}).get("path") for package in load(lock).get("packages", ()))
        yield from _resolved((name for name in folders if name), lock.parent)


def _of_uv_lock(lock: Path, folder: Path) -> Iterator[Path]:
    """Yield the folders that a project of a uv.lock needs, directly or through its dependencies."""
    packages = {package["name"]: package for package in load(lock).get("package", ())}
    name = _own_name(folder)
    waiting, seen = [name], {name}
    while waiting:
        package = packages.get(waiting.pop(0), {})
        for needed in package.get("dependencies", ()):
            if needed["name"] not in seen:
                seen.add(needed["name"])
                waiting.append(needed["name"])
    for needed in sorted(seen - {name}):
        source = packages.get(needed, {}).get("source", {})
        path = source.get("editable") or source.get("directory") or source.get("path")
        yield from _resolved([path] if path else [], lock.parent)


def _own_name(folder: Path) -> str:
    return _normalized(str(_table(folder / PYPROJECT, "project").get("name", "")))


def _normalized(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()


def _sources(folder: Path) -> Iterator[Path]:
    """Yield the folders that the pyproject.toml of a folder names as sources of its own dependencies."""
    tool = _table(folder / PYPROJECT, "tool")
    poetry = tool.get("poetry", {}).get("dependencies", {})
    for table in (tool.get("uv", {}).get("sources", {}), poetry):
        entries = (entry.get("path") for entry in table.values() if isinstance(entry, dict))
        yield from _resolved((path for path in entries if path), folder)


def _resolved(names: Iterable[str], folder: Path) -> Iterator[Path]:
    for name in names:
        path = (folder / name).resolve()
        if not path.exists():
            message = f"{name} does not exist, but a lock or pyproject.toml here names it; correct the path"
            raise ConfigurationError(message, where=files.display_path(folder))
        yield path


def _table(path: Path, name: str) -> Mapping[str, Any]:
    table = load(path).get(name, {}) if path.is_file() else {}
    return table if isinstance(table, dict) else {}


def load(path: Path) -> Mapping[str, Any]:
    """Return the content of a lock or of a pyproject.toml.

    Raises:
        ConfigurationError: it cannot be parsed.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise ConfigurationError(f"cannot be parsed: {cause}", where=files.display_path(path)) from cause
