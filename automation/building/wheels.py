"""Install requirements as the tree of an artifact, for a Python and an architecture that may differ from ours."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from automation.building import dependencies, local_packages, lock_exports, requirements, uv_inputs, uv_installs
from automation.building.requirements import (
    POETRY_LOCK,
    PYLOCK,
    PYPROJECT,
    REQUIREMENTS,
    REQUIREMENTS_IN,
    Kind,
    Requirement,
)
from automation.building.uv_installs import BuildFailedError, Installation
from automation.lambda_runtime.python_versions import is_amazon_linux_2023, with_patch
from automation.project.architectures import LINUX_MACHINES
from automation.system import console, files, tools
from automation.system.errors import ConfigurationError


def install(lock: Path, target: Path, *, root: Path, version: str, architecture: str) -> None:
    """Install what a file lists into a folder with uv, which needs no interpreter of that version.

    A file with hashes is a lock: nothing else is installed. What is not locked gets a warning. What has no wheel is
    built from its source, unless it needs a compiler.

    Args:
        lock: as `dependencies.of_folder` returns it.
        root: the project root, where relative paths start.
        version: of Python, `3.12`.
        architecture: as a template names it, `x86_64` or `arm64`.

    Raises:
        ConfigurationError: the architecture does not exist, or a line cannot be understood or installed.
        ToolError: a hash differs, something has neither a wheel for that target nor a pure source, or is damaged.
    """
    command: list[str | Path] = [tools.uv_program(), "pip", "install", "--target", target, "--link-mode", "copy"]
    command += ["--python-version", with_patch(version), "--python-platform", platform(version, architecture)]
    if lock.name == PYLOCK or _has_no_lock(lock, root):
        command += ["--preview-features", "pylock", "--python", uv_installs.interpreter(version, root)]
        _install_as_it_is(Installation(lock, target, root, command, version))
        return

    listed = requirements_of(lock, root)
    state = uv_inputs.judge(listed, files.display_path(lock), has_input=lock.with_name(REQUIREMENTS_IN).is_file())
    for warning in (*uv_inputs.check_options(listed), *(state.warnings if lock.name == REQUIREMENTS else ())):
        console.warning(warning)
    if all(line.kind is Kind.OPTION or line.is_constraint for line in listed):
        return
    command += ["--require-hashes"] if state.has_every_hash else []
    command += ["--no-deps"] if state.is_locked else []
    command += ["--no-sources"] if lock.name != REQUIREMENTS else []
    folders = [path for path in dependencies.local_paths(lock, root) if path.is_dir()]
    _install_listed(listed, folders, Installation(lock, target, root, command, version))


def platform(version: str, architecture: str) -> str:
    """Return uv's name of the platform whose wheels run on Lambda: `x86_64-manylinux_2_34` for python3.12 and later.

    Raises:
        ConfigurationError: the architecture does not exist.
    """
    if architecture not in LINUX_MACHINES:
        raise ConfigurationError(f"architecture {architecture} is not one of {', '.join(LINUX_MACHINES)}")
    # uv knows manylinux 2_17 and 2_34. Amazon Linux 2 has glibc 2.26: the older one is safe.
    manylinux = "manylinux_2_34" if is_amazon_linux_2023(int(version.partition(".")[2])) else "manylinux_2_17"
    return f"{LINUX_MACHINES[architecture]}-{manylinux}"


def requirements_of(lock: Path, root: Path) -> list[Requirement]:
    """Return the requirements of a requirements.txt, or those that the tool of another lock exports from it.

    Args:
        lock: as `dependencies.of_folder` returns it; not a pylock.toml, and no pyproject.toml without a lock.

    Raises:
        ConfigurationError: a line cannot be understood, or a lock cannot be parsed.
        ToolError: the tool of a lock cannot export it.
    """
    if lock.name == REQUIREMENTS:
        return list(requirements.read(lock, root))
    folder = lock.parent
    if lock.name == POETRY_LOCK:
        return list(requirements.parse(lock_exports.export_poetry(folder, root), lock, folder))
    uv_lock = (dependencies.workspace_lock(folder, root) if lock.name == PYPROJECT else None) or lock
    if lacking := dependencies.lacking(folder, uv_lock):
        names, shown = ", ".join(lacking), files.display_path(uv_lock)
        message = f"{shown} lacks {names}, which {PYPROJECT} requires; run uv lock --directory"
        console.warning(f"{message} {files.display_path(uv_lock.parent)}")
    start = uv_lock.parent
    return list(requirements.parse(lock_exports.export_uv(folder, uv_lock), start / lock.name, start))


def _has_no_lock(lock: Path, root: Path) -> bool:
    return lock.name == PYPROJECT and dependencies.workspace_lock(lock.parent, root) is None


def _install_as_it_is(installation: Installation) -> None:
    """Install a file that uv reads itself: pylock.toml, or a pyproject.toml without a lock."""
    if installation.lock.name == PYPROJECT:
        message = "is not locked, so tomorrow's build may get other versions; run uv lock --directory"
        console.warning(f"{installation.where}: {message} {files.display_path(installation.lock.parent)}")
    uv_installs.run(_with(installation, ["--requirements", str(installation.lock)]))


def _install_listed(listed: Sequence[Requirement], folders: Sequence[Path], installation: Installation) -> None:
    """Install from copies of the folders on this disk; where a copy cannot be built, from the folders themselves."""
    with tempfile.TemporaryDirectory(prefix="alchemiser-") as name:
        work = Path(name).resolve()
        copies = local_packages.copy(folders, work)
        try:
            uv_installs.run(_with(installation, uv_inputs.write(uv_inputs.with_copies(listed, copies), work)))
        except BuildFailedError:
            if not copies:
                raise
            # It may read a file beside its folder, or the tags of the repository.
            uv_installs.run(_with(installation, uv_inputs.write(listed, work)))


def _with(installation: Installation, arguments: Sequence[str]) -> Installation:
    return replace(installation, command=[*installation.command, *arguments])
