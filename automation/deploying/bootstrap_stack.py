"""The bootstrap stack of an environment, as deployments see it: its name, its bucket for artifacts, its answers.

Its name starts with a prefix of its own, and not with the name of a stack of the environment. So no name that
CloudFormation generates for its resources matches a grant of the deploy role: the role cannot change itself.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol

from automation.deploying.stacks import uploads
from automation.project.environments import Environment
from automation.project.sam_configuration import SAMCONFIG
from automation.system.errors import ConfigurationError
from automation.system.stacks import StackDescription

PREFIX = "bootstrap-"
BUCKET, ROLE, REPOSITORY, ANSWERS = uploads.BOOTSTRAP_BUCKET, "DeployRole", "Repository", "Answers"


class Cloud(Protocol):
    """The call to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its outputs; without a status when there is no such stack."""
        ...


def name_of(stack_names: Sequence[str]) -> str:
    """Return the name of the bootstrap stack of an environment.

    Args:
        stack_names: the names of its stacks in the account, in the order of deployment; not empty.

    Raises:
        ConfigurationError: the names of its resources would match the grants for another stack.
    """
    name = f"{PREFIX}{stack_names[-1]}"
    for stack in stack_names:
        if name.startswith(f"{stack}-"):
            message = f"the name {stack} is a beginning of {name}, the stack of the deploy role; rename the stack"
            raise ConfigurationError(message, where=SAMCONFIG)
    return name


def outputs(stack_names: Sequence[str], cloud: Cloud) -> Mapping[str, str]:
    """Return the outputs of the bootstrap stack; none when there is no such stack.

    Raises:
        ConfigurationError: as name_of.
        DeploymentError: CloudFormation did not answer.
    """
    return cloud.describe(name_of(stack_names)).outputs


def answers_in(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the values of asked parameters that were given when the account was prepared."""
    return {str(name): str(value) for name, value in json.loads(outputs.get(ANSWERS) or "{}").items()}


def answers(environment: Environment, stack_names: Sequence[str], cloud: Cloud) -> dict[str, str]:
    """Return the answers that the bootstrap stack has; none for an emulator, where nothing is asked.

    Raises:
        ConfigurationError, DeploymentError: as outputs.
    """
    return {} if environment.is_sandbox else answers_in(outputs(stack_names, cloud))
