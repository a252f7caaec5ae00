"""Read the import graphs of some search paths. Runs as a process of its own, because it changes sys.path.

Argument: a JSON file that maps a name to `folders`, the search path in order, and `links`, a folder that shows them as
`folder_0`, `folder_1` and so on. stdout: JSON that maps each name to its modules with their imports, or to an error
message. Modules are named relative to these folders.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

import grimp


def read_imports(folders: list[str], links: str) -> dict[str, list[str]]:
    """Return the imports of every module in these folders, imports of modules elsewhere included."""
    original_path = list(sys.path)
    sys.path[:0] = [links, *folders]
    importlib.invalidate_caches()

    try:
        packages = [f"folder_{number}" for number in range(len(folders))] + _packages(folders)
        graph = grimp.build_graph(
            *packages, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
        )
        edges = [(name, graph.find_modules_directly_imported_by(name)) for name in graph.modules]
    finally:
        sys.path[:] = original_path

    imports: dict[str, set[str]] = {}
    for name, imported in edges:
        imports.setdefault(_without_link(name), set()).update(map(_without_link, imported))
    return {name: sorted(imported - {name}) for name, imported in imports.items() if name}


def _packages(folders: list[str]) -> list[str]:
    """Return the top packages of the folders; names already imported here, such as the stdlib's, cannot be read."""
    names: set[str] = set()
    for folder in folders:
        names |= {path.name for path in Path(folder).iterdir() if path.is_dir()}
    return sorted(name for name in names if name.isidentifier() and name not in sys.modules and _has_modules(name))


def _has_modules(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return any(next(Path(location).rglob("*.py"), None) for location in locations or ())


def _without_link(name: str) -> str:
    first, _, rest = name.partition(".")
    return rest if first.startswith("folder_") else name


def main(request: str) -> None:
    """Read a request file and print its answers as JSON."""
    answers: dict[str, dict[str, list[str]] | str] = {}
    for name, search in json.loads(Path(request).read_text(encoding="utf-8")).items():
        try:
            answers[name] = read_imports(search["folders"], search["links"])
        except Exception as cause:
            answers[name] = f"{type(cause).__name__}: {cause}"
    json.dump(answers, sys.stdout)


main(sys.argv[1])
