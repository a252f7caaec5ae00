"""The scope of a command that works on an environment: the project, the guards, the target and the stacks."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.deploying import stack_inputs
from automation.project import environments, model
from automation.project.environments import Environment, StackSettings
from automation.project.model import Project
from automation.system import console
from automation.system.targets import Target


@dataclass(frozen=True, slots=True)
class Scope:
    """What a command works on. Reading it changes nothing and calls no service.

    Attributes:
        stacks: in the order of deployment.
    """

    project: Project
    environment: Environment
    target: Target
    stacks: tuple[StackSettings, ...]

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def stack_names(self) -> tuple[str, ...]:
        """The names of the stacks in the account."""
        return tuple(settings.stack_name for settings in self.stacks)

    @property
    def name_patterns(self) -> tuple[str, ...]:
        """What the names of its stacks fit: the names themselves, or `shop-pr-*` for the stack of `pr-12`."""
        return tuple(settings.name_pattern or settings.stack_name for settings in self.stacks)

    @property
    def target_text(self) -> str:
        """The target in words, such as `AWS account 123456789012, us-east-1`."""
        account = self.environment.account or "of the credentials"
        return f"{self.target.endpoint or f'AWS account {account}'}, {self.target.region}"


def read(root: Path, name: str, *, variables: Mapping[str, str], takes_pattern: bool = False) -> Scope:
    """Read the scope of the environment `name` from the project's files and this machine.

    Args:
        variables: the process's environment variables.
        takes_pattern: as environments.load.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
    """
    project = model.load(root)
    samconfig = environments.read_samconfig(root) if project.settings.environments else {}
    return resolve(
        project,
        name,
        samconfig=samconfig,
        variables=variables,
        machine=platform.machine(),
        takes_pattern=takes_pattern,
    )


def resolve(
    project: Project,
    name: str,
    *,
    samconfig: Mapping[str, Any],
    variables: Mapping[str, str],
    machine: str,
    takes_pattern: bool = False,
) -> Scope:
    """Combine what pyproject.toml, samconfig.toml and this machine say about the environment `name`.

    Args:
        samconfig: as environments.read_samconfig returns it.
        variables, machine, takes_pattern: as environments.load.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
    """
    environment = environments.load(project, name, variables=variables, machine=machine, takes_pattern=takes_pattern)
    return Scope(
        project=project,
        environment=environment,
        target=environments.target(environment, variables),
        stacks=environments.stack_settings(project, environment, samconfig),
    )


def show(scope: Scope) -> None:
    """Print what would be deployed, where, and with which parameters; the value of a NoEcho one is hidden."""
    console.result(f"{scope.environment.name}: {scope.target_text}")
    for settings in scope.stacks:
        stack, template = settings.stack, settings.stack.template
        visible = stack_inputs.masked(settings.parameters, template.parameters)
        parameters = " ".join(f"{name}={value}" for name, value in visible.items())
        with_parameters = f" with {parameters}" if parameters else ""
        console.result(f"{stack.name}: {settings.stack_name} from {template.path}{with_parameters}")
