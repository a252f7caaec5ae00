"""The engines that build a stack's artifacts: our own builder on uv, and SAM CLI as the reference.

SAM gets a folder per stack to work in, because it keeps its cache, its build graph and its downloads per folder and
not per template.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from automation.building import artifacts
from automation.project.model import Stack
from automation.system import files, sam, tools
from automation.system.errors import ToolError


class Engine(StrEnum):
    """The program that builds the artifacts."""

    UV = "uv"
    SAM = "sam"


def identify(engine: Engine, root: Path) -> str:
    """Return the name of an engine and its version, or the digest of its tool's lock: an ingredient of artifacts."""
    if engine is Engine.UV:
        return f"uv {artifacts.BUILDER}"
    lock = tools.lock_file(root, "sam")
    return f"sam {files.digest(lock.read_bytes())[:12] if lock.is_file() else 'on PATH'}"


def build_with_sam(stack: Stack, root: Path, *, parameters: Mapping[str, str], work: Path) -> Path:
    """Build one stack with `sam build` in `work`, a folder that only this stack uses.

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
