"""What `inv diff`, `inv deploy`, `inv rollback`, `inv doctor` and `inv status` call themselves, besides CloudFormation.

A test deploys on the emulator with exactly these grants, where every other call is denied.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
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
        *of_stacks(contents, bootstrap_stack, _STACKS),
        of_releases(contents, _RELEASES),
        *of_artifacts(bucket_arns),
        *looks,
        *_of_secrets(contents, secrets),
        *of_service_roles(service_roles),
    )


def of_stacks(contents: Contents, bootstrap_stack: str, names: Iterable[str]) -> Iterator[Statement]:
    """Yield the grants on the stacks of the environment, and those to look at its bootstrap stack.

    Args:
        names: of actions of CloudFormation.
    """
    stacks = grants.resources("cloudformation", ["cloudformation:DescribeStacks"], contents)
    own_sets = grants.arn(contents, "cloudformation", f"changeSet/{change_sets.NAME}-*/*")
    region = f"arn:{contents.partition}:cloudformation:{contents.region}"
    transforms = [f"{region}:aws:transform/{name.removeprefix('AWS::')}" for name in contents.transforms]
    yield statement("cloudformation", names, (*stacks, own_sets, *transforms))
    bootstrap = grants.arn(contents, "cloudformation", f"stack/{bootstrap_stack}/*")
    yield statement("cloudformation", ("DescribeStacks", "ListStackResources"), (bootstrap,))


def of_releases(contents: Contents, names: Iterable[str]) -> Statement:
    """Return the grant on the table of releases.

    Args:
        names: of actions of DynamoDB.
    """
    table = releases.table_name(contents.stack_names)
    return statement("dynamodb", names, (grants.arn(contents, "dynamodb", f"table/{table}"),))


def of_artifacts(bucket_arns: Iterable[Any]) -> Iterator[Statement]:
    """Yield the grants on buckets. An object can be written and read, and never be deleted."""
    for bucket in bucket_arns:
        yield statement("s3", ("ListBucket",), (bucket,))
        yield statement("s3", ("GetObject", "PutObject"), (objects_of(bucket),))


def objects_of(bucket: Any) -> Any:
    """Return the ARN of the objects in a bucket; an intrinsic for one of the bootstrap stack."""
    match bucket:
        case {"Fn::GetAtt": [str() as name, str() as attribute]}:
            return {"Fn::Sub": f"${{{name}.{attribute}}}/*"}
    return f"{bucket}/*"


def _of_secrets(contents: Contents, secrets: Iterable[str]) -> Iterator[Statement]:
    # Secrets Manager adds six characters to the name of a secret, but not to that of one that does not exist.
    ends = chain.from_iterable((f"secret:{name}", f"secret:{name}-??????") for name in sorted(secrets))
    arns = tuple(grants.arn(contents, "secretsmanager", end) for end in ends)
    if arns:
        yield statement("secretsmanager", ("DescribeSecret",), arns)


def of_service_roles(service_roles: Iterable[str]) -> Iterator[Statement]:
    """Yield the grant to hand CloudFormation the roles that samconfig.toml names."""
    roles = tuple(sorted(service_roles))
    if roles:
        condition = {"StringEquals": {"iam:PassedToService": ["cloudformation.amazonaws.com"]}}
        yield Statement((PASS_ROLE,), roles, condition)


def statement(service: str, names: Iterable[str], resources: tuple[Any, ...]) -> Statement:
    """Return the statement that allows the actions of a service that have these names."""
    return Statement(tuple(f"{service}:{name}" for name in sorted(names)), resources)
