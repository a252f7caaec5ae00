"""List the files of a code folder that belong in an artifact: the same list is fingerprinted and copied."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.building.requirements import LOCKS, REQUIREMENTS, REQUIREMENTS_IN
from automation.project import sam_configuration
from automation.system import files
from automation.system.errors import ConfigurationError

CACHES = frozenset(
    {
        ".alchemiser",
        ".aws-sam",
        ".cache",
        ".git",
        ".hypothesis",
        ".import_linter_cache",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".sandbox",
        ".tools",
        ".tox",
        "__pycache__",
    }
)
# Folders and files of tools, which no function reads. SAM leaves out most of them too, by the same names.
_FOLDERS_OF_TOOLS = frozenset({".chalice", ".idea", ".venv", ".vscode", "htmlcov", "node_modules"})
_FILES_OF_TOOLS = frozenset({".coverage", ".env", ".python-version", *sam_configuration.NAMES})
NEVER_SHIPPED = frozenset({REQUIREMENTS, REQUIREMENTS_IN, *LOCKS, ".gitignore", ".DS_Store"})
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
_AUTOMATION = Path(__file__).resolve().parents[1]
_OWN_FOLDERS = frozenset({_AUTOMATION.name, "locks"})
_OWN_FILES = frozenset({"noxfile.py", "tasks.py"})
_IMPORT_OF_TOOL = re.compile(rf"^(?:from|import)\s+(?:{_AUTOMATION.name}|nox)\b", re.MULTILINE)


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
        return files.is_program(self.path)


def list_files(folder: Path, *, display_name: str) -> tuple[SourceFile, ...]:
    """Return every file to ship, sorted by name; caches, folders of tools and requirement files are left out.

    Args:
        folder: a code folder, or the one file that is the code.
        display_name: the name of the folder in messages.

    Raises:
        ConfigurationError: a link leads nowhere or in a circle, or an entry is neither a file nor a folder.
    """
    if folder.is_file():
        return (SourceFile(folder.name, folder),)
    return tuple(sorted(_walk(folder, "", (folder.resolve(),), display_name), key=lambda file: file.name))


def left_out(folder: Path) -> tuple[str, ...]:
    """Return what of a code folder is a tool's and is not shipped, such as `.venv/`; caches are not worth a word."""
    names = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and path.name not in CACHES and (_is_of_tool(path) or (path / _VIRTUAL_ENVIRONMENT).exists()):
            names.append(f"{path.name}/")
        elif path.is_file() and _is_file_of_tool(path.name, path):
            names.append(path.name)
    return tuple(names)


def is_of_tool(folder: Path) -> bool:
    """Return whether a folder is a cache, a virtual environment, or belongs to a tool."""
    return folder.name in CACHES or _is_of_tool(folder) or (folder / _VIRTUAL_ENVIRONMENT).exists()


def copy_files(source_files: tuple[SourceFile, ...], target: Path) -> None:
    """Copy the files with the modes that the zip has: 0644 or 0755.

    An installed file with the same name is replaced, because other trees may have the same file under a hard link.
    """
    for file in source_files:
        path = target / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        shutil.copyfile(file.path, path)
        path.chmod(0o755 if file.is_program else 0o644)


def _walk(folder: Path, prefix: str, parents: tuple[Path, ...], display_name: str) -> Iterator[SourceFile]:
    """Yield the files below a folder. `parents` are the resolved folders above each entry: they reveal circles."""
    with os.scandir(folder) as iterator:
        entries = list(iterator)
    if prefix and any(entry.name == _VIRTUAL_ENVIRONMENT for entry in entries):
        return

    for entry in entries:
        name, path = prefix + entry.name, Path(entry.path)
        if entry.is_dir():
            if entry.name not in CACHES and not _is_of_tool(path):
                is_link = entry.is_symlink() or entry.is_junction()
                resolved = path.resolve() if is_link else parents[-1] / entry.name
                if resolved in parents:
                    raise ConfigurationError("links to a folder that contains it", where=f"{display_name}/{name}")
                yield from _walk(path, f"{name}/", (*parents, resolved), display_name)
        elif entry.is_file():
            is_cache = entry.name in NEVER_SHIPPED or entry.name.endswith((".pyc", ".pyo"))
            if not is_cache and not _is_file_of_tool(name, path):
                yield SourceFile(name, path)
        else:
            raise ConfigurationError(_why_not_shipped(entry), where=f"{display_name}/{name}")


def _is_of_tool(folder: Path) -> bool:
    """Return whether a folder belongs to a tool: this automation, copied beside a template, and its locks do too."""
    if folder.name in _OWN_FOLDERS:
        return folder.resolve() in {_AUTOMATION, _AUTOMATION.with_name("locks")}
    return folder.name in _FOLDERS_OF_TOOLS or folder.suffix == ".egg-info"


def _is_file_of_tool(name: str, path: Path) -> bool:
    """Return whether a file belongs to a tool; at the top of the folder the tasks of nox and of this automation do."""
    if name in _OWN_FILES:
        return _IMPORT_OF_TOOL.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    return name.rpartition("/")[2] in _FILES_OF_TOOLS


def _why_not_shipped(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"links to {files.read_link(Path(entry.path))}, which does not exist"
    return "is neither a file nor a folder, so it cannot be shipped; move it out of the code folder"
