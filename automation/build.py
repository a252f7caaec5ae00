"""Build the stacks' artifacts through `sam build`, and not at all when nothing they are made of has changed.

SAM works in a folder of its own for each stack (`.alchemiser/build/<stack>/`), because it keeps its cache, its build
graph and its downloads (`.aws-sam/deps` of the working directory) by place and not by template. A finished build is
then moved to the stack's build_dir, so that an interrupted or failed one leaves the last good one.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation import console, files, sam, templates, tools
from automation.errors import ConfigurationError, ToolError
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


def inputs(stack: Stack, root: Path, *, parameters: Mapping[str, str], tool: bytes) -> str:
    """The digest of everything that a stack's artifacts are made of.

    Args:
        parameters: the template parameters that the build is told.
        tool: the lock of the tool that builds.

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
    project: Project, *, parameters: Mapping[str, Mapping[str, str]] | None = None, force: bool = False
) -> tuple[Built, ...]:
    """Build every stack that is not current, all at once.

    Args:
        parameters: values for template parameters, by stack; those that no artifact depends on are ignored.

    Raises:
        ConfigurationError: a code folder is absent.
        ToolError: SAM CLI failed; its last lines are in the message.
    """
    with files.lock(project.root / ".alchemiser" / "build.lock", wait_s=_WAIT_S, doing="building"):
        jobs = [_job(stack, project.root, (parameters or {}).get(stack.name, {})) for stack in project.stacks]
        stale = [job for job in jobs if force or not is_current(job.stack, project.root, made_of=job.made_of)]
        fresh = {one.stack: one for one in _build_all(stale, project.root)}
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
    rows = [(one.stack, one.template, "built" if one.is_new else "unchanged", f"{one.seconds:.1f}") for one in built]
    console.table(("stack", "template", "status", "seconds"), rows, right=("seconds",))


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


def _job(stack: Stack, root: Path, parameters: Mapping[str, str]) -> _Job:
    lock = tools.lock_file(root, "sam")
    tool = lock.read_bytes() if lock.is_file() else b""
    given = build_parameters(stack, parameters)
    return _Job(stack, given, inputs(stack, root, parameters=given, tool=tool))


def _build_all(stale: list[_Job], root: Path) -> list[Built]:
    if not stale:
        return []
    program = sam.ensure(root)
    names = ", ".join(job.stack.name for job in stale)
    with console.progress(f"sam build ({names})"), ThreadPoolExecutor(len(stale)) as pool:
        return list(pool.map(lambda job: _build(job, root, program), stale))


def _build(job: _Job, root: Path, program: Path) -> Built:
    stack = job.stack
    work = root / ".alchemiser" / "build" / stack.name
    work.mkdir(parents=True, exist_ok=True)
    finished = sam.run(program, _arguments(stack, root, work, job.parameters), cwd=work)
    if finished.exit_code:
        raise ToolError(f"sam build failed\n{finished.tail()}", where=stack.template.path)
    files.remove(_record_path(stack, root))
    files.replace_tree(work / "out", root / stack.build_dir)
    record = {"inputs": job.made_of, "output": files.signature(root / stack.build_dir)}
    files.write_atomically(_record_path(stack, root), json.dumps(record))
    return Built(stack.name, built_template(stack, root), is_new=True, seconds=finished.seconds)


def _arguments(stack: Stack, root: Path, work: Path, parameters: Mapping[str, str]) -> list[str | Path]:
    template = root / stack.template.path
    folders: list[str | Path] = [
        "--build-dir",
        work / "out",
        "--cache-dir",
        work / "cache",
        "--base-dir",
        template.parent,
    ]
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    chosen = ["--parameter-overrides", *overrides] if overrides else []
    return [
        "build",
        "--template-file",
        template,
        "--base-dir",
        template.parent,
        *folders,
        "--cached",
        "--parallel",
        *chosen,
    ]


def _record_path(stack: Stack, root: Path) -> Path:
    return root / ".alchemiser" / "build" / f"{stack.name}.json"


def _read_record(path: Path) -> Record | None:
    try:
        content = json.loads(path.read_text())
        return Record(str(content["inputs"]), str(content["output"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
