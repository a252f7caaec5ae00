"""Run SAM CLI: the one that the project locks, otherwise an installed one, otherwise the one that our wheel locks."""

from pathlib import Path
from typing import TYPE_CHECKING

from automation.system import identity_tokens, processes, tools
from automation.system.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_VARIABLES_OF_OTHER_ENVIRONMENTS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


def ensure(root: Path) -> Path:
    """Return the program; create its environment if that is missing.

    Raises:
        ToolError: there is no SAM CLI, or it could not be installed.
    """
    program = tools.find_program(root, "sam")
    if program is None:
        raise ToolError("sam was not found; install SAM CLI, for example with: uv tool install aws-sam-cli")
    return program


def run(
    program: Path,
    arguments: "Sequence[str | Path]",
    *,
    cwd: Path,
    variables: "Mapping[str, str] | None" = None,
    without: "Sequence[str]" = (),
    on_line: "Callable[[str], None] | None" = None,
) -> processes.Finished:
    """Run one command to its end; the caller checks its exit code.

    SAM looks for `python3.12` with pip on PATH. Its own environment has both, so that comes first.

    Args:
        variables: environment variables set for it.
        without: environment variables hidden from it.
    """
    identity_tokens.provide()
    changes = {"SAM_CLI_TELEMETRY": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(variables or {})}
    env = processes.environment(
        changes, path_first=[program.parent], without=[*_VARIABLES_OF_OTHER_ENVIRONMENTS, *without]
    )
    return processes.run([program, *arguments], cwd=cwd, env=env, on_line=on_line, check=False)
