"""The artifacts of a stack, one per function or layer, and the ingredients that their bytes depend on."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from automation.building import bytecode, dependencies, parent_packages, references, sources
from automation.building.references import References
from automation.lambda_runtime.paths import LAYER_MODULES, OPT_ROOT, TASK_ROOT
from automation.project.architectures import X86_64
from automation.project.model import Function, Layer, Stack
from automation.project.templates import Unresolved
from automation.system import files
from automation.system.errors import ConfigurationError

BUILDER = "8"
_PYTHON = "python"
_PYTHON_UV = "python-uv"

type KnownReferences = dict[tuple[Path, ...], References]
type OnFailure = Callable[[str, ConfigurationError], None]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A function or layer to build.

    Attributes:
        source: its code folder; what its requirements.txt, or else its lock lists is installed.
        folder: the same, relative to the project root.
        runtime: `python3.12`; empty for a layer that is zipped as it is and names none.
        is_layer: Lambda mounts a layer at /opt, a function at /var/task.
        is_uv_project: SAM builds it with `python-uv`, for which a pyproject.toml is enough.
        root: the project root, where relative paths in requirements start.
        is_zipped_as_is: a layer without BuildMethod, or a function with SkipBuild or of one file, whose folder SAM
            zips unchanged: nothing is installed or nested.
        package_folder: the folder below the modules that contains the source, for ParentPackageMode; usually empty.
        has_bytecode: bytecode is added to it, unless only that puts it over Lambda's limit.
        code_folders: the code folders of its stack, whose code may refer to what pruning would remove.
    """

    stack: str
    logical_id: str
    source: Path
    folder: str
    runtime: str
    architecture: str
    is_layer: bool
    is_zipped_as_is: bool = False
    is_uv_project: bool = False
    root: Path = Path()
    code_folders: tuple[Path, ...] = ()
    has_bytecode: bool = True
    package_folder: str = ""

    @property
    def mounted_at(self) -> str:
        return OPT_ROOT if self.is_layer else TASK_ROOT

    @property
    def nested_in(self) -> str:
        """Return the folder of the artifact that contains its modules: `python` for a layer with a BuildMethod."""
        return LAYER_MODULES if self.is_layer and not self.is_zipped_as_is else ""

    @property
    def lock(self) -> Path | None:
        """Return the file that lists what to install; None when there is none."""
        if self.is_zipped_as_is:
            return None
        return dependencies.of_folder(self.source, self.root, takes_pyproject=self.is_uv_project)

    @property
    def version(self) -> str:
        """Return the version of Python, `3.12`; empty when the artifact has no runtime."""
        return self.runtime.removeprefix(_PYTHON)


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Everything that an artifact's bytes depend on.

    Attributes:
        settings: builder, target and interpreter, by name.
        files: the digest of each source file, and of each requirement file without its comments, by name.
    """

    settings: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        parts = [str(len(self.settings))]
        for table in (self.settings, self.files):
            for name, value in sorted(table.items()):
                parts += [name, value]
        return files.digest_of(parts)


def of_stack(
    stack: Stack, root: Path, *, with_foreign: bool = False, on_failure: OnFailure | None = None
) -> tuple[Artifact, ...]:
    """Return the artifacts of a stack that are built: everything but what the stack skips.

    Args:
        with_foreign: include what only SAM builds; such an artifact has no runtime and is never built by us.
        on_failure: is called with the logical id of each that has a fault, and the fault; the others are returned.

    Raises:
        ConfigurationError: a folder is missing or is a file, or a property has no value, and nobody takes the failure.
    """
    skips = {entry.logical_id: entry for entry in stack.skipped}
    artifacts: list[Artifact] = []
    for owner in stack.owners:
        with _failures_to(on_failure, owner.logical_id):
            if owner.logical_id not in skips:
                artifacts.append(_of_owner(owner, stack, root))
    code_folders = tuple(sorted({artifact.source for artifact in artifacts}))
    own = tuple(replace(artifact, code_folders=code_folders) for artifact in artifacts)
    if not with_foreign:
        return own
    foreign = (owner for owner in stack.owners if owner.logical_id in skips and skips[owner.logical_id].is_built_by_sam)
    return (*own, *(_foreign(owner, stack, root) for owner in foreign))


def all_ingredients(
    artifacts: Iterable[Artifact], *, builder: str, on_failure: OnFailure | None = None
) -> dict[str, Ingredients]:
    """Read the ingredients of artifacts, by logical id.

    Args:
        on_failure: as in `of_stack`.

    Raises:
        ConfigurationError: a file cannot be read or shipped, and nobody takes the failure.
    """
    ingredients_by_id: dict[str, Ingredients] = {}
    known: KnownReferences = {}
    for artifact in artifacts:
        with _failures_to(on_failure, artifact.logical_id):
            ingredients_by_id[artifact.logical_id] = ingredients(artifact, builder=builder, known=known)
    return ingredients_by_id


def ingredients(artifact: Artifact, *, builder: str = BUILDER, known: KnownReferences | None = None) -> Ingredients:
    """Read the ingredients of an artifact.

    Args:
        known: as in `own_references`.

    Raises:
        ConfigurationError: a file cannot be read or shipped.
    """
    settings = {
        "builder": builder,
        "runtime": artifact.runtime,
        "architecture": artifact.architecture,
        "mounted at": f"{artifact.mounted_at}/{artifact.nested_in}",
        "bytecode by": _describe_interpreter(artifact),
    }
    if artifact.package_folder:
        settings["package"] = artifact.package_folder
    source_files = sources.list_files(artifact.source, display_name=artifact.folder)
    if referred := str(own_references(artifact, known)):
        settings["refers to"] = referred

    digests = {file.name: _digest(file) for file in source_files}
    digests |= locked_files(artifact)
    if not artifact.runtime:  # what another builder makes may depend on the files that we never ship
        present = (name for name in sources.NEVER_SHIPPED if (artifact.source / name).is_file())
        digests |= {name: files.digest((artifact.source / name).read_bytes()) for name in present}
    return Ingredients(settings, digests)


def locked_files(artifact: Artifact) -> dict[str, str]:
    """Return the digest of each file that decides what is installed, by its path relative to the code folder.

    Raises:
        ConfigurationError: a file cannot be read or parsed, or one that it names does not exist.
    """
    digests = dependencies.digests(artifact.lock, artifact.root) if artifact.lock else {}
    return {_relative(path, artifact.source): digest for path, digest in digests.items()}


@contextmanager
def _failures_to(on_failure: OnFailure | None, logical_id: str) -> Iterator[None]:
    """Pass a failure of the block on; raise it where nobody takes it."""
    try:
        yield
    except ConfigurationError as failure:
        if on_failure is None:
            raise
        on_failure(logical_id, failure)


def _of_owner(owner: Function | Layer, stack: Stack, root: Path) -> Artifact:
    return _function(owner, stack, root) if isinstance(owner, Function) else _layer(owner, stack, root)


def _relative(path: Path, folder: Path) -> str:
    """Return a path relative to a code folder; a folder that requirements name may lie anywhere."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _describe_interpreter(artifact: Artifact) -> str:
    return bytecode.describe_interpreter(artifact.version) if artifact.version and artifact.has_bytecode else ""


