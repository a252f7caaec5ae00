"""The environment `local` as pyproject.toml and samconfig.toml describe it."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from automation.project import environments, model
from automation.system.aws import Target
from automation.system.errors import UsageError

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Local:
    """Where the sandbox's cloud answers, and the names of the stacks in the order of deployment."""

    target: Target
    stacks: tuple[str, ...]


def read_local(root: Path, env: str = LOCAL) -> Local:
    """Read it.

    Raises:
        UsageError: env is another environment, or none of the project's.
        ConfigurationError: pyproject.toml, samconfig.toml or a template is wrong.
    """
    loaded = model.load(root)
    environment = environments.load(loaded, env, variables=os.environ, machine=platform.machine())
    if env != LOCAL:
        raise UsageError(f"days are played in the sandbox alone; say --env {LOCAL}", where=f"--env {env}")
    settings = environments.stack_settings(loaded, environment, environments.read_samconfig(root))
    return Local(environments.target(environment, os.environ), tuple(one.stack_name for one in settings))
