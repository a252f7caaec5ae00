"""Read one state of a project as a build would: each artifact, its ingredients, and the files they come from."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.building import artifacts, dependencies, source_copies
from automation.building.artifacts import Artifact, Ingredients
from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.project import environments, model
from automation.project.model import Project, Stack
from automation.project.settings import Settings
from automation.system.errors import AutomationError

_BUILDER = re.compile(r"^BUILDER = \"([^\"]+)\"", re.MULTILINE)
BUILDER_FILE = f"{Path(__file__).parent.parent.name}/building/artifacts.py"

type ArtifactKey = tuple[str, str]
type EnvironmentParameters = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class ArtifactState:
    """An artifact of one project state.

    Attributes:
        origins: the project file that a person edits, for each ingredient by its name.
        locks: the origins that are lock files.
        folders: the folders that contain its modules, in the order of sys.path.
    """

    artifact: Artifact
    ingredients: Ingredients
    origins: Mapping[str, str]
    locks: frozenset[str]
    folders: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project at one time.

    Attributes:
        artifacts: by stack and logical id.
        parameters: by environment, stack and parameter name; the empty environment has the templates' own defaults.
        unknown_code: functions and layers whose code path is only known at deploy time.
    """

    project: Project
    artifacts: Mapping[ArtifactKey, ArtifactState]
    parameters: EnvironmentParameters
    unknown_code: tuple[str, ...] = ()


def read(root: Path, *, real_root: Path) -> ProjectState:
    """Read the state of a project snapshot, and generate the source copies in it.

    Args:
        root: the snapshot; it is written to.
        real_root: the working copy. A code folder that exists there but not in the snapshot is ignored by git, and
            counts as unchanged.

    Raises:
        ConfigurationError: the project cannot be read, or a file to build is missing.
    """
    loaded = model.load(root)
    uris = [function.code_uri for function in loaded.functions] + [layer.content_uri for layer in loaded.layers]
    for uri in uris:
        if isinstance(uri, str) and (real_root / uri).is_dir():
            (root / uri).mkdir(parents=True, exist_ok=True)
    source_copies.sync(loaded)

    builder = builder_version(root)
    targets = {tree.target for tree in source_copies.trees(loaded)}
    artifact_states: dict[ArtifactKey, ArtifactState] = {}
    unknown: list[str] = []
    for stack in loaded.stacks:
        for artifact in artifacts.of_stack(stack, root):
            artifact_states[artifact.stack, artifact.logical_id] = _artifact_state(artifact, builder, targets)
        unknown += artifacts.unknown_code(stack)
    return ProjectState(loaded, artifact_states, _parameters(loaded), tuple(unknown))


def empty(root: Path) -> ProjectState:
    """Return the state of a project without any stack."""
    return ProjectState(Project(root, Settings(), ()), {}, {"": {}})


def stack_named(state: ProjectState, name: str) -> Stack | None:
    return next((stack for stack in state.project.stacks if stack.name == name), None)


def builder_version(root: Path) -> str:
    """Return the version of the builder in a project's own `automation`; without one, that of the running builder."""
    path = root / BUILDER_FILE
    match = _BUILDER.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return match[1] if match else artifacts.BUILDER


def _artifact_state(artifact: Artifact, builder: str, targets: set[str]) -> ArtifactState:
    ingredients = artifacts.ingredients(artifact, builder=builder)
    folders: tuple[Path, ...] = (artifact.source,)
    if artifact.is_zipped_as_is and artifact.is_layer:
        modules = artifact.source / LAYER_MODULES
        folders = (modules / site_packages(artifact.runtime), modules)
    origins = {name: _origin(name, artifact.folder, targets) for name in ingredients.files}

    lock_files = dependencies.lock_files(artifact.lock, artifact.root) if artifact.lock else ()
    names = [Path(os.path.relpath(path, artifact.source)).as_posix() for path in lock_files]
    locks = frozenset(origins[name] for name in names if name in origins)
    existing = tuple(folder for folder in folders if folder.is_dir())
    return ArtifactState(artifact, ingredients, origins, locks, existing)


def _origin(name: str, folder: str, targets: set[str]) -> str:
    """Return the file that a person edits: the source of a generated copy, otherwise the file itself."""
    path = os.path.normpath(f"{folder}/{name}")
    for target in targets:
        prefix = f"{os.path.normpath(target)}/"
        if path.startswith(prefix):
            return path.removeprefix(prefix)
    return path


def _parameters(loaded: Project) -> dict[str, Mapping[str, Mapping[str, str]]]:
    """Leave out an environment whose parameters cannot be read: validate reports it."""
    parameters: dict[str, Mapping[str, Mapping[str, str]]] = {"": {}}
    for name in loaded.settings.environments:
        try:
            parameters[name] = environments.parameters_by_stack(loaded, name, os.environ)
        except AutomationError:
            continue
    return parameters
