"""The artifacts of a stack, one per function or layer, and the ingredients that their bytes depend on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.building import bytecode, sources
from automation.lambda_runtime.paths import LAYER_MODULES, OPT_ROOT, TASK_ROOT
from automation.project import templates
from automation.project.architectures import X86_64
from automation.project.model import Function, Layer, Stack
from automation.project.templates import Unresolved
from automation.system import files
from automation.system.errors import ConfigurationError

BUILDER = "6"
_PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A function or layer to build.

    Attributes:
        source: its code folder; the requirements.txt in it is installed.
        folder: the same, relative to the project root.
        runtime: `python3.12`; empty for a layer that is zipped as it is and names none.
        is_layer: Lambda mounts a layer at /opt, a function at /var/task.
        is_zipped_as_is: a layer without BuildMethod, whose folder SAM zips unchanged: nothing is installed or nested.
    """

    stack: str
    logical_id: str
    source: Path
    folder: str
    runtime: str
    architecture: str
    is_layer: bool
    is_zipped_as_is: bool = False

    @property
    def mounted_at(self) -> str:
        return OPT_ROOT if self.is_layer else TASK_ROOT

    @property
    def nested_in(self) -> str:
        """Return the folder of the artifact that contains its modules: `python` for a layer with a BuildMethod."""
        return LAYER_MODULES if self.is_layer and not self.is_zipped_as_is else ""

    @property
    def lock(self) -> Path | None:
        """Return the requirements to install; None when there are none."""
        path = self.source / sources.REQUIREMENTS
        return path if path.is_file() and not self.is_zipped_as_is else None

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


def of_stack(stack: Stack, root: Path) -> tuple[Artifact, ...]:
    """Return the artifacts of a stack whose code is a folder on this disk.

    Raises:
        ConfigurationError: a folder is missing, a target is not a Python one, or it is only known at deploy time.
    """
    functions = [
        _function(function, stack, root)
        for function in stack.functions
        if _is_folder(function.code_uri, function, stack, root)
    ]
    layers = [_layer(layer, stack, root) for layer in stack.layers if _is_folder(layer.content_uri, layer, stack, root)]
    return (*functions, *layers)


def ingredients(artifact: Artifact, *, builder: str = BUILDER) -> Ingredients:
    """Read the ingredients of an artifact.

    Raises:
        ConfigurationError: a file cannot be read or shipped.
    """
    settings = {
        "builder": builder,
        "runtime": artifact.runtime,
        "architecture": artifact.architecture,
        "mounted at": f"{artifact.mounted_at}/{artifact.nested_in}",
        "bytecode by": bytecode.describe_interpreter(artifact.version) if artifact.version else "",
    }
    source_files = sources.list_files(artifact.source, display_name=artifact.folder)
    digests = {file.name: _digest(file) for file in source_files}
    for lock in sources.lock_files(artifact.lock) if artifact.lock else ():
        name = lock.relative_to(artifact.source, walk_up=True).as_posix()
        digests[name] = files.digest_of(line for _, line in sources.requirement_lines(lock))
    return Ingredients(settings, digests)


def unknown_code(stack: Stack) -> tuple[str, ...]:
    """Return the functions and layers that cannot be built, because their code path is only known at deploy time."""
    code_paths = [(function.logical_id, function.code_uri) for function in stack.functions]
    code_paths += [(layer.logical_id, layer.content_uri) for layer in stack.layers]
    return tuple(f"{name} ({uri})" for name, uri in code_paths if isinstance(uri, Unresolved) and "{" in uri.expression)


def _digest(file: sources.SourceFile) -> str:
    digest = files.digest(file.path.read_bytes())
    return f"{digest}+x" if file.is_program else digest


def _is_folder(uri: Any, owner: Function | Layer, stack: Stack, root: Path) -> bool:
    if not isinstance(uri, str):
        return False
    if not (root / uri).exists():
        message = f"its code {uri} does not exist; run inv sync, or correct the path"
        raise ConfigurationError(message, where=f"{stack.template.path}: {owner.logical_id}")
    return (root / uri).is_dir()


def _function(function: Function, stack: Stack, root: Path) -> Artifact:
    where = f"{stack.template.path}: {function.logical_id}"
    _require_python_method(function.metadata.get("BuildMethod", function.runtime), where)
    uri = str(function.code_uri)
    return Artifact(
        stack=stack.name,
        logical_id=function.logical_id,
        source=root / uri,
        folder=uri,
        runtime=_require_known("Runtime", function.runtime, where),
        architecture=_require_known("Architectures", next(iter(function.architectures), X86_64), where),
        is_layer=False,
    )


def _layer(layer: Layer, stack: Stack, root: Path) -> Artifact:
    where = f"{stack.template.path}: {layer.logical_id}"
    method = layer.metadata.get("BuildMethod")
    if method is None:
        names = (name for name in layer.runtimes if isinstance(name, str) and name.startswith(_PYTHON))
        runtime = next(names, "")
    else:
        _require_python_method(method, where)
        runtime = str(method)

    named = layer.metadata.get("BuildArchitecture", next(iter(layer.architectures), X86_64))
    architecture = templates.resolve(named, stack.template, stack.parameters)
    uri = str(layer.content_uri)
    return Artifact(
        stack=stack.name,
        logical_id=layer.logical_id,
        source=root / uri,
        folder=uri,
        runtime=runtime,
        architecture=_require_known("BuildArchitecture", architecture, where),
        is_layer=True,
        is_zipped_as_is=method is None,
    )


def _require_python_method(method: Any, where: str) -> None:
    if isinstance(method, str) and method and not method.startswith("python3."):
        message = f"{method} cannot be built here, only Python can; run inv build --engine sam"
        raise ConfigurationError(message, where=where)


def _require_known(name: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        problem = f"{name} is {value}, which is only known at deploy time" if value else f"{name} is missing"
        raise ConfigurationError(f"{problem}; set it to a literal or to a parameter", where=where)
    return value
