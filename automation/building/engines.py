"""The engines that build a stack's artifacts: our own builder on uv, and SAM CLI as the reference.

SAM gets a folder per stack to work in, because it keeps its cache, its build graph and its downloads per folder and
not per template.
"""

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import chain
from pathlib import Path

from automation.building import artifacts, dependencies, zips
from automation.project.model import Stack
from automation.system import files, sam, tools
from automation.system.errors import ToolError

# SAM CLI 1.160 and later expands loops when this says so; earlier ones cannot.
_LANGUAGE_EXTENSIONS = "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS"
_UV = "SAM_CLI_BETA_UV_PACKAGE_MANAGER"  # without it SAM CLI refuses BuildMethod: python-uv
_REGION = "us-east-1"


class Engine(StrEnum):
    """The program that builds the artifacts."""

    UV = "uv"
    SAM = "sam"


def identify(engine: Engine, root: Path) -> str:
    """Return the name of an engine with its version and compressor, or its tool's lock: an ingredient of artifacts."""
    if engine is Engine.UV:
        return f"uv {artifacts.BUILDER}, {zips.COMPRESSOR}"
    lock = tools.lock_file(root, "sam")
    return f"sam {files.digest(lock.read_bytes())[:12] if lock.is_file() else 'on PATH'}"


def build_with_sam(
    stack: Stack, root: Path, *, parameters: Mapping[str, str], work: Path, excluded: Sequence[str] = ()
) -> Path:
    """Build one stack with `sam build` in `work`, a folder that only this stack uses.

    Args:
        excluded: the logical ids of what is not built.

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
    arguments: list[str | Path] = ["build", "--template-file", template]
    arguments += ["--build-dir", out, "--cache-dir", work / "cache", "--cached", "--parallel"]
    arguments += ["--parameter-overrides", *overrides] if overrides else []
    arguments += chain.from_iterable(("--exclude", name) for name in excluded)
    arguments += ["--base-dir", root / stack.code_folder] if stack.code_folder else []

    # SAM CLI asks which services a region has, even for a build.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _REGION
    variables = {_LANGUAGE_EXTENSIONS: "1", _UV: "1", "AWS_DEFAULT_REGION": region}
    # pip looks for the paths in requirements from the folder that SAM runs in.
    cwd = root if _installs_from_this_disk(stack, root) else work
    finished = sam.run(sam.ensure(root), arguments, cwd=cwd, variables=variables)
    if finished.exit_code:
        raise ToolError(f"sam build failed\n{finished.tail()}", where=stack.template.path)
    return out


def _installs_from_this_disk(stack: Stack, root: Path) -> bool:
    locks = {artifact.lock for artifact in artifacts.of_stack(stack, root) if artifact.lock}
    return any(dependencies.local_paths(lock, root) for lock in locks)
