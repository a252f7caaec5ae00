"""The files of a code folder that an artifact is made of: the same list is fingerprinted and copied."""

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
        ".tools",
        ".tox",
    }
    | {".sandbox", ".venv", "__pycache__", "node_modules"}
)
_NEVER_SHIPPED = frozenset({REQUIREMENTS, "requirements.in", ".gitignore", ".DS_Store"})
_INCLUDE = re.compile(r"^(?:-r|--requirement|-c|--constraint)[ =]*(?P<path>\S+)")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its place in the folder, and where its bytes are: a symbolic link is followed."""

    name: str
    path: Path

    @property
    def is_program(self) -> bool:
        return bool(self.path.stat().st_mode & 0o111)


def of_folder(folder: Path, *, called: str) -> tuple[SourceFile, ...]:
    """Every file to be shipped, sorted by name; caches, tools' folders and requirement files are left out.

    Args:
        called: how messages name the folder.

    Raises:
        ConfigurationError: a link leads nowhere or in a circle, or something is no file.
    """
    return tuple(sorted(_walk(folder, "", (folder.resolve(),), called), key=lambda one: one.name))


def copy(found: tuple[SourceFile, ...], target: Path) -> None:
    """Copy the files, modes 0644 or 0755, as the zip will have them."""
    for one in found:
        place = target / one.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one.path, place)
        place.chmod(0o755 if one.is_program else 0o644)


def lock_files(lock: Path) -> tuple[Path, ...]:
    """A requirement file and all that it includes.

    Raises:
        ConfigurationError: an include does not exist.
    """
    found: list[Path] = []
    waiting = [lock]
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in {one.resolve() for one in found}:
            continue
        found.append(path)
        for number, line in requirement_lines(path):
            if match := _INCLUDE.match(line):
                included = path.parent / match["path"]
                if not included.is_file():
                    raise ConfigurationError(f"{match['path']} does not exist", where=f"{files.called(path)}:{number}")
                waiting.append(included)
    return tuple(found)


def requirement_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers: continuations joined, comments and blanks left out.

    Raises:
        ConfigurationError: the file cannot be read as text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=files.called(path)) from cause
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


def _walk(folder: Path, prefix: str, inside: tuple[Path, ...], called: str) -> Iterator[SourceFile]:
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        name, path = prefix + entry.name, Path(entry.path)
        if entry.is_dir():
            real = path.resolve()
            if real in inside:
                raise ConfigurationError("links to a folder that it is in", where=f"{called}/{name}")
            if entry.name not in _NEVER_ENTERED:
                yield from _walk(path, f"{name}/", (*inside, real), called)
        elif entry.is_file():
            if entry.name not in _NEVER_SHIPPED and not entry.name.endswith((".pyc", ".pyo")):
                yield SourceFile(name, path)
        elif entry.is_symlink():
            raise ConfigurationError(
                f"links to {files.read_link(path)}, which does not exist", where=f"{called}/{name}"
            )
        else:
            raise ConfigurationError("is no regular file, and cannot be shipped", where=f"{called}/{name}")
