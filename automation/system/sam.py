"""Run SAM CLI: the pinned one of `.tools/sam`, or, in a project without `locks/sam.txt`, the one on PATH."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from automation.system import processes, tools
from automation.system.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


def ensure(root: Path) -> Path:
    """The program; its environment is made when it is not there yet.

    Raises:
        ToolError: there is none, or it could not be installed.
    """
    if tools.lock_file(root, "sam").is_file():
        return tools.ensure("sam", root=root).program("sam")
    found = shutil.which("sam")
    if found is None:
        raise ToolError("sam was not found; pin it in locks/sam.txt (inv lock) or install SAM CLI")
    return Path(found)


def run(
    program: Path,
    arguments: "Sequence[str | Path]",
    *,
    cwd: Path,
    variables: "Mapping[str, str] | None" = None,
    without: "Sequence[str]" = (),
    on_line: "Callable[[str], None] | None" = None,
) -> processes.Finished:
    """Run one command to its end; the caller judges its exit code.

    SAM looks for `python3.12` with pip on PATH. Its own environment has both, so that goes first.

    Args:
        variables: environment variables set for it.
        without: environment variables hidden from it.
    """
    changes = {"SAM_CLI_TELEMETRY": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(variables or {})}
    env = processes.environment(changes, path_first=[program.parent], without=[*_FOREIGN, *without])
    return processes.run([program, *arguments], cwd=cwd, env=env, on_line=on_line, check=False)
