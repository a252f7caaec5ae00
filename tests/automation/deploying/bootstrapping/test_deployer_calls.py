"""The grants for the deployer's own calls: on the stacks, the releases, the artifacts, and what is looked at."""

from typing import Any

import pytest

from automation.deploying.bootstrapping import deployer_calls, grants
from automation.deploying.bootstrapping.grants import NO_CONDITION, Statement
from tests.automation.deploying.bootstrapping.bakery_contents import BAKERY

CFN = "arn:aws:cloudformation:eu-west-1:123456789012"
BUCKET = {"Fn::GetAtt": ["ArtifactBucket", "Arn"]}


def statements(**changes: Any) -> tuple[Statement, ...]:
    options = {"bootstrap_stack": "bootstrap-bakery-live", "bucket_arns": [BUCKET], "secrets": (), "hooks": ()}
    return deployer_calls.of_deployer(BAKERY, **{**options, **changes})


def resources_of(action: str, **changes: Any) -> list[Any]:
    """Return what an action is allowed on, by all statements together."""
    found: list[Any] = []
    for statement in statements(**changes):
        found += statement.resources if action in statement.actions else ()
    return found


def test_stacks_are_changed_by_their_names_with_change_sets_of_ours() -> None:
    assert resources_of("cloudformation:ExecuteChangeSet") == [
        f"{CFN}:stack/bakery-live-*/*",
        f"{CFN}:stack/bakery-live/*",
        f"{CFN}:changeSet/release-*/*",
        "arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31",
    ]


def test_bootstrap_stack_is_only_read() -> None:
    own = f"{CFN}:stack/bootstrap-bakery-live/*"

    actions = [statement.actions for statement in statements() if own in statement.resources]

    assert actions == [("cloudformation:DescribeStacks", "cloudformation:ListStackResources")]


@pytest.mark.parametrize("action", ["PutItem", "DeleteItem", "CreateTable"])
def test_only_the_table_of_releases_is_written(action: str) -> None:
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/bakery-live-releases"

    assert resources_of(f"dynamodb:{action}") == [table]


def test_artifacts_are_written_and_read_and_never_deleted() -> None:
    named = "arn:aws:s3:::zips"

    objects = [{"Fn::Sub": "${ArtifactBucket.Arn}/*"}, f"{named}/*"]
    assert resources_of("s3:PutObject", bucket_arns=[BUCKET, named]) == objects
    assert resources_of("s3:GetObject", bucket_arns=[BUCKET, named]) == objects
    assert resources_of("s3:ListBucket", bucket_arns=[BUCKET, named]) == [BUCKET, named, "arn:aws:s3:::bakery-live-*"]
    assert not [statement for statement in statements() if any("s3:Delete" in action for action in statement.actions)]


def test_secrets_are_described_by_their_exact_names_and_never_read() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:/bakery/live"
    expected = [arn, f"{arn}-??????"]

    assert resources_of("secretsmanager:DescribeSecret", secrets=["/bakery/live"]) == expected
    assert resources_of("secretsmanager:GetSecretValue", secrets=["/bakery/live"]) == []
    assert resources_of("secretsmanager:DescribeSecret") == []


def test_hooks_get_their_actions_on_the_stacks() -> None:
    assert resources_of("sqs:PurgeQueue", hooks=["sqs:PurgeQueue"]) == [
        "arn:aws:sqs:eu-west-1:123456789012:bakery-live-*",
        "arn:aws:sqs:eu-west-1:123456789012:orders.fifo",
    ]


def test_functions_are_invoked_for_the_smoke_test() -> None:
    functions = [arn for arn in resources_of("lambda:InvokeFunction") if ":function:" in arn]

    assert functions == ["arn:aws:lambda:eu-west-1:123456789012:function:bakery-live-*"]


def test_service_role_of_samconfig_is_handed_to_cloudformation_alone() -> None:
    role = "arn:aws:iam::123456789012:role/cfn"

    [statement] = [entry for entry in statements(service_roles=[role]) if "iam:PassRole" in entry.actions]

    assert statement.resources == (role,)
    assert statement.condition == {"StringEquals": {"iam:PassedToService": ["cloudformation.amazonaws.com"]}}
    assert resources_of("iam:PassRole") == []


def test_stacks_and_releases_get_every_call_of_the_connections() -> None:
    """The names are those of the calls in automation/system/cloudformation.py and release_table.py."""
    first, bootstrap, table, *_ = statements()

    assert [action.removeprefix("cloudformation:") for action in first.actions] == [
        "CancelUpdateStack", "CreateChangeSet", "DeleteChangeSet", "DeleteStack", "DescribeChangeSet",
        "DescribeStackEvents", "DescribeStackResource", "DescribeStackResources", "DescribeStacks", "ExecuteChangeSet",
        "GetTemplate", "ListChangeSets", "ListStackResources", "UpdateTerminationProtection",
    ]  # fmt: skip
    assert bootstrap.actions == ("cloudformation:DescribeStacks", "cloudformation:ListStackResources")
    assert [action.removeprefix("dynamodb:") for action in table.actions] == [
        "CreateTable", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "TagResource",
    ]  # fmt: skip


def test_every_action_exists() -> None:
    actions = {action for statement in statements() for action in statement.actions}

    assert [action for action in sorted(actions) if not grants.is_action(action)] == []


def test_own_calls_need_no_cloudformation_in_between() -> None:
    assert {statement.condition == NO_CONDITION for statement in statements()} == {True}
