"""Unchecked-hash bytecode beside every module of a tree, the same bytes wherever and whenever it is made.

A Lambda's folders are read-only, so without bytecode each cold start compiles every module again; bytecode with
timestamps would be stale, because a deterministic zip has none. Source: PEP 552. It tells tracebacks lines and no
columns, which would be a quarter of it, zipped. Source: PEP 657.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from automation.system import files, processes
from automation.system.errors import ToolError

_WORKER = Path(__file__).with_name("bytecode_worker.py")
_FLAGS = ("-I", "-S", "-B", "-X", "no_debug_ranges")
_ENOUGH_FOR_ALL_CORES = 64


@dataclass(frozen=True, slots=True)
class CodeTree:
    """A tree of modules and where Lambda mounts it: tracebacks name the modules by that path.

    Attributes:
        like: a finished tree mounted there too, compiled by the same interpreter; its bytecode serves what is the same.
    """

    tree: Path
    mounted_at: str
    version: str
    like: Path | None = None


@dataclass(frozen=True, slots=True)
class _Module:
    source: Path
    named: str
    like: Path | None


@cache
def interpreter(version: str) -> Path | None:
    """What makes bytecode for Python `version` (`3.12`): our own interpreter, else one on PATH, else None."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    found = shutil.which(f"python{version}")
    return Path(found) if found and _tag(Path(found), version) else None


@cache
def maker(version: str) -> str:
    """What makes the bytecode for Python `version`, as an ingredient of an artifact; empty when nothing does."""
    program = interpreter(version)
    if program is None:
        return ""
    return sys.version if program == Path(sys.executable) else _tag(program, version)


def compile_all(trees: Iterable[CodeTree]) -> None:
    """Compile every module of every tree; the same module at the same place in two trees once.

    A module that does not compile, such as a template of a package, is left without bytecode; the import tells why.
    Trees for a Python that this machine has not are left as they are.

    Raises:
        ToolError: the interpreter that compiles failed.
    """
    by_version: dict[str, list[CodeTree]] = {}
    for tree in trees:
        by_version.setdefault(tree.version, []).append(tree)
    for version, those in by_version.items():
        program = interpreter(version)
        if program is not None:
            _compile(program, version, [module for tree in those for module in _modules(tree)])


def _compile(program: Path, version: str, modules: Sequence[_Module]) -> None:
    tag = f"cpython-{version.replace('.', '')}"
    copies: dict[tuple[str, str], list[Path]] = {}
    for folder in {module.source.parent for module in modules}:
        (folder / "__pycache__").mkdir(exist_ok=True)
    for module in modules:
        if _is_served(module, tag):
            continue
        key = (files.digest(module.source.read_bytes()), module.named)
        copies.setdefault(key, []).append(module.source)
    jobs = [(str(sources[0]), str(_pyc(sources[0], tag)), named) for (_, named), sources in copies.items()]
    _run_workers(program, jobs)
    for first, *others in copies.values():
        made = _pyc(first, tag)
        for other in others if made.is_file() else ():
            _pyc(other, tag).unlink(missing_ok=True)
            files.link(made, _pyc(other, tag))


def _run_workers(program: Path, jobs: Sequence[tuple[str, str, str]]) -> None:
    """Each worker is a bare interpreter: what else a process has loaded would show in the bytes of its bytecode."""
    if not jobs:
        return
    count = (os.cpu_count() or 1) if len(jobs) > _ENOUGH_FOR_ALL_CORES else 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(count) as pool:
        lists = [Path(folder) / f"{number}.json" for number in range(count)]
        for number, path in enumerate(lists):
            path.write_text(json.dumps(jobs[number::count]))
        list(pool.map(partial(_run_worker, program), lists))


def _run_worker(program: Path, jobs: Path) -> None:
    finished = processes.run([program, *_FLAGS, _WORKER, jobs], cwd=_WORKER.parent, check=False)
    if finished.exit_code:
        raise ToolError(f"bytecode could not be made: {finished.tail(1)}; the last build is as it was")


def _modules(tree: CodeTree) -> Iterator[_Module]:
    for path in files.walk(tree.tree):
        if path.suffix == ".py":
            like = tree.like / path if tree.like else None
            yield _Module(tree.tree / path, f"{tree.mounted_at}/{path.as_posix()}", like)


def _is_served(module: _Module, tag: str) -> bool:
    """Whether the bytecode of the same module in a finished tree could be taken."""
    if module.like is None or not _pyc(module.like, tag).is_file():
        return False
    if module.like.read_bytes() != module.source.read_bytes():
        return False
    files.link(_pyc(module.like, tag), _pyc(module.source, tag))
    return True


def _pyc(source: Path, tag: str) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


def _tag(program: Path, version: str) -> str:
    """The whole version of an interpreter; empty when it cannot be run, or is of another version."""
    asked = processes.run(
        [program, "-I", "-S", "-c", "import sys; print(sys.version)"], cwd=program.parent, check=False
    )
    said = asked.stdout.strip()
    return said if asked.exit_code == 0 and said.startswith(f"{version}.") else ""
