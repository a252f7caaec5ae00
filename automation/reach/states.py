"""What a build would make of one state of a project: each artifact, what it is made of, and which files that was."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.building import artifacts, source_copies, sources
from automation.building.artifacts import Artifact, Ingredients
from automation.project import environments, model
from automation.project.model import Project, Stack
from automation.system.errors import AutomationError

_BUILDER = re.compile(r"^BUILDER = \"([^\"]+)\"", re.MULTILINE)
_MODULES = "python"
BUILDER_FILE = f"{Path(__file__).parent.parent.name}/building/artifacts.py"

type Key = tuple[str, str]
type Parameters = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Part:
    """An artifact of one state.

    Attributes:
        origins: the file of the project that each of its ingredients is, by the ingredient's name.
        locks: those of these files that say what is to be installed.
        folders: where its modules are found, in the order of sys.path.
    """

    artifact: Artifact
    ingredients: Ingredients
    origins: Mapping[str, str]
    locks: frozenset[str]
    folders: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class State:
    """A project at one time.

    Attributes:
        parts: by stack and logical id.
        parameters: of each environment, by stack; under the empty name the templates' own defaults.
        unknown: functions and layers whose code only CloudFormation knows.
    """

    project: Project
    parts: Mapping[Key, Part]
    parameters: Parameters
    unknown: tuple[str, ...] = ()


def read(root: Path, *, real_root: Path) -> State:
    """The state in a folder that may be written to: its generated trees are made.

    Args:
        real_root: the working copy, whose code folders that git ignores count as unchanged.

    Raises:
        ConfigurationError: the project cannot be read, or something to build is absent.
    """
    loaded = model.load(root)
    for uri in (*(one.code_uri for one in loaded.functions), *(one.content_uri for one in loaded.layers)):
        if isinstance(uri, str) and (real_root / uri).is_dir():
            (root / uri).mkdir(parents=True, exist_ok=True)
    source_copies.sync(loaded)
    builder = builder_of(root)
    targets = {tree.target for tree in source_copies.trees(loaded)}
    found = [artifact for stack in loaded.stacks for artifact in artifacts.of_stack(stack, root)]
    parts = {(one.stack, one.logical_id): _part(one, builder, targets) for one in found}
    unknown = tuple(name for stack in loaded.stacks for name in artifacts.unknown(stack))
    return State(loaded, parts, _parameters(loaded), unknown)


def nothing(root: Path) -> State:
    """The state of a project before there was one."""
    return State(Project(root, "", (), model.Budgets(), {}), {}, {"": {}})


def stack_named(state: State, name: str) -> Stack | None:
    return next((stack for stack in state.project.stacks if stack.name == name), None)


def builder_of(root: Path) -> str:
    """The version of the builder that lies in a project; a project without one is built by this one."""
    path = root / BUILDER_FILE
    found = _BUILDER.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found[1] if found else artifacts.BUILDER


def _part(artifact: Artifact, builder: str, targets: set[str]) -> Part:
    made_of = artifacts.ingredients(artifact, builder=builder)
    folders: tuple[Path, ...] = (artifact.source,)
    if artifact.is_as_it_stands:
        folders = (artifact.source / _MODULES / "lib" / artifact.runtime / "site-packages", artifact.source / _MODULES)
    origins = {name: _origin(name, artifact.called, targets) for name in made_of.files}
    locks = sources.lock_files(artifact.lock) if artifact.lock else ()
    required = frozenset(origins[one.relative_to(artifact.source, walk_up=True).as_posix()] for one in locks)
    return Part(artifact, made_of, origins, required, tuple(one for one in folders if one.is_dir()))


def _origin(name: str, folder: str, targets: set[str]) -> str:
    """The file that a person edits: of a generated tree the source, else the file in the code folder itself."""
    path = os.path.normpath(f"{folder}/{name}")
    target = next((one for one in targets if path.startswith(f"{os.path.normpath(one)}/")), None)
    return path if target is None else path.removeprefix(f"{os.path.normpath(target)}/")


def _parameters(loaded: Project) -> dict[str, Mapping[str, Mapping[str, str]]]:
    """An environment whose parameters cannot be told here is left out: another check says so."""
    found: dict[str, Mapping[str, Mapping[str, str]]] = {"": {}}
    for name in loaded.environments:
        try:
            found[name] = environments.parameters_by_stack(loaded, name, os.environ)
        except AutomationError:
            continue
    return found
