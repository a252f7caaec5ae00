"""Build the stacks' artifacts, and not at all when nothing they are made of has changed.

An engine works in a folder of its own for each stack, `.alchemiser/build/<stack>/`. A finished build is then moved to
the stack's build_dir, so that an interrupted or failed one leaves the last good one.
"""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation import console, engines, files, outputs, templates
from automation.engines import Engine
from automation.errors import ConfigurationError
from automation.project import Project, Stack

_WAIT_S = 900.0
_CODE_PROPERTIES = frozenset(
    {"Architectures", "Runtime", "CodeUri", "ContentUri", "Handler", "CompatibleArchitectures", "CompatibleRuntimes"}
)
_IGNORED = frozenset({"__pycache__", ".aws-sam"})


@dataclass(frozen=True, slots=True)
class Built:
    """One stack's build.

    Attributes:
        template: the built template, which names the artifacts.
        is_new: it was made now; else everything was found unchanged.
    """

    stack: str
    template: Path
    is_new: bool
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """What a finished build was made from, and how its output looked then."""

    inputs: str
    output: str


@dataclass(frozen=True, slots=True)
class _Job:
    """One stack, the parameters its build is told, and the digest of what it is made of."""

    stack: Stack
    parameters: Mapping[str, str]
    made_of: str


def built_template(stack: Stack, root: Path) -> Path:
    return root / stack.build_dir / "template.yaml"


def deployed_template(stack: Stack, root: Path) -> Path:
    """The template to deploy: the one that names zips where the engine packed them, else the one that names folders."""
    packed = root / stack.build_dir / outputs.PACKED
    return packed if packed.is_file() else built_template(stack, root)


def inputs(stack: Stack, root: Path, *, parameters: Mapping[str, str], tool: bytes) -> str:
    """The digest of everything that a stack's artifacts are made of.

    Args:
        parameters: the template parameters that the build is told.
        tool: what the engine adds: its name and version.

    Raises:
        ConfigurationError: a code folder is absent.
    """
    parts: list[str | bytes] = [tool, (root / stack.template.path).read_bytes(), json.dumps(parameters, sort_keys=True)]
    for owner, uri in code_folders(stack):
        folder = root / uri
        if not folder.exists():
            message = f"its code {uri} does not exist; run inv sync, or correct the path"
            raise ConfigurationError(message, where=f"{stack.template.path}: {owner}")
        parts.append(uri)
        parts.extend(_content(folder))
    return files.digest_of(parts)


def code_folders(stack: Stack) -> tuple[tuple[str, str], ...]:
    """(logical id, folder) of each function and layer whose code is on this disk."""
    functions = ((function.logical_id, function.code_uri) for function in stack.functions)
    layers = ((layer.logical_id, layer.content_uri) for layer in stack.layers)
    return tuple((owner, uri) for owner, uri in [*functions, *layers] if isinstance(uri, str))


def is_current(stack: Stack, root: Path, *, made_of: str) -> bool:
    """Is the stack's output there, made of these inputs, and as the build left it?"""
    record = _read_record(_record_path(stack, root))
    if record is None or record.inputs != made_of or not built_template(stack, root).is_file():
        return False
    return record.output == files.signature(root / stack.build_dir)


def build(
    project: Project,
    *,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    force: bool = False,
    engine: Engine = Engine.UV,
) -> tuple[Built, ...]:
    """Build every stack that is not current, all at once.

    Args:
        parameters: values for template parameters, by stack; those that no artifact depends on are ignored.

    Raises:
        ConfigurationError: a code folder is absent.
        ToolError: the engine's tool failed; its last lines are in the message.
    """
    with files.lock(project.root / ".alchemiser" / "build.lock", wait_s=_WAIT_S, doing="building"):
        tool = engines.ingredient(engine, project.root)
        jobs = [_job(stack, project.root, (parameters or {}).get(stack.name, {}), tool) for stack in project.stacks]
        stale = [job for job in jobs if force or not is_current(job.stack, project.root, made_of=job.made_of)]
        fresh = {one.stack: one for one in _build_all(stale, project.root, engine)}
    known = [Built(stack.name, built_template(stack, project.root), is_new=False) for stack in project.stacks]
    return tuple(fresh.get(one.stack, one) for one in known)


def build_parameters(stack: Stack, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters that artifacts depend on and whose value is not the template's default."""
    template = stack.template
    owners = [template.resources[name] for name, _ in code_folders(stack)]
    owners += [{"Properties": shared} for shared in template.globals.values()]
    names = templates.references([[_code_properties(owner), owner.get("Metadata")] for owner in owners])
    defaults = template.defaults()
    return {name: value for name, value in parameters.items() if name in names and defaults.get(name) != value}


def show(built: tuple[Built, ...]) -> None:
    """Print where each stack's artifacts are, and whether they were made now."""
    rows = [
        (one.stack, _short(one.template), "built" if one.is_new else "unchanged", f"{one.seconds:.1f}") for one in built
    ]
    console.table(("stack", "template", "status", "seconds"), rows, right=("seconds",))


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def require_built(project: Project) -> None:
    """Raises ConfigurationError when a stack has never been built."""
    for stack in project.stacks:
        if not built_template(stack, project.root).is_file():
            raise ConfigurationError("there is no build; run inv build", where=stack.build_dir)


def read_built(stack: Stack, root: Path) -> templates.Template:
    """The built template, whose code folders are the artifacts, relative to its own folder."""
    return templates.read(built_template(stack, root), name=f"{stack.build_dir}/template.yaml")


def _code_properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    properties = resource.get("Properties") or {}
    return {key: properties[key] for key in _CODE_PROPERTIES & set(properties)}


def _content(path: Path) -> list[str | bytes]:
    if path.is_file():
        return [path.read_bytes()]
    found = files.walk(path, keep=lambda one: one.name not in _IGNORED)
    return [part for one in found for part in (one.as_posix(), _bytes(path / one))]


def _bytes(path: Path) -> bytes:
    return str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()


def _job(stack: Stack, root: Path, parameters: Mapping[str, str], tool: bytes) -> _Job:
    given = build_parameters(stack, parameters)
    return _Job(stack, given, inputs(stack, root, parameters=given, tool=tool))


def _build_all(stale: list[_Job], root: Path, engine: Engine) -> list[Built]:
    """SAM builds the stacks side by side; our engine does so with the artifacts of each."""
    if not stale:
        return []
    engines.prepare(engine, root)
    names = ", ".join(job.stack.name for job in stale)
    workers = len(stale) if engine is Engine.SAM else 1
    with console.progress(f"building {names}"), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: _build(job, root, engine), stale))


def _build(job: _Job, root: Path, engine: Engine) -> Built:
    started, stack = time.monotonic(), job.stack
    work = root / ".alchemiser" / "build" / stack.name
    out = engines.make(engine, stack, root, parameters=job.parameters, work=work)
    files.remove(_record_path(stack, root))
    files.replace_tree(out, root / stack.build_dir)
    record = {"inputs": job.made_of, "output": files.signature(root / stack.build_dir)}
    files.write_atomically(_record_path(stack, root), json.dumps(record))
    return Built(stack.name, built_template(stack, root), is_new=True, seconds=time.monotonic() - started)


def _record_path(stack: Stack, root: Path) -> Path:
    return root / ".alchemiser" / "build" / f"{stack.name}.json"


def _read_record(path: Path) -> Record | None:
    try:
        content = json.loads(path.read_text())
        return Record(str(content["inputs"]), str(content["output"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
