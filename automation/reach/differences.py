"""Between two states: which artifacts are other ones, because of which files, and which functions run these: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.project.model import Function
from automation.reach import imports
from automation.reach.imports import Graph
from automation.reach.states import Key, Part, State

_MODULES = "python"


@dataclass(frozen=True, slots=True)
class Difference:
    """Why an artifact is another one.

    Attributes:
        files: the changed files of the project that it is made of, sorted.
        settings: what else it depends on, as `architecture: x86_64 -> arm64`.
    """

    files: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    is_new: bool = False


def of_parts(before: State, now: State) -> dict[Key, Difference]:
    """The artifacts of now whose fingerprint is not what it was."""
    found = {}
    for key, part in now.parts.items():
        old = before.parts.get(key)
        if old is None:
            found[key] = Difference(is_new=True)
        elif old.ingredients.fingerprint != part.ingredients.fingerprint:
            found[key] = _difference(old, part)
    return found


def searches(state: State, differences: Mapping[Key, Difference]) -> dict[str, tuple[Path, ...]]:
    """Where the modules of each function are found that has something changed in its mount, by `stack/logical id`."""
    found = {}
    for function in state.project.functions:
        mounted = [state.parts[key] for key in mount(function) if key in state.parts]
        if any(key in differences for key in mount(function)) and mounted:
            folders = tuple(folder for part in mounted for folder in part.folders)
            found[f"{function.stack}/{function.logical_id}"] = tuple(dict.fromkeys(folders))
    return {name: folders for name, folders in found.items() if folders}


def mount(function: Function) -> tuple[Key, ...]:
    """A function and its layers, in the order in which their modules are found: a later layer hides an earlier one."""
    layers = [layer for layer in reversed(function.layers) if isinstance(layer, str)]
    return tuple((function.stack, name) for name in (function.logical_id, *layers))


def way(function: Function, state: State, files: tuple[str, ...], graph: Graph | None) -> tuple[str, ...]:
    """The shortest way from a function's handler along imports to one of `files`; empty when it runs none of them.

    A file that is no module counts as part of the modules beside it, or of those in the nearest folder above.
    """
    if graph is None:
        return ()
    known = _modules(function, state)
    goals = {module: path for path in files for module in _standing_for(path, known)}
    handler = str(function.handler).rpartition(".")[0].replace("/", ".")
    modules = imports.chain(graph, handler, goals)
    found = [known[module] for module in modules if module in known]
    return tuple(dict.fromkeys([*found, goals[modules[-1]]])) if modules else ()


def _difference(old: Part, part: Part) -> Difference:
    was, is_now = old.ingredients, part.ingredients
    names = {name for name in {*was.files, *is_now.files} if was.files.get(name) != is_now.files.get(name)}
    origins = {**old.origins, **part.origins}
    settings = [
        f"{name}: {was.settings.get(name) or 'none'} -> {value or 'none'}"
        for name, value in is_now.settings.items()
        if was.settings.get(name) != value
    ]
    return Difference(tuple(sorted(origins[name] for name in names)), tuple(settings))


def _modules(function: Function, state: State) -> dict[str, str]:
    """The file of the project that each module of a function's mount is, the first found winning."""
    found: dict[str, str] = {}
    for key in mount(function):
        part = state.parts.get(key)
        for name, origin in part.origins.items() if part else ():
            if module := imports.module_of(_in_folder(name, part)):
                found.setdefault(module, origin)
    return found


def _in_folder(name: str, part: Part | None) -> str:
    """The path of an ingredient in its folder of sys.path."""
    if part is None or not part.artifact.is_as_it_stands:
        return name
    inner = name.removeprefix(f"{_MODULES}/")
    return inner.removeprefix(f"lib/{part.artifact.runtime}/site-packages/")


def _standing_for(path: str, known: Mapping[str, str]) -> list[str]:
    if path.endswith(".py"):
        return [module for module, origin in known.items() if origin == path]
    for folder in PurePosixPath(path).parents:
        beside = [module for module, origin in known.items() if PurePosixPath(origin).parent == folder]
        if beside:
            return beside
    return []
