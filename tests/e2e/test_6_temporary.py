"""The environment of a pull request in the account of prod: deployed without a person, gone when it has expired."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.automation.github_server import served
from tests.e2e.deploy_role import REPOSITORY, job_variables, token
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


@pytest.fixture
def job(prod: Production, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment variables of a job of GitHub for `pr`, which acts as the role of all pull requests."""
    done = prod.inv("bootstrap", "--env", "pr-*", "--repository", REPOSITORY)
    assert done.returncode == 0, text_of(done)
    role = outputs(prod)["DeployRole"]
    assert f"GitHub, {REPOSITORY}, environment pr: AWS_ROLE_ARN = {role}" in done.stdout.splitlines()
    with served() as github:
        github.identity = token("pr")
        yield job_variables(github, tmp_path, role=role)


def test_temporary_environment_is_deployed_and_gone_when_it_has_expired(
    prod: Production, job: dict[str, str], stranger: str
) -> None:
    before = everything(prod)

    deployed = prod.inv("deploy", "--env", NAME, "--ttl", "1h", **job)
    status = prod.inv("status", "--env", NAME, **job)
    early = prod.inv("destroy", "--expired", "--yes", **job)
    parameters = {
        entry["ParameterKey"]: entry["ParameterValue"] for entry in prod.stack("alchemiser-pr-12")["Parameters"]
    }
    expire(prod)
    late = prod.inv("destroy", "--expired", "--yes", **job)

    assert deployed.returncode == 0, text_of(deployed)
    assert "r1 runs in pr-12: smoke test passed" in deployed.stdout
    assert status.returncode == 0, text_of(status)
    assert "trading: never ready to trade: a temporary environment has no broker" in status.stdout
    assert (parameters["Stage"], parameters["ScheduleState"]) == (NAME, "DISABLED")
    assert early.stdout.splitlines()[-1] == "0 of 1 temporary environment(s) have expired"
    assert late.returncode == 0, text_of(late)
    assert "pr-12 is destroyed" in late.stdout
    assert "bootstrap" not in late.stdout
    assert everything(prod) == before
    assert "Versions" not in prod.client("s3").list_object_versions(Bucket=outputs(prod)["ArtifactBucket"])
    assert stranger in before


def outputs(prod: Production) -> dict[str, str]:
    """Return the outputs of the bootstrap stack of all pull requests."""
    return {entry["OutputKey"]: entry["OutputValue"] for entry in prod.stack("bootstrap-alchemiser-pr")["Outputs"]}


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
