"""Find the Python of a runtime: the one of this process, or an environment in `.alchemiser` that uv creates.

uv takes a Python that it manages, or one on PATH, or downloads it unless its settings forbid that. When a download
fails, the proofs of the next hour do not try again: without a network each would wait for it.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from automation.system import console, files, processes, tools
from automation.system.errors import ToolError

_RETRY_AFTER_S = 3600.0
_WAIT_S = 600.0
_FIRST_MINOR = 10  # of the probe and of the SDK in locks/runtime.txt; Lambda no longer supports an earlier one
_RUNTIME = re.compile(r"python3\.\d+")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of a runtime on this machine.

    Attributes:
        path: None when it is that of the stand-in, which runs on this process's Python, or when there is none.
        why: why there is none; empty when there is one.
    """

    path: Path | None
    why: str = ""


_LOOKING = Lock()
_KNOWN: dict[tuple[str, Path], Interpreter] = {}


def find(runtime: str, root: Path) -> Interpreter:
    """Return the Python of a runtime, `python3.11`; create its environment first if there is none.

    One thread looks at a time, and the process remembers the answer.
    """
    with _LOOKING:
        if (runtime, root) not in _KNOWN:
            _KNOWN[runtime, root] = find_anew(runtime, root)
        return _KNOWN[runtime, root]


def find_anew(runtime: str, root: Path) -> Interpreter:
    """Return what `find` returns to the first that asks."""
    own = f"python{tools.own_python_version()}"
    if runtime == own:
        return Interpreter(None)
    if not _RUNTIME.fullmatch(runtime):
        return Interpreter(None, f"its runtime is {runtime}, this interpreter is {own}")
    if int(runtime.rpartition(".")[2]) < _FIRST_MINOR:
        return Interpreter(None, f"the SDK no longer runs on its runtime {runtime}")

    environment = root / ".alchemiser" / runtime
    program = tools.environment_at(environment).python
    return Interpreter(program) if program.exists() else _create(runtime, environment, root=root)


def _create(runtime: str, environment: Path, *, root: Path) -> Interpreter:
    """Create the environment; another process that does so now is waited for."""
    version = runtime.removeprefix("python")
    program, missing = tools.environment_at(environment).python, environment.with_name(f"{runtime}.missing")

    with files.lock(environment.with_name(f"{runtime}.lock"), wait_s=_WAIT_S, doing=f"creating {environment}"):
        if program.exists():
            return Interpreter(program)
        may_download = not _is_recent(missing)
        try:
            _run_uv(version, environment, root=root, may_download=may_download)
        except ToolError as cause:
            if may_download:
                files.write_atomically(missing, cause.message)
            # uv's own reason is in the file: it names hosts and times, and is another one at each attempt.
            return Interpreter(
                None, f"uv finds no Python {version}; for a real import run: uv python install {version}"
            )
        return Interpreter(program)


def _run_uv(version: str, environment: Path, *, root: Path, may_download: bool) -> None:
    # A pyenv shim starts only the versions that its settings, or this variable, select.
    changes = {"PYENV_VERSION": version, "UV_HTTP_RETRIES": "0"}
    if may_download:
        # Not as progress: the proof shows its own at the same time.
        text = f"looking for Python {version} with uv, which may download it"
        console.note(text)
        console.event(text)
    else:
        changes["UV_PYTHON_DOWNLOADS"] = "never"

    command = ["venv", "--quiet", "--clear", "--no-project", "--python", f"cpython-{version}", str(environment)]
    env = processes.environment(changes, without=("VIRTUAL_ENV",))
    processes.run([tools.uv_program(), *command], cwd=root, env=env)


def _is_recent(reason: Path) -> bool:
    try:
        return time.time() - reason.stat().st_mtime < _RETRY_AFTER_S
    except FileNotFoundError:
        return False
