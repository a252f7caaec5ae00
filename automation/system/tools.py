"""Environments for tools whose packages must not mix with ours: `.tools/<name>` from `locks/<name>.txt`."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from automation.system import console, files, processes
from automation.system.errors import ConfigurationError, ToolError

_MARKER = "made-from"
_COMPILED = frozenset({"runtime"})  # as Lambda's own is; the others are compiled as they are imported
_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class ToolEnvironment:
    """A virtual environment: its folder, its interpreter, and the folder of its programs (goes first on PATH)."""

    path: Path
    python: Path
    bin: Path

    def program(self, name: str) -> Path:
        """The path of one of its programs.

        Raises:
            ToolError: its lock does not bring that program.
        """
        found = self.bin / name
        if not found.exists():
            raise ToolError(f"{name} is not in {self.path}; remove that folder and run the command again")
        return found


def uv_program() -> Path:
    """The uv of our own environment, else the one on PATH.

    Raises:
        ToolError: there is none.
    """
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - uv may be a program on PATH and no package

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise ToolError("uv was not found; run: python -m pip install uv")
    return Path(found)


def lock_file(root: Path, name: str) -> Path:
    return root / "locks" / f"{name}.txt"


def stamp(lock: bytes, version: str) -> str:
    """What an environment was made from; another stamp means it is made again."""
    return files.digest_of([lock, version])


def ensure(name: str, *, root: Path) -> ToolEnvironment:
    """The environment `.tools/<name>`, made or made again when its lock has changed.

    An environment whose making was interrupted has no marker and is made again. Two processes do not
    make the same one at once. Callers may keep what is returned: an environment is only replaced
    by an `ensure` after its lock changed.

    Raises:
        ConfigurationError: there is no such lock.
        ToolError: uv is absent or could not install.
    """
    lock = lock_file(root, name)
    if not lock.is_file():
        raise ConfigurationError("there is no such lock; run inv lock", where=f"locks/{name}.txt")
    made_from = stamp(lock.read_bytes(), f"{sys.version_info.major}.{sys.version_info.minor}")
    environment = _environment(root / ".tools" / name)
    if _is_made(environment, made_from):
        return environment
    with files.lock(root / ".tools" / f"{name}.lock", wait_s=_WAIT_S, doing=f"making .tools/{name}"):
        if not _is_made(environment, made_from):
            _make(environment, lock, root=root)
            files.write_atomically(environment.path / _MARKER, made_from)
    return environment


def _environment(path: Path) -> ToolEnvironment:
    return ToolEnvironment(path, path / "bin" / "python", path / "bin")


def _is_made(environment: ToolEnvironment, made_from: str) -> bool:
    try:
        return environment.python.exists() and (environment.path / _MARKER).read_text() == made_from
    except OSError:
        return False


def _make(environment: ToolEnvironment, lock: Path, *, root: Path) -> None:
    """Made in its place, because the scripts of a virtual environment name their interpreter's path."""
    uv = uv_program()
    env = processes.environment(without=("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))
    create: list[str | Path] = [uv, "venv", "--quiet", "--python", sys.executable, environment.path]
    install: list[str | Path] = [uv, "pip", "install", "--python", environment.python, "--require-hashes", "-r", lock]
    install += ["--compile-bytecode"] if environment.path.name in _COMPILED else []
    files.remove(environment.path)
    with console.progress(f"making .tools/{environment.path.name}") as say:
        for command in (create, install):
            processes.run(command, cwd=root, env=env, on_line=say)
