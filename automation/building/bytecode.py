"""Compile every module of a tree to unchecked-hash bytecode, the same bytes on any machine and at any time.

A Lambda's folders are read-only, so without bytecode each cold start compiles every module again. Bytecode with
timestamps would be stale, because a deterministic zip has none. Source: PEP 552. The bytecode holds line numbers for
tracebacks but no columns, which would be a quarter of its zipped size. Source: PEP 657.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from automation.system import files, processes, tools
from automation.system.errors import ToolError

_WORKER = Path(__file__).with_name("bytecode_worker.py")
_FLAGS = ("-I", "-S", "-B", "-X", "no_debug_ranges")
_ENOUGH_FOR_ALL_CORES = 64
_OLDEST = (3, 7)


@dataclass(frozen=True, slots=True)
class CodeTree:
    """A tree of modules to compile.

    Attributes:
        mounted_at: where Lambda mounts the tree; tracebacks show the modules by that path.
        version: of Python, `3.12`.
        similar: a finished tree with the same mount point and the same interpreter, or None. A module with the same
            content in both takes its bytecode from there.
    """

    tree: Path
    mounted_at: str
    version: str
    similar: Path | None = None


@dataclass(frozen=True, slots=True)
class _Module:
    source: Path
    traceback_path: str
    similar: Path | None


def is_possible(version: str) -> bool:
    """Return whether Python `version` (`3.12`) has bytecode that no start checks. Source: PEP 552."""
    numbers = version.split(".")
    return all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) >= _OLDEST


@cache
def find_interpreter(version: str) -> Path | None:
    """Return an interpreter of Python `version` (`3.12`): the running one, one on PATH, or one that uv knows."""
    if version == tools.own_python_version():
        return Path(sys.executable)
    candidates = (find(version) for find in (_find_on_path, _find_with_uv))
    return next((path for path in candidates if path and _version_text(path, version)), None)


@cache
def describe_interpreter(version: str) -> str:
    """Return the full version of the interpreter that compiles for Python `version`, an ingredient of artifacts.

    It is empty when there is none, or when that Python cannot compile.
    """
    program = find_interpreter(version) if is_possible(version) else None
    if program is None:
        return ""
    return sys.version if program == Path(sys.executable) else _version_text(program, version)


def compile_all(trees: Iterable[CodeTree]) -> None:
    """Compile every module of every tree; a module that two trees hold at the same path is compiled once.

    A module that does not compile, such as a template in a package, gets no bytecode; its import shows the error.
    A tree for a Python that this machine lacks, or that is too old for such bytecode, gets none either.

    Raises:
        ToolError: the interpreter that compiles failed.
    """
    by_version: dict[str, list[_Module]] = {}
    for tree in trees:
        by_version.setdefault(tree.version, []).extend(_modules(tree))
    for version, modules in by_version.items():
        program = find_interpreter(version) if is_possible(version) else None
        if program is not None:
            _compile(program, version, modules)


def pyc_name(module: str, version: str) -> str:
    """Return the path of a module's bytecode in the module's folder.

    Args:
        module: the file's name without `.py`.
    """
    return f"__pycache__/{module}.cpython-{version.replace('.', '')}.pyc"


def _compile(program: Path, version: str, modules: Sequence[_Module]) -> None:
    for folder in {module.source.parent for module in modules}:
        (folder / "__pycache__").mkdir(exist_ok=True)

    copies: dict[tuple[str, str], list[Path]] = {}
    for module in modules:
        if not _reuse_bytecode(module, version):
            key = (files.digest(files.read(module.source)), module.traceback_path)
            copies.setdefault(key, []).append(module.source)

    jobs = [(str(paths[0]), str(_pyc(paths[0], version)), shown) for (_, shown), paths in copies.items()]
    _run_workers(program, jobs)

    for first, *duplicates in copies.values():
        compiled = _pyc(first, version)
        for duplicate in duplicates if compiled.is_file() else ():
            _pyc(duplicate, version).unlink(missing_ok=True)
            files.link(compiled, _pyc(duplicate, version))


def _run_workers(program: Path, jobs: Sequence[tuple[str, str, str]]) -> None:
    """Compile in bare interpreters: whatever else a process has loaded changes the bytes of its bytecode."""
    if not jobs:
        return
    count = (os.cpu_count() or 1) if len(jobs) > _ENOUGH_FOR_ALL_CORES else 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(count) as pool:
        running = []
        for number in range(count):
            job_file = Path(folder) / f"{number}.json"
            job_file.write_text(json.dumps(jobs[number::count]))
            running.append(pool.submit(_run_worker, program, job_file))
        for worker in running:
            worker.result()


def _run_worker(program: Path, job_file: Path) -> None:
    finished = processes.run([program, *_FLAGS, _WORKER, job_file], cwd=_WORKER.parent, check=False)
    if finished.exit_code:
        raise ToolError(f"{program} could not compile the bytecode: {finished.tail(1)}")


def _modules(tree: CodeTree) -> Iterator[_Module]:
    for path in files.walk(tree.tree):
        if path.suffix == ".py":
            similar = tree.similar / path if tree.similar else None
            yield _Module(tree.tree / path, f"{tree.mounted_at}/{path.as_posix()}", similar)


def _reuse_bytecode(module: _Module, version: str) -> bool:
    """Link the bytecode of the same module in the similar tree; return False when there is none to reuse."""
    if module.similar is None or not _pyc(module.similar, version).is_file():
        return False
    if files.read(module.similar) != files.read(module.source):
        return False
    files.link(_pyc(module.similar, version), _pyc(module.source, version))
    return True


def _pyc(source: Path, version: str) -> Path:
    return source.parent / pyc_name(source.stem, version)


def _find_on_path(version: str) -> Path | None:
    path = shutil.which(f"python{version}")
    return Path(path) if path else None


def _find_with_uv(version: str) -> Path | None:
    """Return the interpreter that uv finds, without a download."""
    arguments: list[str | Path] = ["python", "find", "--no-python-downloads", "--no-project", f"cpython-{version}"]
    # A shim of pyenv starts only the versions that this variable selects.
    env = processes.environment({"PYENV_VERSION": version}, without=("VIRTUAL_ENV",))
    try:
        finished = processes.run([tools.uv_program(), *arguments], cwd=Path.cwd(), env=env, check=False)
    except ToolError:
        return None
    return Path(finished.stdout.strip()) if finished.exit_code == 0 else None


def _version_text(program: Path, version: str) -> str:
    """Return the full version of an interpreter; empty when it cannot be run or has a different minor version."""
    arguments: list[str | Path] = [program, "-I", "-S", "-c", "import sys; print(sys.version)"]
    finished = processes.run(arguments, cwd=program.parent, check=False)
    text = finished.stdout.strip()
    return text if finished.exit_code == 0 and text.startswith(f"{version}.") else ""
