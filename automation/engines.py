"""Who makes a stack's artifacts: our own builder on uv, or SAM CLI as the reference.

Either writes a whole build, template and artifacts, into a folder of its own. SAM works in that stack's folder too,
because it keeps its cache, its build graph and its downloads by place and not by template.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from automation import artifacts, files, outputs, sam, tools
from automation import project as projects
from automation.errors import ToolError
from automation.project import Stack


class Engine(StrEnum):
    """Who builds."""

    UV = "uv"
    SAM = "sam"


def ingredient(engine: Engine, root: Path) -> bytes:
    """What the engine itself adds to a build's inputs: its name, and its version or its tool's lock."""
    lock = tools.lock_file(root, "sam")
    version = lock.read_bytes() if engine is Engine.SAM and lock.is_file() else artifacts.BUILDER.encode()
    return engine.value.encode() + version


def prepare(engine: Engine, root: Path) -> None:
    """Make what the engine needs, before its builds run side by side."""
    if engine is Engine.SAM:
        sam.ensure(root)


def make(engine: Engine, stack: Stack, root: Path, *, parameters: Mapping[str, str], work: Path) -> Path:
    """Make one stack's build in `work`, a folder kept for this stack.

    Returns:
        The folder of the finished build.

    Raises:
        ToolError: the engine's tool failed; its last lines are in the message.
        ConfigurationError: what to build cannot be known from the template.
    """
    out = work / "out"
    files.remove(out)
    work.mkdir(parents=True, exist_ok=True)
    if engine is Engine.SAM:
        _run_sam(stack, root, parameters=parameters, work=work, out=out)
    else:
        _pack(stack, root, parameters=parameters, out=out)
    return out


def _pack(stack: Stack, root: Path, *, parameters: Mapping[str, str], out: Path) -> None:
    resolved = next(one for one in projects.load(root, parameters=parameters).stacks if one.name == stack.name)
    made = artifacts.make_all(artifacts.of_stack(resolved, root), root / ".alchemiser" / "artifacts")
    outputs.write(stack, root, made, out)


def _run_sam(stack: Stack, root: Path, *, parameters: Mapping[str, str], work: Path, out: Path) -> None:
    template = root / stack.template.path
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    arguments: list[str | Path] = ["build", "--template-file", template, "--base-dir", template.parent]
    arguments += ["--build-dir", out, "--cache-dir", work / "cache", "--cached", "--parallel"]
    arguments += ["--parameter-overrides", *overrides] if overrides else []
    finished = sam.run(sam.ensure(root), arguments, cwd=work)
    if finished.exit_code:
        raise ToolError(f"sam build failed\n{finished.tail()}", where=stack.template.path)
