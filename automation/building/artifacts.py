"""One artifact a function or layer, and everything that it is made of."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.building import bytecode, sources
from automation.project import templates
from automation.project.model import Function, Layer, Stack
from automation.project.templates import Unresolved
from automation.system import files
from automation.system.errors import ConfigurationError

BUILDER = "6"
_PYTHON = "python"
_X86 = "x86_64"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a function or layer is built from.

    Attributes:
        source: its code folder; a requirements.txt in it is what is installed.
        called: the folder relative to the project root.
        runtime: `python3.12`; empty for a layer that is taken as it stands and names none.
        is_layer: it is mounted at /opt, else at /var/task.
        is_as_it_stands: a layer without BuildMethod, whose folder SAM zips unchanged: nothing is installed or nested.
    """

    stack: str
    logical_id: str
    source: Path
    called: str
    runtime: str
    architecture: str
    is_layer: bool
    is_as_it_stands: bool = False

    @property
    def mounted_at(self) -> str:
        return "/opt" if self.is_layer else "/var/task"

    @property
    def nested_in(self) -> str:
        """The folder of the artifact that the modules are in: a BuildMethod puts a layer's under `python/`."""
        return _PYTHON if self.is_layer and not self.is_as_it_stands else ""

    @property
    def lock(self) -> Path | None:
        """The requirements to install, if there are any."""
        path = self.source / sources.REQUIREMENTS
        return path if path.is_file() and not self.is_as_it_stands else None

    @property
    def version(self) -> str:
        """`3.12`, or empty."""
        return self.runtime.removeprefix(_PYTHON)


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Everything that an artifact's bytes depend on.

    Attributes:
        settings: builder, target and interpreter, by name.
        files: the digest of each source file and of each requirement file without its comments, by name.
    """

    settings: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        parts = [part for table in (self.settings, self.files) for pair in sorted(table.items()) for part in pair]
        return files.digest_of([str(len(self.settings)), *parts])


def of_stack(stack: Stack, root: Path) -> tuple[Artifact, ...]:
    """The artifacts of a stack whose code is a folder on this disk.

    Raises:
        ConfigurationError: a folder is absent, a target is not Python's, or only CloudFormation can know it.
    """
    functions = [_function(one, stack, root) for one in stack.functions if _is_folder(one.code_uri, one, stack, root)]
    layers = [_layer(one, stack, root) for one in stack.layers if _is_folder(one.content_uri, one, stack, root)]
    return (*functions, *layers)


def ingredients(artifact: Artifact, *, builder: str = BUILDER) -> Ingredients:
    """Read everything that an artifact is made of.

    Raises:
        ConfigurationError: something of it cannot be read.
    """
    settings = {
        "builder": builder,
        "runtime": artifact.runtime,
        "architecture": artifact.architecture,
        "mounted at": f"{artifact.mounted_at}/{artifact.nested_in}",
        "bytecode by": bytecode.maker(artifact.version) if artifact.version else "",
    }
    found = {one.name: _digest(one) for one in sources.of_folder(artifact.source, called=artifact.called)}
    for lock in sources.lock_files(artifact.lock) if artifact.lock else ():
        name = lock.relative_to(artifact.source, walk_up=True).as_posix()
        found[name] = files.digest_of(line for _, line in sources.requirement_lines(lock))
    return Ingredients(settings, found)


def unknown(stack: Stack) -> tuple[str, ...]:
    """The functions and layers whose code folder only CloudFormation can know, and so nobody builds."""
    owners = [(one.logical_id, one.code_uri) for one in stack.functions]
    owners += [(one.logical_id, one.content_uri) for one in stack.layers]
    return tuple(f"{name} ({uri})" for name, uri in owners if isinstance(uri, Unresolved) and "{" in uri.expression)


def host_architecture() -> str:
    """This machine's, in Lambda's words."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else _X86


def _digest(one: sources.SourceFile) -> str:
    digest = files.digest(one.path.read_bytes())
    return f"{digest}+x" if one.is_program else digest


def _is_folder(uri: Any, owner: Function | Layer, stack: Stack, root: Path) -> bool:
    if not isinstance(uri, str):
        return False
    if not (root / uri).exists():
        message = f"its code {uri} does not exist; run inv sync, or correct the path"
        raise ConfigurationError(message, where=f"{stack.template.path}: {owner.logical_id}")
    return (root / uri).is_dir()


def _function(one: Function, stack: Stack, root: Path) -> Artifact:
    where = f"{stack.template.path}: {one.logical_id}"
    _require_python_method(one.metadata.get("BuildMethod", one.runtime), where)
    runtime = _known("Runtime", one.runtime, where)
    architecture = _known("Architectures", next(iter(one.architectures), _X86), where)
    uri = str(one.code_uri)
    return Artifact(stack.name, one.logical_id, root / uri, uri, runtime, architecture, is_layer=False)


def _layer(one: Layer, stack: Stack, root: Path) -> Artifact:
    where = f"{stack.template.path}: {one.logical_id}"
    method = one.metadata.get("BuildMethod")
    uri = str(one.content_uri)
    named = one.metadata.get("BuildArchitecture", next(iter(one.architectures), _X86))
    architecture = _known("BuildArchitecture", templates.resolve(named, stack.template, stack.parameters), where)
    if method is None:
        runtime = next((name for name in one.runtimes if isinstance(name, str) and name.startswith(_PYTHON)), "")
        return Artifact(
            stack.name, one.logical_id, root / uri, uri, runtime, architecture, is_layer=True, is_as_it_stands=True
        )
    _require_python_method(method, where)
    return Artifact(stack.name, one.logical_id, root / uri, uri, str(method), architecture, is_layer=True)


def _require_python_method(method: Any, where: str) -> None:
    if isinstance(method, str) and method and not method.startswith("python3."):
        message = f"{method} is not built here, only Python is; run inv build --engine sam"
        raise ConfigurationError(message, where=where)


def _known(name: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name} is {value or 'absent'}, and a build must know it", where=where)
    return value
