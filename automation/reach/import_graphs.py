"""Import graphs, read with grimp, and the shortest chain of imports from one module to another."""

import json
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from automation.system import console, files, packages, processes

_WORKER = Path(__file__).with_name("imports_worker.py")
_UNKNOWN = "imports are unknown, so every function counts as an importer of the change"


@dataclass(frozen=True, slots=True)
class ImportGraph:
    """The imports between the modules of some folders; imports under `if TYPE_CHECKING` are left out."""

    imports: Mapping[str, frozenset[str]]

    def loaded_by(self, module: str) -> list[str]:
        """Return the modules that run when a module is imported: its imports and all their packages."""
        loaded: set[str] = set()
        for name in (module, *self.imports.get(module, ())):
            loaded.update((name, *_packages_of(name)))
        return sorted(name for name in loaded if name in self.imports and name != module)


def read(search_paths: Mapping[str, Sequence[Path]]) -> dict[str, ImportGraph | None]:
    """Read the import graph of each search path, whose folders are in the order of sys.path.

    Returns:
        By the name of the search path; None, with a warning, when a module cannot be parsed or grimp is not installed.
    """
    if not search_paths:
        return {}

    # A process of its own: reading a graph changes sys.path.
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder) / "searches.json"
        searches = {
            name: _linked(folders, Path(folder) / str(number))
            for number, (name, folders) in enumerate(search_paths.items())
        }
        request.write_text(json.dumps(searches), encoding="utf-8")
        finished = processes.run([sys.executable, "-I", "-B", _WORKER, request], cwd=request.parent, check=False)
    if finished.exit_code:
        console.warning(f"{_UNKNOWN}: {_reason(finished.tail(1))}")
        return dict.fromkeys(search_paths)

    answers = json.loads(finished.stdout)
    for failure in sorted({answer for answer in answers.values() if isinstance(answer, str)}):
        console.warning(f"{_UNKNOWN}: {failure.partition(chr(10))[0]}")
    return {name: None if isinstance(answer, str) else graph_of(answer) for name, answer in answers.items()}


def graph_of(imports: Mapping[str, Iterable[str]]) -> ImportGraph:
    """Make a graph from each module's imports."""
    return ImportGraph({name: frozenset(imported) for name, imported in imports.items()})


def union(now: ImportGraph | None, before: ImportGraph | None) -> ImportGraph | None:
    """Merge the imports of two states, so that a removed module keeps its importers.

    Returns:
        None when the imports of `now` are unknown; `now` when only those of `before` are.
    """
    if now is None or before is None:
        return now
    modules = {*now.imports, *before.imports}
    nothing: frozenset[str] = frozenset()
    return ImportGraph(
        {module: now.imports.get(module, nothing) | before.imports.get(module, nothing) for module in modules}
    )


def module_name(path: str) -> str:
    """Return the dotted module name of a path relative to sys.path; empty when it is not a module."""
    pure = PurePosixPath(path)
    if pure.suffix != ".py":
        return ""
    parts = pure.parent.parts if pure.name == "__init__.py" else pure.with_suffix("").parts
    return ".".join(parts)


def shortest_chain(graph: ImportGraph, start: str, goals: Collection[str]) -> tuple[str, ...]:
    """Return the shortest chain of imports from `start` to one of `goals`, both included; empty when there is none."""
    importer_of = {start: ""}
    frontier = [start]

    while frontier:
        next_frontier = []
        for module in frontier:
            if module in goals:
                return _chain_to(module, importer_of)
            for imported in graph.loaded_by(module):
                if imported not in importer_of:
                    importer_of[imported] = module
                    next_frontier.append(imported)
        frontier = next_frontier

    return ()


def importers_of(graph: ImportGraph, goals: Iterable[str]) -> frozenset[str]:
    """Return `goals` and every module that imports one of them, directly or not."""
    importers: dict[str, set[str]] = {}
    for module in graph.imports:
        for imported in graph.loaded_by(module):
            importers.setdefault(imported, set()).add(module)

    reached, waiting = set(goals), list(goals)
    while waiting:
        fresh = importers.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return frozenset(reached)


def _linked(folders: Sequence[Path], links: Path) -> dict[str, Any]:
    """Show each folder under an importable name: grimp reads packages only, so its loose modules count then."""
    links.mkdir()
    for number, folder in enumerate(folders):
        files.show_at(folder, links / f"folder_{number}")
    return {"links": str(links), "folders": list(map(str, folders))}


def _reason(problem: str) -> str:
    if "No module named 'grimp'" in problem:
        return f"grimp is not installed; run: {packages.how_to_install('grimp')}"
    return problem


def _chain_to(end: str, importer_of: Mapping[str, str]) -> tuple[str, ...]:
    chain = [end]
    while importer_of[chain[-1]]:
        chain.append(importer_of[chain[-1]])
    return tuple(reversed(chain))


def _packages_of(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
