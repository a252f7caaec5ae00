"""What `inv diff`, `inv deploy`, `inv rollback`, `inv doctor` and `inv status` call themselves, besides CloudFormation.

A test deploys on the emulator with exactly these grants, where every other call is denied.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from automation.deploying.bootstrapping import grants
from automation.deploying.bootstrapping.contents import PASS_ROLE, Contents
from automation.deploying.bootstrapping.grants import Statement
from automation.deploying.releases import records as releases
from automation.deploying.stacks import change_sets

_STACKS = (
    "CancelUpdateStack",
    "CreateChangeSet",
    "DeleteChangeSet",
    "DeleteStack",
    "DescribeChangeSet",
    "DescribeStackEvents",
    "DescribeStackResource",
    "DescribeStackResources",
    "DescribeStacks",
    "ExecuteChangeSet",
    "GetTemplate",
    "ListChangeSets",
    "ListStackResources",
    "UpdateTerminationProtection",
)
_RELEASES = ("CreateTable", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "TagResource")
# Questions about the resources of the stacks, and the smoke test.
_LOOKS = (
    "cloudformation:ListExports",
    "cloudformation:ListStacks",
    "cloudwatch:DescribeAlarms",
    "dynamodb:DescribeTable",
    "events:DescribeEventBus",
    "iam:GetRole",
    "lambda:GetAccountSettings",
    "lambda:GetFunction",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:GetLayerVersion",
    "lambda:InvokeFunction",
    "logs:DescribeLogGroups",
    "s3:ListBucket",
    "ses:GetAccount",
    "ses:GetEmailIdentity",
    "sns:GetTopicAttributes",
    "sns:ListTopics",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "ssm:DescribeParameters",
)
# What a new stack adopts of a destroyed one is counted first, and a parameter keeps the value that a person has set.
_ADOPTION = ("dynamodb:Scan", "s3:ListBucketVersions", "ssm:GetParameter", "ssm:PutParameter")


def of_deployer(
    contents: Contents,
    *,
    bootstrap_stack: str,
    bucket_arns: Iterable[Any],
    secrets: Iterable[str],
    hooks: Iterable[str],
    service_roles: Iterable[str] = (),
) -> tuple[Statement, ...]:
    """Return the statements for the deployer's own calls.

    Args:
        bootstrap_stack: the name of the stack that has the role.
        bucket_arns: of the buckets for artifacts; intrinsics too.
        secrets: the names of the secrets whose existence is checked.
        hooks: the actions that the hooks of the project use, on the resources of the stacks.
        service_roles: the ARNs of the roles that samconfig.toml gives CloudFormation.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    looks = grants.limited({*_LOOKS, *_ADOPTION, *hooks}, contents)
    return (
        *_of_stacks(contents, bootstrap_stack),
        *_of_releases(contents),
        *_of_artifacts(bucket_arns),
        *looks,
        *_of_secrets(contents, secrets),
        *_of_service_roles(service_roles),
    )


def _of_stacks(contents: Contents, bootstrap_stack: str) -> Iterator[Statement]:
    stacks = grants.resources("cloudformation", ["cloudformation:DescribeStacks"], contents)
    own_sets = grants.arn(contents, "cloudformation", f"changeSet/{change_sets.NAME}-*/*")
    region = f"arn:{contents.partition}:cloudformation:{contents.region}"
    transforms = [f"{region}:aws:transform/{name.removeprefix('AWS::')}" for name in contents.transforms]
    yield _statement("cloudformation", _STACKS, (*stacks, own_sets, *transforms))
    bootstrap = grants.arn(contents, "cloudformation", f"stack/{bootstrap_stack}/*")
    yield _statement("cloudformation", ("DescribeStacks", "ListStackResources"), (bootstrap,))


def _of_releases(contents: Contents) -> Iterator[Statement]:
    table = releases.table_name(contents.stack_names)
    yield _statement("dynamodb", _RELEASES, (grants.arn(contents, "dynamodb", f"table/{table}"),))


def _of_artifacts(bucket_arns: Iterable[Any]) -> Iterator[Statement]:
    """Yield the grants on buckets. An object can be written and read, and never be deleted."""
    for bucket in bucket_arns:
        yield _statement("s3", ("ListBucket",), (bucket,))
        yield _statement("s3", ("GetObject", "PutObject"), (_objects_of(bucket),))


def _objects_of(bucket: Any) -> Any:
    match bucket:
        case {"Fn::GetAtt": [str() as name, str() as attribute]}:
            return {"Fn::Sub": f"${{{name}.{attribute}}}/*"}
    return f"{bucket}/*"


def _of_secrets(contents: Contents, secrets: Iterable[str]) -> Iterator[Statement]:
    # Secrets Manager adds six characters to the name.
    arns = tuple(grants.arn(contents, "secretsmanager", f"secret:{name}-??????") for name in sorted(secrets))
    if arns:
        yield _statement("secretsmanager", ("DescribeSecret",), arns)


def _of_service_roles(service_roles: Iterable[str]) -> Iterator[Statement]:
    roles = tuple(sorted(service_roles))
    if roles:
        condition = {"StringEquals": {"iam:PassedToService": ["cloudformation.amazonaws.com"]}}
        yield Statement((PASS_ROLE,), roles, condition)


def _statement(service: str, names: Iterable[str], resources: tuple[Any, ...]) -> Statement:
    return Statement(tuple(f"{service}:{name}" for name in sorted(names)), resources)
