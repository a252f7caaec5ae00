"""The grants of the plan role: what `inv diff` calls, and nothing that changes more than a change set."""

from typing import Any

import pytest

from automation.deploying.bootstrapping import planner_calls
from automation.deploying.bootstrapping.grants import NO_CONDITION, Statement
from tests.automation.deploying.bootstrapping.bakery_contents import BAKERY

CFN = "arn:aws:cloudformation:eu-west-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/cfn"
# Everything else that `inv diff` calls reads.
WRITES = {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "s3:PutObject"}


def statements(**changes: Any) -> tuple[Statement, ...]:
    options: dict[str, Any] = {"bootstrap_stack": "bootstrap-bakery-live", "bucket_arns": ["arn:aws:s3:::zips"]}
    return planner_calls.of_planner(BAKERY, **{**options, **changes})


def resources_of(action: str, **changes: Any) -> list[Any]:
    found: list[Any] = []
    for statement in statements(**changes):
        found += statement.resources if action in statement.actions else ()
    return found


def test_actions_are_these() -> None:
    actions = {action for statement in statements() for action in statement.actions}

    assert actions - WRITES == {
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeStackResources",
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
        "cloudformation:ListChangeSets",
        "cloudformation:ListExports",
        "cloudformation:ListStackResources",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetLayerVersion",
        "s3:GetObject",
        "s3:ListBucket",
    }
    assert actions >= WRITES


def test_change_sets_are_made_for_the_stacks_of_the_environment() -> None:
    assert resources_of("cloudformation:CreateChangeSet") == [
        f"{CFN}:stack/bakery-live-*/*",
        f"{CFN}:stack/bakery-live/*",
        f"{CFN}:changeSet/release-*/*",
        "arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31",
    ]


@pytest.mark.parametrize("action", ["dynamodb:Query", "dynamodb:GetItem"])
def test_only_the_table_of_releases_is_read(action: str) -> None:
    assert resources_of(action) == ["arn:aws:dynamodb:eu-west-1:123456789012:table/bakery-live-releases"]


def test_code_is_uploaded_to_the_bucket_for_artifacts() -> None:
    assert resources_of("s3:PutObject") == ["arn:aws:s3:::zips/*"]


def test_nothing_is_called_by_cloudformation() -> None:
    """Without rights of its own CloudFormation could change nothing, even if a change set were executed."""
    assert {statement.condition == NO_CONDITION for statement in statements()} == {True}


def test_service_role_of_samconfig_is_named_in_change_sets() -> None:
    [statement] = [entry for entry in statements(service_roles=[ROLE]) if "iam:PassRole" in entry.actions]

    assert statement.resources == (ROLE,)
    assert statement.condition == {"StringEquals": {"iam:PassedToService": ["cloudformation.amazonaws.com"]}}
