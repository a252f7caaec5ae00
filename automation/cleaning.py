"""`inv clean`: remove what the automation generated. Tools under `.tools/` and the sandbox's state stay."""

from pathlib import Path, PurePath

from automation.building import source_copies
from automation.operating import saved_letters
from automation.project.model import Project
from automation.system import files
from automation.system.errors import ConfigurationError

_CACHES = (
    ".coverage",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
)


def plan(project: Project, *, everything: bool = False) -> tuple[str, ...]:
    """Return what `clean` would remove, relative to the project root: generated trees and artifacts.

    Args:
        everything: include the tools' caches and nox's environments.

    Raises:
        ConfigurationError: a template or setting names a folder that does not lie inside the project.
    """
    generated = [tree.target for tree in source_copies.trees(project)]
    builds = [stack.build_dir for stack in project.stacks]
    candidates = [*generated, *builds, ".aws-sam", *_own_files(project.root), *(_CACHES if everything else ())]

    # Templates and settings may name any folder; only what lies inside the project is ours to delete.
    root = project.root.resolve()
    for name in candidates:
        if root not in (root / name).resolve().parents:
            raise ConfigurationError("is not a folder inside the project; remove it by hand", where=name)

    present = {name for name in candidates if (project.root / name).exists()}
    return tuple(sorted(name for name in present if present.isdisjoint(map(str, PurePath(name).parents))))


def clean(project: Project, *, everything: bool = False) -> tuple[str, ...]:
    """Remove what `plan` returns, and return it.

    Raises:
        ConfigurationError: as `plan`.
    """
    removed = plan(project, everything=everything)
    for name in removed:
        files.remove(project.root / name)
    if everything:
        _remove_bytecode(project.root)
    return removed


def _own_files(root: Path) -> list[str]:
    """Return what the automation has written for itself; the messages that `inv dlq.drop` saved are the only copy."""
    saved = root / saved_letters.FOLDER
    if not saved.exists():
        return [saved_letters.FOLDER.parent.name]
    kept = {saved.name, ".gitignore"}  # which keeps these messages out of commits
    return [path.relative_to(root).as_posix() for path in saved.parent.iterdir() if path.name not in kept]


def _remove_bytecode(root: Path) -> None:
    for folder in sorted(root.glob("*")):
        if folder.is_dir() and not folder.name.startswith("."):
            for cache in list(folder.rglob("__pycache__")):
                files.remove(cache)
