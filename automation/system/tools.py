"""Virtual environments for tools whose packages must not mix with ours: `.tools/<name>` from `locks/<name>.txt`."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from automation.system import console, files, processes
from automation.system.errors import ConfigurationError, ToolError

_MARKER = "made-from"
_SHIPPED_LOCKS = Path(__file__).with_name("locks")
_COMPILED = frozenset({"runtime"})  # like Lambda's own packages; the others are compiled when they are imported
_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class ToolEnvironment:
    """A virtual environment.

    Attributes:
        python: its interpreter.
        bin: the folder of its programs, to be put first on PATH.
        site: the folder of its packages.
    """

    path: Path
    python: Path
    bin: Path
    site: Path

    def program(self, name: str) -> Path:
        """Return the path of one of its programs.

        Raises:
            ToolError: its lock does not install that program.
        """
        for program in (self.bin / name, self.bin / f"{name}.exe"):
            if program.exists():
                return program
        raise ToolError(f"{name} is not in {self.path}; remove that folder and run the command again")


def uv_program() -> Path:
    """Return the uv of our own environment, otherwise the one on PATH.

    Raises:
        ToolError: neither exists.
    """
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - uv may be a program on PATH and not a package

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        program = shutil.which("uv")
    if program is None:
        raise ToolError("uv was not found; run: python -m pip install uv")
    return Path(program)


def lock_file(root: Path, name: str) -> Path:
    """Return the lock of a tool: the project's own, otherwise the one that our wheel brings. Neither need exist."""
    own, shipped = _own_lock(root, name), _SHIPPED_LOCKS / f"{name}.txt"
    return shipped if shipped.is_file() and not own.is_file() else own


def find_program(root: Path, name: str) -> Path | None:
    """Return a tool that has the name of its lock: the one that the project locks, otherwise an installed one.

    Without either it is the one that our wheel locks, and None when this automation is not a wheel.

    Raises:
        ToolError: it is locked and could not be installed.
    """
    if not _own_lock(root, name).is_file() and (program := installed_program(name)):
        return program
    return ensure(name, root=root).program(name) if lock_file(root, name).is_file() else None


def installed_program(name: str) -> Path | None:
    """Return the program of that name beside our own Python, otherwise the one on PATH, otherwise None."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    program = shutil.which(name, path=os.pathsep.join(folders))
    return Path(program) if program else None


def stamp(lock: bytes, version: str) -> str:
    """Return the stamp of an environment; a different stamp means that it must be created again."""
    return files.digest_of([lock, version])


def own_python_version() -> str:
    """Return the Python that runs this process, `3.12`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def ensure(name: str, *, root: Path) -> ToolEnvironment:
    """Return the environment `.tools/<name>`; create it, or create it again when its lock has changed.

    An environment whose creation was interrupted has no marker and is created again. Two processes do not create the
    same one at once. Callers may keep the result: only an `ensure` after a change of the lock replaces an environment.

    Raises:
        ConfigurationError: there is no such lock.
        ToolError: uv is missing or could not install.
    """
    lock = lock_file(root, name)
    if not lock.is_file():
        raise ConfigurationError("this lock does not exist; run inv lock", where=f"locks/{name}.txt")
    expected_stamp = stamp(lock.read_bytes(), own_python_version())
    environment = environment_at(root / ".tools" / name)
    if _is_complete(environment, expected_stamp):
        return environment
    with files.lock(root / ".tools" / f"{name}.lock", wait_s=_WAIT_S, doing=f"creating .tools/{name}"):
        if not _is_complete(environment, expected_stamp):
            _create(environment, lock, root=root)
            files.write_atomically(environment.path / _MARKER, expected_stamp)
    return environment


def _own_lock(root: Path, name: str) -> Path:
    return root / "locks" / f"{name}.txt"


def environment_at(path: Path, *, platform: str = sys.platform) -> ToolEnvironment:
    """Return the places in a virtual environment of our own Python's version, whether it exists or not."""
    if platform == files.WINDOWS:
        programs = path / "Scripts"
        return ToolEnvironment(path, programs / "python.exe", programs, path / "Lib" / "site-packages")
    site = path / "lib" / f"python{own_python_version()}" / "site-packages"
    return ToolEnvironment(path, path / "bin" / "python", path / "bin", site)


def _is_complete(environment: ToolEnvironment, expected_stamp: str) -> bool:
    try:
        return environment.python.exists() and (environment.path / _MARKER).read_text() == expected_stamp
    except OSError:
        return False


def _create(environment: ToolEnvironment, lock: Path, *, root: Path) -> None:
    """Create it in its final place, because the scripts of a virtual environment name their interpreter's path."""
    uv = uv_program()
    env = processes.environment(without=("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))
    create: list[str | Path] = [uv, "venv", "--quiet", "--python", sys.executable, environment.path]
    install: list[str | Path] = [uv, "pip", "install", "--python", environment.python, "--require-hashes", "-r", lock]
    install += ["--compile-bytecode"] if environment.path.name in _COMPILED else []
    files.remove(environment.path)
    with console.progress(f"creating .tools/{environment.path.name}") as report_line:
        for command in (create, install):
            processes.run(command, cwd=root, env=env, on_line=report_line)