def own_references(artifact: Artifact, known: KnownReferences | None = None) -> References:
    """Return what the code of the artifact's stack refers to in installed packages; nothing when it installs none.

    Args:
        known: what was read before, by code folders; all artifacts of a stack have the same ones.
    """
    if not artifact.lock:
        return References()
    code_folders = artifact.code_folders or (artifact.source,)
    known = {} if known is None else known
    if code_folders not in known:
        known[code_folders] = references.of_own_files(chain.from_iterable(map(_own_paths, code_folders)))
    return known[code_folders]


def _own_paths(folder: Path) -> Iterator[Path]:
    """Yield the files of a code folder; one with a fault, which its own artifact reports, counts as empty."""
    try:
        source_files = sources.list_files(folder, display_name=folder.name)
    except ConfigurationError:
        return
    yield from (file.path for file in source_files)


def unknown_code(stack: Stack) -> tuple[str, ...]:
    """Return the functions and layers that cannot be built, because their code path is only known at deploy time."""
    code_paths = [(function.logical_id, function.code_uri) for function in stack.functions]
    code_paths += [(layer.logical_id, layer.content_uri) for layer in stack.layers]
    return tuple(f"{name} ({uri})" for name, uri in code_paths if isinstance(uri, Unresolved) and "{" in uri.expression)


