"""Find the artifacts that differ between two project states, and the imports that lead to the changed files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.project.model import Function
from automation.reach import import_graphs
from automation.reach.import_graphs import ImportGraph
from automation.reach.states import ArtifactKey, ArtifactState, ProjectState


@dataclass(frozen=True, slots=True)
class ArtifactDifference:
    """Why the fingerprint of an artifact changed.

    Attributes:
        files: the changed project files among its ingredients, sorted.
        settings: its other changed ingredients, as `architecture: x86_64 -> arm64`.
    """

    files: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    is_new: bool = False


def changed_artifacts(before: ProjectState, now: ProjectState) -> dict[ArtifactKey, ArtifactDifference]:
    """Return the artifacts of `now` that are new or have another fingerprint than before."""
    changed = {}

    for key, artifact in now.artifacts.items():
        previous = before.artifacts.get(key)
        if previous is None:
            changed[key] = ArtifactDifference(is_new=True)
        elif previous.ingredients.fingerprint != artifact.ingredients.fingerprint:
            changed[key] = _difference(previous, artifact)

    return changed


def search_paths(state: ProjectState, changed: Mapping[ArtifactKey, ArtifactDifference]) -> dict[str, tuple[Path, ...]]:
    """Return the module folders of each function that mounts a changed artifact, by `stack/logical id`.

    The folders are in the order of sys.path; functions without any are left out.
    """
    paths = {}

    for function in state.project.functions:
        keys = mounted_artifacts(function)
        if not any(key in changed for key in keys):
            continue
        folders: list[Path] = []
        for key in keys:
            if key in state.artifacts:
                folders += state.artifacts[key].folders
        if folders:
            paths[f"{function.stack}/{function.logical_id}"] = tuple(dict.fromkeys(folders))

    return paths


def mounted_artifacts(function: Function) -> tuple[ArtifactKey, ...]:
    """Return a function and its layers in import order: a later layer hides an earlier one."""
    layers = [layer for layer in reversed(function.layers) if isinstance(layer, str)]
    return tuple((function.stack, name) for name in (function.logical_id, *layers))


def import_chain(
    function: Function, state: ProjectState, files: tuple[str, ...], graph: ImportGraph | None
) -> tuple[str, ...]:
    """Return the shortest chain of imports from a function's handler to one of `files`, as project files.

    A file that is not a module counts as the modules in its folder, or in the nearest folder above that has any.

    Returns:
        The handler's file first; empty when the function imports none of the files, or the imports are unknown.
    """
    if graph is None:
        return ()
    file_by_module = _module_files(function, state)
    goals: dict[str, str] = {}
    for path in files:
        goals |= dict.fromkeys(_modules_of(path, file_by_module), path)
    handler = str(function.handler).rpartition(".")[0].replace("/", ".")

    modules = import_graphs.shortest_chain(graph, handler, goals)
    if not modules:
        return ()
    chain = [file_by_module[module] for module in modules if module in file_by_module]
    return tuple(dict.fromkeys([*chain, goals[modules[-1]]]))


def _difference(previous: ArtifactState, artifact: ArtifactState) -> ArtifactDifference:
    old, new = previous.ingredients, artifact.ingredients
    changed_names = {name for name in {*old.files, *new.files} if old.files.get(name) != new.files.get(name)}
    origins = {**previous.origins, **artifact.origins}

    settings = [
        f"{name}: {old.settings.get(name) or 'none'} -> {value or 'none'}"
        for name, value in new.settings.items()
        if old.settings.get(name) != value
    ]
    return ArtifactDifference(tuple(sorted(origins[name] for name in changed_names)), tuple(settings))


def _module_files(function: Function, state: ProjectState) -> dict[str, str]:
    """Map each module that a function can import to its project file; the first one in import order wins."""
    file_by_module: dict[str, str] = {}
    for key in mounted_artifacts(function):
        artifact = state.artifacts.get(key)
        if artifact is None:
            continue
        for name, origin in artifact.origins.items():
            if module := import_graphs.module_name(_path_on_sys_path(name, artifact)):
                file_by_module.setdefault(module, origin)
    return file_by_module


def _path_on_sys_path(name: str, state: ArtifactState) -> str:
    """Return the path of an ingredient relative to the sys.path folder it is in."""
    if not state.artifact.is_zipped_as_is:
        return (PurePosixPath(state.artifact.package_folder) / name).as_posix()
    inner = name.removeprefix(f"{LAYER_MODULES}/")
    return inner.removeprefix(f"{site_packages(state.artifact.runtime)}/")


def _modules_of(path: str, file_by_module: Mapping[str, str]) -> list[str]:
    if path.endswith(".py"):
        return [module for module, origin in file_by_module.items() if origin == path]
    for folder in PurePosixPath(path).parents:
        siblings = [module for module, origin in file_by_module.items() if PurePosixPath(origin).parent == folder]
        if siblings:
            return siblings
    return []
