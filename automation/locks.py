"""`inv lock`: lock `locks/<group>.txt` from pyproject's dependency groups, each requirements.txt from its .in."""

import re
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from automation.building import requirements, uv_inputs, wheels
from automation.building.requirements import REQUIREMENTS, REQUIREMENTS_IN, Kind
from automation.lambda_runtime.python_versions import with_patch
from automation.project.architectures import LINUX_MACHINES, X86_64
from automation.project.model import Project
from automation.project.properties import Text
from automation.system import console, files, processes, tools
from automation.system.errors import UsageError

PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file.

    Attributes:
        target: the file to write, relative to the project root.
        source: the arguments with which uv finds the requirements to lock.
        python: the Python version to lock for, such as `3.12`; empty for our own.
        platform: the platform to lock for, as uv names it; empty for our own.
    """

    target: str
    source: tuple[str, ...]
    python: str = ""
    platform: str = ""


def plan(project: Project, groups: tuple[str, ...]) -> tuple[Lock, ...]:
    """Return the locks of a project: one per dependency group, one per layer or function that has a requirements.in."""
    group_locks = [
        Lock(f"locks/{group}.txt", ("--group", f"pyproject.toml:{group}", "--universal")) for group in sorted(groups)
    ]
    folders = {
        layer.content_uri: (layer.runtimes, layer.architectures)
        for layer in project.layers
        if isinstance(layer.content_uri, str)
    }
    for function in project.functions:
        if isinstance(function.code_uri, str):
            folders[function.code_uri] = ((function.runtime,), function.architectures)

    artifact_locks = [
        _artifact_lock(uri, python_of(runtimes), architectures)
        for uri, (runtimes, architectures) in sorted(folders.items())
        if (project.root / uri / REQUIREMENTS_IN).is_file()
    ]
    return (*group_locks, *artifact_locks)


def locked_groups(project: Project) -> tuple[str, ...]:
    """Return the dependency groups that have a lock: those whose `locks/<group>.txt` exists.

    A lock without a group stays as it is, with a warning: beside another project lie the locks of our tools.
    """
    names = {path.stem for path in (project.root / "locks").glob("*.txt")}
    if without_group := sorted(names - project.settings.dependency_groups):
        listed = ", ".join(f"locks/{name}.txt" for name in without_group)
        console.warning(f"{listed}: not locked anew, because pyproject.toml has no dependency group of that name")
    return tuple(sorted(names & project.settings.dependency_groups))


def require_no_names(names: Sequence[str]) -> None:
    """Refuse names of distributions where none is upgraded.

    Raises:
        UsageError: there are some.
    """
    if names:
        raise UsageError(
            f"locks are written as a whole; to upgrade: inv lock --upgrade {' '.join(names)}", where="lock"
        )


def lock(project: Project, *, upgrade: bool = False, packages: Sequence[str] = ()) -> tuple[str, ...]:
    """Write every lock anew and return those that changed; versions already locked stay unless `upgrade`.

    Args:
        packages: upgrade only these distributions; none means all.

    Raises:
        ToolError: uv found no solution, or the index did not answer.
    """
    locks = plan(project, locked_groups(project))
    before = {lock.target: _bytes(project.root / lock.target) for lock in locks}
    newer = _upgrade_words(packages) if upgrade else ()
    with console.progress("locking"), ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(compile_lock, root=project.root, newer=newer), locks))
    return tuple(target for target, content in before.items() if _bytes(project.root / target) != content)


def _upgrade_words(packages: Sequence[str]) -> tuple[str, ...]:
    """Return the words with which uv takes newer versions, of these distributions or of all."""
    return tuple(f"--upgrade-package={name}" for name in packages) or ("--upgrade",)


def compile_lock(lock: Lock, *, root: Path, newer: Sequence[str] = ()) -> None:
    """Write one lock.

    Args:
        newer: the words with which uv takes newer versions; without them it keeps those that are locked.

    Raises:
        ConfigurationError: a line of a requirements.in cannot be understood.
        ToolError: uv found no solution, or the index did not answer.
    """
    source = Path(lock.source[0])
    listed = list(requirements.read(root / source, root)) if source.name == REQUIREMENTS_IN else []
    if not any(line.path or line.kind is Kind.OPTION for line in listed):
        _run_uv(lock, lock.source, root=root, newer=newer)
        return

    # uv looks for paths from the project root only, and leaves options out of the lock, which would not install then.
    for warning in uv_inputs.check_options(listed):
        console.warning(warning)
    with tempfile.TemporaryDirectory(prefix="alchemiser-") as folder:
        arguments = uv_inputs.write(listed, Path(folder), relative_to=root)
        sources = [argument for argument in arguments if argument != uv_inputs.REQUIREMENTS_FLAG]
        _run_uv(lock, sources, root=root, newer=newer)
        options = [f"{line.line}\n" for line in listed if line.kind is Kind.OPTION]
        text = (root / lock.target).read_text(encoding="utf-8")
        text = text.replace(str(Path(folder) / "requirements.txt"), source.as_posix())
        files.write_atomically(root / lock.target, "".join([*options, text]))


def _artifact_lock(uri: str, python: str, architectures: tuple[Text, ...]) -> Lock:
    """Return the lock of a code folder, for the platform of its artifact: the versions that a Mac takes may differ."""
    architecture = next((name for name in architectures if name in LINUX_MACHINES), X86_64)
    platform = wheels.platform(python, str(architecture)) if python else ""
    return Lock(f"{uri}/{REQUIREMENTS}", (f"{uri}/{REQUIREMENTS_IN}",), python, platform)


def _run_uv(lock: Lock, source: Sequence[str], *, root: Path, newer: Sequence[str]) -> None:
    command: list[str | Path] = [tools.uv_program(), "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    # Name our own interpreter, so that uv does not start every other one on the machine to choose.
    versions = ["--python", sys.executable, *(["--python-version", with_patch(lock.python)] if lock.python else [])]
    versions += ["--python-platform", lock.platform] if lock.platform else []
    processes.run(
        [*command, *source, *versions, *newer, "--output-file", lock.target],
        cwd=root,
        env=processes.environment(without=("VIRTUAL_ENV",)),
    )


def python_of(names: tuple[Text, ...]) -> str:
    """Return the Python version to lock for; empty when no runtime says it."""
    runtimes = [runtime for runtime in names if isinstance(runtime, str) and runtime.startswith("python")]
    return runtimes[0].removeprefix("python") if runtimes else ""


def versions(lock: Path) -> dict[str, tuple[str, ...]]:
    """Return the versions of each distribution in a lock: more than one where markers choose."""
    by_name: dict[str, tuple[str, ...]] = {}
    for name, version in PINNED.findall(lock.read_text(encoding="utf-8")):
        by_name[name] = (*by_name.get(name, ()), version)
    return by_name


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
