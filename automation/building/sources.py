"""List the files of a code folder that belong in an artifact: the same list is fingerprinted and copied."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.system import files
from automation.system.errors import ConfigurationError

REQUIREMENTS = "requirements.txt"
_NEVER_ENTERED = frozenset(
    {
        ".alchemiser",
        ".aws-sam",
        ".git",
        ".hypothesis",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".sandbox",
        ".tools",
        ".tox",
        ".venv",
        "__pycache__",
        "node_modules",
    }
)
_NEVER_SHIPPED = frozenset({REQUIREMENTS, "requirements.in", ".gitignore", ".DS_Store"})
_INCLUDE = re.compile(r"^(?:-r|--requirement|-c|--constraint)[ =]*(?P<path>\S+)")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a code folder.

    Attributes:
        name: its path in the folder.
        path: where its bytes are; differs from its place in the folder when a symbolic link leads there.
    """

    name: str
    path: Path

    @property
    def is_program(self) -> bool:
        return bool(self.path.stat().st_mode & 0o111)


def list_files(folder: Path, *, display_name: str) -> tuple[SourceFile, ...]:
    """Return every file to ship, sorted by name; caches, folders of tools and requirement files are left out.

    Args:
        display_name: the name of the folder in messages.

    Raises:
        ConfigurationError: a link leads nowhere or in a circle, or an entry is neither a file nor a folder.
    """
    return tuple(sorted(_walk(folder, "", (folder.resolve(),), display_name), key=lambda file: file.name))


def copy_files(source_files: tuple[SourceFile, ...], target: Path) -> None:
    """Copy the files with the modes that the zip has: 0644 or 0755."""
    for file in source_files:
        path = target / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, path)
        path.chmod(0o755 if file.is_program else 0o644)


def lock_files(lock: Path) -> tuple[Path, ...]:
    """Return a requirement file and every file that it includes, each once.

    Raises:
        ConfigurationError: an included file does not exist.
    """
    paths: list[Path] = []
    waiting = [lock]
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in {known.resolve() for known in paths}:
            continue

        paths.append(path)
        for number, line in requirement_lines(path):
            if match := _INCLUDE.match(line):
                included = path.parent / match["path"]
                if not included.is_file():
                    where = f"{files.display_path(path)}:{number}"
                    raise ConfigurationError(f"{match['path']} does not exist", where=where)
                waiting.append(included)
    return tuple(paths)


def requirement_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a requirement file with their numbers: continuations joined, comments and blanks left out.

    Raises:
        ConfigurationError: the file cannot be read as text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=files.display_path(path)) from cause

    joined, start = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = (_COMMENT.sub("", raw) if "#" in raw else raw).strip()
        start = start if joined else number
        joined += line.removesuffix("\\")
        if not line.endswith("\\") and joined:
            yield start, " ".join(joined.split())
            joined = ""
    if joined:
        yield start, " ".join(joined.split())


def _walk(folder: Path, prefix: str, parents: tuple[Path, ...], display_name: str) -> Iterator[SourceFile]:
    """Yield the files below a folder. `parents` are the resolved folders above each entry: they reveal circles."""
    with os.scandir(folder) as iterator:
        entries = list(iterator)
    for entry in entries:
        name, path = prefix + entry.name, Path(entry.path)
        if entry.is_dir():
            resolved = path.resolve()
            if resolved in parents:
                raise ConfigurationError("links to a folder that contains it", where=f"{display_name}/{name}")
            if entry.name not in _NEVER_ENTERED:
                yield from _walk(path, f"{name}/", (*parents, resolved), display_name)
        elif entry.is_file():
            if entry.name not in _NEVER_SHIPPED and not entry.name.endswith((".pyc", ".pyo")):
                yield SourceFile(name, path)
        else:
            raise ConfigurationError(_why_not_shipped(entry), where=f"{display_name}/{name}")


def _why_not_shipped(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"links to {files.read_link(Path(entry.path))}, which does not exist"
    return "is neither a file nor a folder, so it cannot be shipped; move it out of the code folder"
