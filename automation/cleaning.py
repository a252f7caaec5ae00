"""Remove what the automation made. Tools under `.tools/` and the sandbox's state stay."""

from pathlib import Path, PurePath

from automation.building import source_copies
from automation.project.model import Project
from automation.system import files
from automation.system.errors import ConfigurationError

_CACHES = (
    ".coverage",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
)


def plan(project: Project, *, everything: bool = False) -> tuple[str, ...]:
    """What `clean` would remove, relative to the project root: generated trees and artifacts.

    Args:
        everything: the caches of the tools and nox's environments too.

    Raises:
        ConfigurationError: a template names a folder outside the project as generated.
    """
    generated = [tree.target for tree in source_copies.trees(project)]
    builds = [stack.build_dir for stack in project.stacks]
    named = [*generated, *builds, ".aws-sam", ".alchemiser", *(_CACHES if everything else ()), *_nox(everything)]
    for name in named:
        if not (project.root / name).resolve().is_relative_to(project.root.resolve()):
            raise ConfigurationError("is outside the project; remove it by hand", where=name)
    there = {name for name in named if (project.root / name).exists()}
    return tuple(sorted(name for name in there if not any(str(parent) in there for parent in PurePath(name).parents)))


def clean(project: Project, *, everything: bool = False) -> tuple[str, ...]:
    """Remove it, and return what was removed."""
    removed = plan(project, everything=everything)
    for name in removed:
        files.remove(project.root / name)
    if everything:
        _remove_bytecode(project.root)
    return removed


def _nox(everything: bool) -> tuple[str, ...]:
    return (".nox",) if everything else ()


def _remove_bytecode(root: Path) -> None:
    for folder in sorted(root.glob("*")):
        if folder.is_dir() and not folder.name.startswith("."):
            for cache in list(folder.rglob("__pycache__")):
                files.remove(cache)
