"""The environment of a pull request in the account of prod: deployed without a person, gone when it has expired."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.production import Finished, Production

NAME = "pr-12"
STRANGER = "alchemiser-dev-releases"
EXPIRED = [{"Key": "expires-at", "Value": "2026-01-02T03:04:05+00:00"}]
KEYS = (("pk", "HASH"), ("sk", "RANGE"))


@pytest.fixture
def stranger(prod: Production) -> Iterator[str]:
    """Plant a table of another environment that says it has expired."""
    dynamodb = prod.client("dynamodb")
    dynamodb.create_table(
        TableName=STRANGER,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in KEYS],
        Tags=EXPIRED,
    )
    yield STRANGER
    dynamodb.delete_table(TableName=STRANGER)


def test_temporary_environment_is_deployed_and_gone_when_it_has_expired(prod: Production, stranger: str) -> None:
    before = everything(prod)

    deployed = prod.inv("deploy", "--env", NAME, "--ttl", "1h")
    status = prod.inv("status", "--env", NAME)
    early = prod.inv("destroy", "--expired", "--yes")
    parameters = {
        entry["ParameterKey"]: entry["ParameterValue"] for entry in prod.stack("alchemiser-pr-12")["Parameters"]
    }
    expire(prod)
    late = prod.inv("destroy", "--expired", "--yes")

    assert deployed.returncode == 0, text_of(deployed)
    assert "r1 runs in pr-12: smoke test passed" in deployed.stdout
    assert status.returncode == 0, text_of(status)
    assert "trading: never ready to trade: a temporary environment has no broker" in status.stdout
    assert (parameters["Stage"], parameters["ScheduleState"]) == (NAME, "DISABLED")
    assert early.stdout.splitlines()[-1] == "0 of 1 temporary environment(s) have expired"
    assert late.returncode == 0, text_of(late)
    assert "pr-12 is destroyed" in late.stdout
    assert everything(prod) == before
    assert stranger in before


def everything(prod: Production) -> set[str]:
    """Return the names of what costs money or holds data in the account, and what is stored in the bucket for code."""
    s3 = prod.client("s3")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "samcli" not in bucket["Name"]]
    return {
        *buckets,
        *prod.client("dynamodb").list_tables()["TableNames"],
        *prod.client("sqs").list_queues(MaxResults=1000).get("QueueUrls", ()),
        *names(prod.client("logs").describe_log_groups()["logGroups"], "logGroupName"),
        *names(prod.client("ssm").describe_parameters()["Parameters"], "Name"),
        *names(prod.functions.list_functions()["Functions"], "FunctionName"),
        *names(prod.functions.list_layers()["Layers"], "LayerName"),
        *names(prod.cloudformation.describe_stacks()["Stacks"], "StackName"),
    } - {"aws-sam-cli-managed-default"}


def names(entries: list[dict[str, Any]], key: str) -> list[str]:
    return [str(entry[key]) for entry in entries]


def expire(prod: Production) -> None:
    dynamodb = prod.client("dynamodb")
    arn = dynamodb.describe_table(TableName="alchemiser-pr-12-releases")["Table"]["TableArn"]
    dynamodb.tag_resource(ResourceArn=arn, Tags=EXPIRED)


def text_of(done: Finished) -> str:
    return done.stdout + done.stderr
