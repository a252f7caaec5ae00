"""What `inv destroy` calls for the temporary environments of a pattern, besides what every deployment calls.

A test destroys on the emulator with exactly these grants, where every other call is denied.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from automation.deploying.bootstrapping import deployer_calls, grants
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement

# What stacks have left, with its data, and the table of releases.
_DATA = (
    "dynamodb:DeleteTable",
    "dynamodb:ListTables",
    "dynamodb:ListTagsOfResource",
    "dynamodb:UpdateTable",
    "logs:DeleteLogGroup",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "sns:DeleteTopic",
    "sqs:DeleteQueue",
    "ssm:DeleteParameter",
)


def of_destroyer(contents: Contents, *, bucket_arns: Iterable[Any]) -> tuple[Statement, ...]:
    """Return the statements for the calls that delete data, releases and artifacts.

    Args:
        bucket_arns: of the buckets for artifacts; intrinsics too.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return (*grants.limited(_DATA, contents), *_of_artifacts(bucket_arns))


def _of_artifacts(bucket_arns: Iterable[Any]) -> Iterator[Statement]:
    for bucket in bucket_arns:
        yield deployer_calls.statement("s3", ("ListBucketVersions",), (bucket,))
        objects = deployer_calls.objects_of(bucket)
        yield deployer_calls.statement("s3", ("DeleteObject", "DeleteObjectVersion"), (objects,))