def _digest(file: sources.SourceFile) -> str:
    digest = files.digest(files.read(file.path))
    return f"{digest}+x" if file.is_program else digest


def _source(uri: str, owner: Function | Layer, stack: Stack, root: Path) -> Path:
    """Return the code folder of a function or layer; a function may also be one file, which `sam package` zips."""
    path, where = root / uri, f"{stack.template.path}: {owner.logical_id}"
    if not path.exists():
        message = f"its code {uri} does not exist; correct the path, or make it before the build"
        raise ConfigurationError(message, where=where)
    if not path.is_dir() and isinstance(owner, Layer):
        raise ConfigurationError(f"its content {uri} is a file; name the folder that contains it", where=where)
    return path


def _function(function: Function, stack: Stack, root: Path) -> Artifact:
    where = f"{stack.template.path}: {function.logical_id}"
    uri = str(function.code_uri)
    source = _source(uri, function, stack, root)
    return Artifact(
        stack=stack.name,
        logical_id=function.logical_id,
        source=source,
        folder=uri,
        runtime=_require_text("Runtime", function.runtime, where),
        architecture=_require_text("Architectures", next(iter(function.architectures), X86_64), where),
        is_layer=False,
        is_zipped_as_is=bool(function.metadata.get("SkipBuild")) or source.is_file(),
        is_uv_project=function.metadata.get("BuildMethod") == _PYTHON_UV,
        has_bytecode=_has_bytecode(function),
        root=root,
        package_folder=parent_packages.folder(function, root),
    )


def _layer(layer: Layer, stack: Stack, root: Path) -> Artifact:
    method = layer.metadata.get("BuildMethod")
    runtime = str(method)
    if method in {None, _PYTHON_UV}:
        names = (name for name in layer.runtimes if isinstance(name, str) and name.startswith(_PYTHON))
        runtime = next(names, "")

    architecture = layer.metadata.get("BuildArchitecture") or next(iter(layer.architectures), X86_64)
    uri = str(layer.content_uri)
    return Artifact(
        stack=stack.name,
        logical_id=layer.logical_id,
        source=_source(uri, layer, stack, root),
        folder=uri,
        runtime=runtime,
        architecture=_require_text("BuildArchitecture", architecture, f"{stack.template.path}: {layer.logical_id}"),
        is_layer=True,
        is_zipped_as_is=method is None,
        is_uv_project=method == _PYTHON_UV,
        has_bytecode=_has_bytecode(layer),
        root=root,
    )


def _has_bytecode(owner: Function | Layer) -> bool:
    """Return whether bytecode is added; `Metadata: {Alchemiser: {Bytecode: false}}` forbids it, for its size."""
    own = owner.metadata.get("Alchemiser")
    return not (isinstance(own, Mapping) and own.get("Bytecode") is False)


def _foreign(owner: Function | Layer, stack: Stack, root: Path) -> Artifact:
    """Return what only SAM builds, so that a change of its folder is noticed."""
    uri = owner.code_uri if isinstance(owner, Function) else owner.content_uri
    if uri is None:  # an image
        folder = stack.code_folder or PurePosixPath(stack.template.path).parent
        uri = (PurePosixPath(folder) / str(owner.metadata["DockerContext"])).as_posix()
    return Artifact(
        stack=stack.name,
        logical_id=owner.logical_id,
        source=_source(str(uri), owner, stack, root),
        folder=str(uri),
        runtime="",
        architecture=str(next(iter(owner.architectures), X86_64)),
        is_layer=isinstance(owner, Layer),
        is_zipped_as_is=True,
        root=root,
    )


def _require_text(name: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        problem = f"{name} is {value}, which is not a text" if value else f"{name} is missing"
        raise ConfigurationError(f"{problem}; set it to a literal or to a parameter", where=where)
    return value
