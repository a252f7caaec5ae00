"""Turn uv.lock and poetry.lock into requirements with hashes, by the tools that wrote them."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from automation.building import dependencies
from automation.building.requirements import POETRY_LOCK
from automation.system import files, processes, tools
from automation.system.errors import ConfigurationError, ToolError

_PUBLIC_HOST = "pypi.org"  # of the index that uv asks by itself


def export_uv(folder: Path, lock: Path) -> str:
    """Return what a uv.lock installs for a project: no development groups, and not the project itself.

    Args:
        lock: the folder's own, or that of its workspace.

    Raises:
        ConfigurationError: the lock cannot be parsed.
        ToolError: uv cannot read the lock.
    """
    argv: list[str | Path] = [tools.uv_program(), "export", "--frozen", "--offline", "--no-python-downloads", "--quiet"]
    argv += ["--no-emit-project", "--no-default-groups", "--no-editable", "--no-header", "--no-annotate"]
    argv += ["--format", "requirements.txt", "--python", sys.executable]
    env = processes.environment(without=("VIRTUAL_ENV", "UV_PROJECT", "UV_WORKING_DIRECTORY"))
    finished = processes.run(argv, cwd=folder, env=env, check=False)
    if finished.exit_code:
        message = f"uv cannot export the lock: {_shorten(finished.stderr)}; run uv lock --directory"
        shown = files.display_path(folder)
        raise ToolError(f"{message} {shown}", where=shown)
    return "".join([*_indexes(lock), finished.stdout])


def export_poetry(folder: Path, root: Path) -> str:
    """Return what a folder's poetry.lock installs: the main group, without the project.

    Raises:
        ConfigurationError: there is no lock of Poetry's own environment.
        ToolError: Poetry could not be installed, or refuses the lock.
    """
    shown = files.display_path(folder)
    if not tools.lock_file(root, "poetry").is_file():
        message = "copy locks/poetry.txt from where automation/ came, or run poetry export --output requirements.txt -C"
        raise ConfigurationError(f"{message} {shown}", where=f"{shown}/{POETRY_LOCK}")

    program = tools.ensure("poetry", root=root).program("poetry")
    argv: list[str | Path] = [program, "export", "--format", "requirements.txt", "--no-interaction", "--no-ansi"]
    env = processes.environment({"POETRY_VIRTUALENVS_CREATE": "false"}, without=("VIRTUAL_ENV", "PYTHONPATH"))
    finished = processes.run(argv, cwd=folder, env=env, check=False)
    if finished.exit_code:
        message = f"poetry cannot export the lock: {_shorten(finished.stderr)}; run poetry lock -C {shown}"
        raise ToolError(message, where=f"{shown}/{POETRY_LOCK}")
    return finished.stdout


def _indexes(lock: Path) -> list[str]:
    """Return the lines for the indexes that a lock names, because the export names none."""
    sources = (package.get("source", {}).get("registry", "") for package in dependencies.load(lock).get("package", ()))
    names = sorted({name for name in sources if name and urlsplit(name).hostname != _PUBLIC_HOST})
    return [f"{'--extra-index-url' if '://' in name else '--find-links'} {name}\n" for name in names]


def _shorten(stderr: str) -> str:
    return " ".join(stderr.split()).removeprefix("error: ").rstrip(".")
