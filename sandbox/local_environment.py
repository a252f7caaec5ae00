"""The environment `local`, as pyproject.toml and samconfig.toml define it."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from automation.project import environments, model
from automation.system.errors import UsageError
from automation.system.targets import ROLE_VARIABLES, Target

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class LocalEnvironment:
    """The endpoint of the sandbox's cloud, and the names of the stacks in the order of deployment."""

    target: Target
    stacks: tuple[str, ...]


def read_local_environment(root: Path, env: str = LOCAL) -> LocalEnvironment:
    """Read the environment from the project's files.

    Raises:
        UsageError: `env` is another environment, or the project does not have it.
        ConfigurationError: pyproject.toml, samconfig.toml or a template is wrong.
    """
    project = model.load(root)
    environment = environments.load(project, env, variables=os.environ, machine=platform.machine())
    if env != LOCAL:
        raise UsageError(f"run-day only works in the sandbox; use --env {LOCAL}", where=f"--env {env}")

    stacks = environments.stack_settings(project, environment, environments.read_samconfig(root))
    # Also when a deployment uses a role, the sandbox itself is run by the owner of its account.
    variables = {name: value for name, value in os.environ.items() if name not in ROLE_VARIABLES}
    return LocalEnvironment(environments.target(environment, variables), tuple(stack.stack_name for stack in stacks))
