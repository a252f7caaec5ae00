"""The grants to destroy temporary environments: their data, their releases, and artifacts in their bucket."""

from typing import Any

import pytest

from automation.deploying.bootstrapping import destroyer_calls
from automation.deploying.bootstrapping.grants import NO_CONDITION
from tests.automation.deploying.bootstrapping.bakery_contents import bakery

BUCKET = {"Fn::GetAtt": ["ArtifactBucket", "Arn"]}
PULL_REQUESTS = bakery(stack_names=("bakery-pr-*",), names={"AWS::SSM::Parameter": ("/bakery/pr-*/open",)})
HERE = "eu-west-1:123456789012"


def resources_of(action: str) -> list[Any]:
    found: list[Any] = []
    for statement in destroyer_calls.of_destroyer(PULL_REQUESTS, bucket_arns=[BUCKET]):
        found += statement.resources if action in statement.actions else ()
    return found


@pytest.mark.parametrize(
    ("action", "resources"),
    [
        ("dynamodb:DeleteTable", [f"arn:aws:dynamodb:{HERE}:table/bakery-pr-*-*"]),
        ("dynamodb:UpdateTable", [f"arn:aws:dynamodb:{HERE}:table/bakery-pr-*-*"]),
        ("dynamodb:ListTagsOfResource", [f"arn:aws:dynamodb:{HERE}:table/bakery-pr-*-*"]),
        ("dynamodb:ListTables", ["*"]),
        (
            "logs:DeleteLogGroup",
            [
                f"arn:aws:logs:{HERE}:log-group:/aws/lambda/bakery-pr-*-*",
                f"arn:aws:logs:{HERE}:log-group:bakery-pr-*-*",
            ],
        ),
        ("sqs:DeleteQueue", [f"arn:aws:sqs:{HERE}:bakery-pr-*-*"]),
        ("sns:DeleteTopic", [f"arn:aws:sns:{HERE}:bakery-pr-*-*"]),
        (
            "ssm:DeleteParameter",
            [f"arn:aws:ssm:{HERE}:parameter/bakery-pr-*-*", f"arn:aws:ssm:{HERE}:parameter/bakery/pr-*/open"],
        ),
        ("s3:DeleteBucket", ["arn:aws:s3:::bakery-pr-*-*"]),
    ],
)
def test_data_of_the_pattern_are_deleted(action: str, resources: list[Any]) -> None:
    assert resources_of(action) == resources


def test_artifacts_are_deleted_in_the_bucket_for_artifacts() -> None:
    objects = {"Fn::Sub": "${ArtifactBucket.Arn}/*"}

    assert resources_of("s3:ListBucketVersions") == [BUCKET]
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert objects in resources_of(action)


def test_calls_need_no_cloudformation_in_between() -> None:
    statements = destroyer_calls.of_destroyer(PULL_REQUESTS, bucket_arns=[BUCKET])

    assert {statement.condition == NO_CONDITION for statement in statements} == {True}
