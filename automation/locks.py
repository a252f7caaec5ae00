"""`inv lock`: lock `locks/<group>.txt` from pyproject's dependency groups, each requirements.txt from its .in."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from automation.project.model import Project, Text
from automation.system import console, processes, tools
from automation.system.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file.

    Attributes:
        target: the file to write, relative to the project root.
        source: the arguments with which uv finds the requirements to lock.
        python: the Python version to lock for, such as `3.12`; empty for our own.
    """

    target: str
    source: tuple[str, ...]
    python: str = ""


def plan(project: Project, groups: tuple[str, ...]) -> tuple[Lock, ...]:
    """Return the locks of a project: one per dependency group, one per layer or function that has a requirements.in."""
    group_locks = [
        Lock(f"locks/{group}.txt", ("--group", f"pyproject.toml:{group}", "--universal")) for group in sorted(groups)
    ]
    folders = {layer.content_uri: layer.runtimes for layer in project.layers if isinstance(layer.content_uri, str)}
    for function in project.functions:
        if isinstance(function.code_uri, str):
            folders[function.code_uri] = (function.runtime,)

    artifact_locks = [
        Lock(f"{uri}/requirements.txt", (f"{uri}/requirements.in",), python_of(runtimes))
        for uri, runtimes in sorted(folders.items())
        if (project.root / uri / "requirements.in").is_file()
    ]
    return (*group_locks, *artifact_locks)


def locked_groups(project: Project) -> tuple[str, ...]:
    """Return the dependency groups that have a lock: those whose `locks/<group>.txt` exists.

    Raises:
        ConfigurationError: a lock belongs to no group.
    """
    names = sorted(path.stem for path in (project.root / "locks").glob("*.txt"))
    if unknown := sorted(set(names) - project.settings.dependency_groups):
        message = f"pyproject.toml has no dependency group {unknown[0]}; remove the lock or add the group"
        raise ConfigurationError(message, where=f"locks/{unknown[0]}.txt")
    return tuple(names)


def lock(project: Project, *, upgrade: bool = False) -> tuple[str, ...]:
    """Write every lock anew and return those that changed; versions already locked stay unless `upgrade`.

    Raises:
        ToolError: uv found no solution, or the index did not answer.
    """
    locks = plan(project, locked_groups(project))
    before = {lock.target: _bytes(project.root / lock.target) for lock in locks}
    with console.progress("locking"), ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(compile_lock, root=project.root, upgrade=upgrade), locks))
    return tuple(target for target, content in before.items() if _bytes(project.root / target) != content)


def compile_lock(lock: Lock, *, root: Path, upgrade: bool) -> None:
    """Write one lock.

    Raises:
        ToolError: uv found no solution, or the index did not answer.
    """
    command: list[str | Path] = [tools.uv_program(), "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    # Name our own interpreter, so that uv does not start every other one on the machine to choose.
    versions = ["--python", sys.executable, *(["--python-version", lock.python] if lock.python else [])]
    processes.run(
        [*command, *lock.source, *versions, *(["--upgrade"] if upgrade else []), "--output-file", lock.target],
        cwd=root,
        env=processes.environment(without=("VIRTUAL_ENV",)),
    )


def python_of(names: tuple[Text, ...]) -> str:
    """Return the Python version to lock for; empty when no runtime says it."""
    runtimes = [runtime for runtime in names if isinstance(runtime, str) and runtime.startswith("python")]
    return runtimes[0].removeprefix("python") if runtimes else ""


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
