"""Which modules import which, by grimp, and the shortest way from one to another."""

import json
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.system import console, processes

_WORKER = Path(__file__).with_name("imports_worker.py")


@dataclass(frozen=True, slots=True)
class Graph:
    """The imports between the modules of some folders; what is imported under `if TYPE_CHECKING` is left out."""

    imports: Mapping[str, frozenset[str]]

    def next_to(self, module: str) -> list[str]:
        """What runs because a module is imported: what it imports, and the packages that any of these is in."""
        found = {one for name in (module, *self.imports.get(module, ())) for one in (name, *_packages_of(name))}
        return sorted(name for name in found if name in self.imports and name != module)


def read(searches: Mapping[str, Sequence[Path]]) -> dict[str, Graph | None]:
    """The graph of each search, whose folders are those of sys.path in order; None where it cannot be known.

    It is unknown, with a warning, when a module does not parse or grimp is not installed.
    """
    if not searches:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "searches.json"
        asked.write_text(json.dumps({name: [str(one) for one in folders] for name, folders in searches.items()}))
        done = processes.run([sys.executable, "-I", "-B", _WORKER, asked], cwd=asked.parent, check=False)
    if done.exit_code:
        console.warning(f"imports are not known, so every importer counts: {done.tail(1)}")
        return dict.fromkeys(searches)
    answers = json.loads(done.stdout)
    for told in sorted({answer for answer in answers.values() if isinstance(answer, str)}):
        console.warning(f"imports are not known, so every importer counts: {told.partition(chr(10))[0]}")
    return {name: None if isinstance(found, str) else of(found) for name, found in answers.items()}


def of(imports: Mapping[str, Iterable[str]]) -> Graph:
    """A graph from the modules and what each imports."""
    return Graph({name: frozenset(imported) for name, imported in imports.items()})


def joined(now: Graph | None, before: Graph | None) -> Graph | None:
    """The imports of two states together, so that what was removed has importers; None when now's are not known."""
    if now is None or before is None:
        return now
    modules = {*now.imports, *before.imports}
    return Graph({one: now.imports.get(one, frozenset()) | before.imports.get(one, frozenset()) for one in modules})


def module_of(path: str) -> str:
    """The dotted name of a file in a folder of sys.path; empty when it is no module."""
    pure = PurePosixPath(path)
    if pure.suffix != ".py":
        return ""
    parts = pure.parent.parts if pure.name == "__init__.py" else pure.with_suffix("").parts
    return ".".join(parts)


def chain(graph: Graph, start: str, goals: Collection[str]) -> tuple[str, ...]:
    """The shortest way along imports from `start` to one of `goals`, both ends included; empty when there is none."""
    came_from = {start: ""}
    waiting = [start]
    while waiting:
        following = []
        for module in waiting:
            if module in goals:
                return _way(came_from, module)
            for other in graph.next_to(module):
                if other not in came_from:
                    came_from[other] = module
                    following.append(other)
        waiting = following
    return ()


def reaching(graph: Graph, goals: Iterable[str]) -> frozenset[str]:
    """The modules that import one of `goals`, by however many steps, and these themselves."""
    importers: dict[str, set[str]] = {}
    for module in graph.imports:
        for other in graph.next_to(module):
            importers.setdefault(other, set()).add(module)
    found, waiting = set(goals), list(goals)
    while waiting:
        fresh = importers.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return frozenset(found)


def _way(came_from: Mapping[str, str], end: str) -> tuple[str, ...]:
    way = [end]
    while came_from[way[-1]]:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def _packages_of(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]
