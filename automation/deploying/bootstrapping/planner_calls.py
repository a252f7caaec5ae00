"""What `inv diff` calls for an environment that is deployed: all that its plan role may do.

The code of a pull request runs with this role. So it executes no change set, changes no release and no resource, reads
no data and invokes nothing. A test makes a plan on the emulator with exactly these grants.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from automation.deploying.bootstrapping import deployer_calls, grants
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement

_STACKS = (
    "CreateChangeSet",
    "DeleteChangeSet",
    "DescribeChangeSet",
    "DescribeStackResources",
    "DescribeStacks",
    "GetTemplate",
    "ListChangeSets",
)
_RELEASES = ("GetItem", "Query")
# The exports and indexes that a template is compared with, and the code that `inv watch` may have replaced.
_LOOKS = (
    "cloudformation:ListExports",
    "dynamodb:DescribeTable",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:GetLayerVersion",
)


def of_planner(
    contents: Contents, *, bootstrap_stack: str, bucket_arns: Iterable[Any], service_roles: Iterable[str] = ()
) -> tuple[Statement, ...]:
    """Return the statements for the calls of `inv diff`.

    Args:
        bootstrap_stack, bucket_arns, service_roles: as deployer_calls.of_deployer.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return (
        *_all_of(contents, bootstrap_stack),
        *deployer_calls.of_artifacts(bucket_arns),
        *grants.limited(_LOOKS, contents),
        *deployer_calls.of_service_roles(service_roles),
    )


def _all_of(contents: Contents, bootstrap_stack: str) -> Iterator[Statement]:
    yield from deployer_calls.of_stacks(contents, bootstrap_stack, _STACKS)
    yield deployer_calls.of_releases(contents, _RELEASES)
