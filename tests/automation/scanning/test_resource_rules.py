from collections.abc import Mapping
from typing import Any

import pytest

from automation.scanning import own_rules, resource_rules
from automation.scanning.model import SecurityFinding
from tests.automation.scanning.small_stacks import allow, document, function, logs, resource, role, stack

ANYONE = {"Principal": "*"}


def weaknesses(**resources: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (weakness.rule, weakness.resource, weakness.sentence)
        for weakness in resource_rules.weaknesses(stack(**resources))
    ]


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("SQS::QueuePolicy", "sqs:SendMessage"),
        ("SNS::TopicPolicy", "sns:Publish"),
        ("S3::BucketPolicy", "s3:GetObject"),
    ],
)
def test_policy_open_to_anyone_is_found(kind: str, action: str) -> None:
    policy = resource(kind, PolicyDocument=document(allow(action, "x", **ANYONE)))

    assert weaknesses(Policy=policy) == [("public-access", "Policy", f"anyone may {action} on x")]


@pytest.mark.parametrize(
    "statement",
    [
        allow("sqs:SendMessage", "x", **ANYONE, Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:sns:x:y:z"}}),
        {**allow("sqs:*", "x", **ANYONE, Condition={"Bool": {"aws:SecureTransport": "false"}}), "Effect": "Deny"},
    ],
)
def test_policy_that_says_who_calls_is_accepted(statement: dict[str, Any]) -> None:
    assert weaknesses(Policy=resource("SQS::QueuePolicy", PolicyDocument=document(statement))) == []


def test_open_bucket_is_found() -> None:
    assert weaknesses(Lake=resource("S3::Bucket", AccessControl="PublicRead")) == [
        ("public-access", "Lake", "AccessControl PublicRead lets others read the bucket")
    ]


def test_function_url_that_anyone_may_call_is_found() -> None:
    assert weaknesses(Door=resource("Lambda::Url", AuthType="NONE")) == [
        ("public-access", "Door", "AuthType NONE lets anyone call it")
    ]


def test_log_group_without_retention_is_found() -> None:
    assert weaknesses(WorkerLogs=resource("Logs::LogGroup"), Others=logs()) == [
        ("log-retention", "WorkerLogs", "keeps its logs for ever, because it has no RetentionInDays")
    ]


def test_function_without_a_log_group_is_found() -> None:
    worker = function(LoggingConfig={"LogFormat": "JSON"})

    assert weaknesses(Worker=worker, Logs=logs(LogGroupName="/aws/lambda/other")) == [
        ("no-log-group", "Worker", "has no log group in the template, so Lambda creates one that is kept for ever")
    ]


@pytest.mark.parametrize(
    ("name", "more"),
    [({"Fn::Sub": "/aws/lambda/${Worker}"}, {}), ("/aws/lambda/shop", {"FunctionName": "shop"})],
)
def test_log_group_named_after_its_function_is_its_own(name: Any, more: dict[str, Any]) -> None:
    worker = function(**{"LoggingConfig": None, **more})

    assert weaknesses(Worker=worker, Logs=logs(LogGroupName=name)) == []


def test_own_rules_say_where_and_what_to_do() -> None:
    scanned = stack(
        WorkerLogs=logs(), Worker=function(), WorkerRole=role(allow("sqs:*", "*")), Open=resource("Logs::LogGroup")
    )

    assert own_rules.findings(scanned) == (
        SecurityFinding(
            template="template.yaml",
            line=12,
            resource="WorkerRole",
            tool="inv",
            rule="wildcard-grant",
            sentence="may sqs:* on *",
            fix="name actions and resources, or add a condition that holds only when its key is present",
        ),
        SecurityFinding(
            template="template.yaml",
            line=13,
            resource="Open",
            tool="inv",
            rule="log-retention",
            sentence="keeps its logs for ever, because it has no RetentionInDays",
            fix="add RetentionInDays",
        ),
    )
