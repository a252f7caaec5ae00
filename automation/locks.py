"""Lock what is asked for: `locks/<group>.txt` from pyproject's groups, each layer's requirements.txt from its .in."""

import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from automation.project.model import Project, Text
from automation.system import console, processes, tools
from automation.system.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock to be made.

    Attributes:
        target: the file that is written, relative to the project root.
        source: the arguments that tell uv what is asked for.
    """

    target: str
    source: tuple[str, ...]
    python: str = ""


def plan(project: Project, groups: tuple[str, ...]) -> tuple[Lock, ...]:
    """The locks of a project: one a dependency group, for any platform; one a layer or function, for its runtime."""
    of_groups = [
        Lock(f"locks/{group}.txt", ("--group", f"pyproject.toml:{group}", "--universal")) for group in sorted(groups)
    ]
    folders = {one.content_uri: one.runtimes for one in project.layers if isinstance(one.content_uri, str)}
    folders |= {one.code_uri: (one.runtime,) for one in project.functions if isinstance(one.code_uri, str)}
    of_artifacts = [
        Lock(f"{uri}/requirements.txt", (f"{uri}/requirements.in",), _python(runtimes))
        for uri, runtimes in sorted(folders.items())
        if (project.root / uri / "requirements.in").is_file()
    ]
    return (*of_groups, *of_artifacts)


def locked_groups(root: Path) -> tuple[str, ...]:
    """The dependency groups that have a lock: those whose `locks/<group>.txt` exists.

    Raises:
        ConfigurationError: a lock has no group.
    """
    names = sorted(path.stem for path in (root / "locks").glob("*.txt"))
    if not names:
        return ()
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    if unknown := sorted(set(names) - set(document.get("dependency-groups", {}))):
        message = f"pyproject.toml has no dependency group {unknown[0]}; remove the lock or add the group"
        raise ConfigurationError(message, where=f"locks/{unknown[0]}.txt")
    return tuple(names)


def lock(project: Project, *, upgrade: bool = False) -> tuple[str, ...]:
    """Make every lock again; returns those that changed. Versions already locked are kept unless `upgrade`.

    Raises:
        ToolError: uv found no solution, or the index did not answer.
    """
    locks = plan(project, locked_groups(project.root))
    before = {one.target: _bytes(project.root / one.target) for one in locks}
    with console.progress("locking"), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: _compile(one, project.root, upgrade=upgrade), locks))
    return tuple(one.target for one in locks if _bytes(project.root / one.target) != before[one.target])


def _compile(one: Lock, root: Path, *, upgrade: bool) -> None:
    command: list[str | Path] = [tools.uv_program(), "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    # Our own interpreter is named, so that uv does not start every other one of the machine to choose.
    versions = ["--python", sys.executable, *(["--python-version", one.python] if one.python else [])]
    processes.run(
        [*command, *one.source, *versions, *(["--upgrade"] if upgrade else []), "--output-file", one.target],
        cwd=root,
        env=processes.environment(without=("VIRTUAL_ENV",)),
    )


def _python(names: tuple[Text, ...]) -> str:
    runtimes = [runtime for runtime in names if isinstance(runtime, str) and runtime.startswith("python")]
    return runtimes[0].removeprefix("python") if runtimes else ""


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
