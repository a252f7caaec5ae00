"""The bootstrap stack of an environment, as deployments see it: its name, its bucket for artifacts, its answers.

Its name starts with a prefix of its own, and not with the name of a stack of the environment. So no name that
CloudFormation generates for its resources matches a grant of the deploy role: the role cannot change itself.
"""

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from automation.deploying.stacks import uploads
from automation.project.environments import Environment
from automation.project.sam_configuration import SAMCONFIG
from automation.system.errors import ConfigurationError
from automation.system.stacks import StackDescription

PREFIX = "bootstrap-"
BUCKET, REPOSITORY, ANSWERS = uploads.BOOTSTRAP_BUCKET, "Repository", "Answers"
ROLE, PLAN_ROLE = "DeployRole", "PlanRole"


class Cloud(Protocol):
    """The call to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its outputs; without a status when there is no such stack."""
        ...


def name_of(name_patterns: Sequence[str]) -> str:
    """Return the name of the bootstrap stack of an environment; those of one pattern share theirs.

    Args:
        name_patterns: what the names of its stacks fit, in the order of deployment; see Scope.name_patterns.

    Raises:
        ConfigurationError: the names of its resources would match the grants for another stack.
    """
    name = f"{PREFIX}{name_patterns[-1].replace('-*', '')}"
    for stack in name_patterns:
        if fnmatchcase(name, f"{stack}-*") or fnmatchcase(name, stack):
            message = f"the name {stack} is a beginning of {name}, the stack of the deploy role; rename the stack"
            raise ConfigurationError(message, where=SAMCONFIG)
    return name


def outputs(name_patterns: Sequence[str], cloud: Cloud) -> Mapping[str, str]:
    """Return the outputs of the bootstrap stack; none when there is no such stack.

    Raises:
        ConfigurationError: as name_of.
        DeploymentError: CloudFormation did not answer.
    """
    return cloud.describe(name_of(name_patterns)).outputs


def answers_in(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the values of asked parameters that were given when the account was prepared."""
    return {str(name): str(value) for name, value in json.loads(outputs.get(ANSWERS) or "{}").items()}


def answers(environment: Environment, name_patterns: Sequence[str], cloud: Cloud) -> dict[str, str]:
    """Return the answers that the bootstrap stack has; none for an emulator, where nothing is asked.

    Raises:
        ConfigurationError, DeploymentError: as outputs.
    """
    return {} if environment.is_sandbox else answers_in(outputs(name_patterns, cloud))
