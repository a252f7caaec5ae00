"""Find which modules import which, for some search paths. Run as a process of its own: it changes sys.path.

Argument: a JSON file, by name the folders that are searched in order. stdout: by name, each module with those it
imports; a name that could not be read has a text in their place. Modules are named as these folders name them.
"""

import importlib
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import grimp


def graph(folders: list[str]) -> dict[str, list[str]]:
    """The imports of all modules of these folders, the names that are not of them among the imported."""
    before = list(sys.path)
    with tempfile.TemporaryDirectory() as place:
        # A folder is no package; under another name it is one, which gives its loose modules' imports too.
        roots = [Path(place) / f"folder_{number}" for number in range(len(folders))]
        for root, folder in zip(roots, folders, strict=True):
            root.symlink_to(folder)
        sys.path[:0] = [place, *folders]
        importlib.invalidate_caches()
        try:
            packages = [root.name for root in roots] + _packages(folders)
            found = grimp.build_graph(
                *packages, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
            )
            edges = [(name, found.find_modules_directly_imported_by(name)) for name in found.modules]
        finally:
            sys.path[:] = before
    made: dict[str, set[str]] = {}
    for name, imported in edges:
        made.setdefault(_plain(name), set()).update(_plain(one) for one in imported)
    return {name: sorted(imported - {name}) for name, imported in made.items() if name}


def _packages(folders: list[str]) -> list[str]:
    """The packages at the top of the folders; the stdlib's and our own names are found elsewhere, so they are left."""
    names = {path.name for folder in folders for path in Path(folder).iterdir() if path.is_dir()}
    return sorted(name for name in names if name.isidentifier() and name not in sys.modules and _has_modules(name))


def _has_modules(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec else None
    return any(next(Path(place).rglob("*.py"), None) for place in places or ())


def _plain(name: str) -> str:
    first, _, rest = name.partition(".")
    return rest if first.startswith("folder_") else name


def main(asked: str) -> None:
    """Answer what a file asks."""
    answers: dict[str, dict[str, list[str]] | str] = {}
    for name, folders in json.loads(Path(asked).read_text(encoding="utf-8")).items():
        try:
            answers[name] = graph(folders)
        except Exception as cause:
            answers[name] = f"{type(cause).__name__}: {cause}"
    json.dump(answers, sys.stdout)


main(sys.argv[1])
