"""The roles of an environment for GitHub's jobs: one that deploys, and one that only plans."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.deploying import bootstrap_stack
from automation.deploying.bootstrap_stack import PLAN_ROLE, ROLE
from automation.deploying.bootstrapping import (
    deployer_calls,
    destroyer_calls,
    github_environments,
    grants,
    planner_calls,
    policies,
    provider,
    separation,
)
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement
from automation.deploying.bootstrapping.stack_template import RoleContent
from automation.deploying.scope import Scope
from automation.project import environments
from automation.project.settings import TABLE
from automation.system.errors import ConfigurationError

_DESCRIPTIONS = {ROLE: "Deploys", PLAN_ROLE: "Plans changes of"}


@dataclass(frozen=True, slots=True)
class Request:
    """What the roles are for.

    Attributes:
        repository: at GitHub, as `owner/name`.
        bucket_arns: of the buckets for artifacts; intrinsics too.
    """

    scope: Scope
    contents: Contents
    repository: str
    bucket_arns: Sequence[Any]


def of(request: Request) -> tuple[RoleContent, ...]:
    """Return the roles of an environment; that of temporary environments also destroys them, and no other one plans.

    Raises:
        ConfigurationError: a grant of pyproject.toml is wrong, the grants are too long, or two environments would share
            one at GitHub.
        CheckFailedError: the role of temporary environments would reach another environment.
        ToolError: cfn-lint is not installed.
    """
    environment, tables = request.scope.environment, request.scope.project.settings.environments
    github_environments.require_distinct(tables)
    return tuple(_roles(request, github_environments.by_role(environment.key)))


def deploying(request: Request) -> tuple[Statement, ...]:
    """Return what the role that deploys may do.

    Raises:
        ConfigurationError, CheckFailedError, ToolError: as of.
    """
    scope, contents, buckets = request.scope, request.contents, request.bucket_arns
    environment, settings = scope.environment, scope.project.settings
    own = deployer_calls.of_deployer(
        contents,
        bootstrap_stack=bootstrap_stack.name_of(scope.name_patterns),
        bucket_arns=buckets,
        secrets=[secret.name_in(environment.name) for secret in settings.secrets],
        hooks=_require_actions(settings.grants),
        service_roles=_service_roles(scope),
    )
    destroying = destroyer_calls.of_destroyer(contents, bucket_arns=buckets) if environment.is_temporary else ()
    statements = (*own, *destroying, *grants.of_handlers(contents))
    if environment.is_temporary:
        samconfig = environments.read_samconfig(scope.root)
        others = environments.other_stacks(scope.project, samconfig, apart_from=environment.key)
        separation.require(statements, contents, others)
    return statements


def planning(request: Request) -> tuple[Statement, ...]:
    """Return what the role that only plans may do.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return planner_calls.of_planner(
        request.contents,
        bootstrap_stack=bootstrap_stack.name_of(request.scope.name_patterns),
        bucket_arns=request.bucket_arns,
        service_roles=_service_roles(request.scope),
    )


def _roles(request: Request, named: Mapping[str, str]) -> Iterator[RoleContent]:
    provider_arn = provider.arn_of(request.contents.partition, request.contents.account)
    for role, github_environment in named.items():
        statements = deploying(request) if role == ROLE else planning(request)
        name = request.scope.environment.name
        yield RoleContent(
            name=role,
            description=f"{_DESCRIPTIONS[role]} {name} from GitHub's {request.repository}",
            trust=policies.trust(provider_arn, request.repository, github_environment),
            documents=policies.pack(statements),
        )


def _service_roles(scope: Scope) -> set[str]:
    return {str(entry.section["role_arn"]) for entry in scope.stacks if entry.section.get("role_arn")}


def _require_actions(actions: Sequence[str]) -> Sequence[str]:
    """Check that IAM has each action that pyproject.toml names.

    Raises:
        ConfigurationError: it does not have one.
    """
    for action in actions:
        if not grants.is_action(action):
            message = f"IAM has no action {action!r}; write it as in sqs:GetQueueAttributes"
            raise ConfigurationError(message, where=f"{TABLE} grants")
    return actions
