"""One artifact a function or layer: a tree and its zip, made once for what they are made of.

The store `.alchemiser/artifacts/<fingerprint>` keeps them, so that a change makes anew only what it reaches, two layers
of one content are made once, and a deployment packs nothing.
"""

import shutil
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from automation import files, wheels, zips
from automation.errors import ConfigurationError
from automation.project import Function, Layer, Stack

BUILDER = "2"
REQUIREMENTS = "requirements.txt"
TREE = "tree"
ZIP = "artifact.zip"
_NEVER_SHIPPED = frozenset({"__pycache__", ".aws-sam", REQUIREMENTS, "requirements.in"})


@dataclass(frozen=True, slots=True)
class Artifact:
    """What one function or layer is made of.

    Attributes:
        source: its code folder; a requirements.txt in it is a lock with hashes.
        mounted_at: where Lambda puts the modules: bytecode names them by that path.
    """

    logical_id: str
    source: Path
    runtime: str
    architecture: str
    is_layer: bool

    @property
    def mounted_at(self) -> str:
        return "/opt/python" if self.is_layer else "/var/task"

    @property
    def lock(self) -> Path:
        return self.source / REQUIREMENTS


def of_stack(stack: Stack, root: Path) -> tuple[Artifact, ...]:
    """The artifacts of a stack whose code is on this disk.

    Raises:
        ConfigurationError: a runtime or an architecture is an intrinsic that only CloudFormation can know.
    """
    functions = (
        Artifact(one.logical_id, root / one.code_uri, *_target(one, stack, one.runtime), is_layer=False)
        for one in stack.functions
        if isinstance(one.code_uri, str)
    )
    layers = (
        Artifact(one.logical_id, root / one.content_uri, *_target(one, stack, *one.runtimes[:1]), is_layer=True)
        for one in stack.layers
        if isinstance(one.content_uri, str)
    )
    return (*functions, *layers)


def fingerprint(artifact: Artifact) -> str:
    """The digest of everything an artifact is made of: sources, lock, target, this builder and its interpreter."""
    parts: list[str | bytes] = [BUILDER, artifact.runtime, artifact.architecture, artifact.mounted_at, sys.version]
    for path in files.walk(artifact.source, keep=lambda one: one.name not in {"__pycache__", ".aws-sam"}):
        parts += [path.as_posix(), (artifact.source / path).read_bytes()]
    return files.digest_of(parts)


def make_all(artifacts: Iterable[Artifact], store: Path) -> Mapping[str, Path]:
    """Make what the store does not hold yet.

    Returns:
        The folder of each artifact in the store, by logical id: its `tree` and its `artifact.zip`.

    Raises:
        ToolError: a lock could not be installed; the store holds nothing of it.
    """
    by_fingerprint = {one.logical_id: (fingerprint(one), one) for one in artifacts}
    missing = {key: one for key, one in by_fingerprint.values() if not (store / key).is_dir()}
    with ThreadPoolExecutor(max_workers=4) as pool:
        for made in [pool.submit(_make, one, store / key) for key, one in missing.items()]:
            made.result()
    return {logical_id: store / key for logical_id, (key, _) in by_fingerprint.items()}


def _make(artifact: Artifact, place: Path) -> None:
    """Staged beside its place and renamed, so that the store holds whole artifacts only."""
    staged = place.with_name(f".{place.name}.new")
    files.remove(staged)
    tree = staged / TREE
    modules = tree / "python" if artifact.is_layer else tree
    try:
        modules.mkdir(parents=True)
        if artifact.lock.is_file():
            wheels.install(artifact.lock, modules, runtime=artifact.runtime, architecture=artifact.architecture)
        shutil.copytree(artifact.source, modules, dirs_exist_ok=True, ignore=_never_shipped)
        wheels.compile_bytecode(modules, runtime=artifact.runtime, mounted_at=artifact.mounted_at)
        zips.pack(tree, staged / ZIP)
        staged.rename(place)
    finally:
        files.remove(staged)


def _never_shipped(_: str, names: list[str]) -> set[str]:
    return set(names) & _NEVER_SHIPPED


def _target(owner: Function | Layer, stack: Stack, runtime: object = "") -> tuple[str, str]:
    architecture = owner.architectures[0] if owner.architectures else "x86_64"
    for name, value in (("Runtime", runtime), ("Architectures", architecture)):
        if not isinstance(value, str) or not value:
            where = f"{stack.template.path}: {owner.logical_id}"
            raise ConfigurationError(f"{name} is {value or 'absent'}, and a build must know it", where=where)
    return str(runtime), str(architecture)
