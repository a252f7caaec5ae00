"""Who makes a stack's artifacts: our own builder on uv, or SAM CLI as the reference.

SAM works in a folder of its own for each stack, because it keeps its cache, its build graph and its downloads by
place and not by template.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from automation.building import artifacts
from automation.project.model import Stack
from automation.system import files, sam, tools
from automation.system.errors import ToolError


class Engine(StrEnum):
    """Who builds."""

    UV = "uv"
    SAM = "sam"


def builder(engine: Engine, root: Path) -> str:
    """What the engine itself adds to an artifact's ingredients: its name, and its version or its tool's lock."""
    lock = tools.lock_file(root, "sam")
    if engine is Engine.SAM:
        return f"sam {files.digest(lock.read_bytes())[:12] if lock.is_file() else 'on PATH'}"
    return f"uv {artifacts.BUILDER}"


def make_with_sam(stack: Stack, root: Path, *, parameters: Mapping[str, str], work: Path) -> Path:
    """Make one stack's build in `work`, a folder kept for this stack.

    Returns:
        The folder of the finished build.

    Raises:
        ToolError: `sam build` failed; its last lines are in the message.
    """
    out = work / "out"
    files.remove(out)
    work.mkdir(parents=True, exist_ok=True)
    template = root / stack.template.path
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    arguments: list[str | Path] = ["build", "--template-file", template, "--base-dir", template.parent]
    arguments += ["--build-dir", out, "--cache-dir", work / "cache", "--cached", "--parallel"]
    arguments += ["--parameter-overrides", *overrides] if overrides else []
    finished = sam.run(sam.ensure(root), arguments, cwd=work)
    if finished.exit_code:
        raise ToolError(f"sam build failed\n{finished.tail()}", where=stack.template.path)
    return out
