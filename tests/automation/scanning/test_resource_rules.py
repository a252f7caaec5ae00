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


def test_access_point_is_checked_like_its_bucket() -> None:
    point = resource("S3::AccessPoint", PublicAccessBlockConfiguration={"BlockPublicAcls": True})

    assert [sentence.partition(" ")[0] for _, _, sentence in weaknesses(Point=point)] == [
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
    ]


def test_website_is_found() -> None:
    site = resource("S3::Bucket", WebsiteConfiguration={"IndexDocument": "index.html"})

    assert weaknesses(Site=site, Other=resource("Custom::Site", WebsiteConfiguration={"a": "b"})) == [
        ("public-access", "Site", "WebsiteConfiguration serves the bucket as a website, without TLS")
    ]


@pytest.mark.parametrize("value", [False, "false"])
def test_queue_without_encryption_is_found(value: object) -> None:
    assert weaknesses(Inbox=resource("SQS::Queue", SqsManagedSseEnabled=value)) == [
        ("unencrypted-queue", "Inbox", "SqsManagedSseEnabled is off, so messages are stored as plain text")
    ]


@pytest.mark.parametrize(
    "properties", [{}, {"SqsManagedSseEnabled": True}, {"SqsManagedSseEnabled": False, "KmsMasterKeyId": "alias/a"}]
)
def test_encrypted_queue_is_accepted(properties: dict[str, Any]) -> None:
    assert weaknesses(Inbox=resource("SQS::Queue", **properties)) == []


@pytest.mark.parametrize(
    ("principal", "rule", "subject"),
    [
        ({"Service": "events.amazonaws.com"}, "any-caller", "events.amazonaws.com"),
        ({"AWS": "999999999999"}, "other-account", "999999999999"),
    ],
)
def test_queue_policy_for_any_caller_or_another_account_is_found(principal: Any, rule: str, subject: str) -> None:
    policy = resource("SQS::QueuePolicy", PolicyDocument=document(allow("sqs:SendMessage", "x", Principal=principal)))

    assert weaknesses(Policy=policy) == [(rule, "Policy", f"{subject} may sqs:SendMessage on x")]


def test_log_group_of_two_functions_is_found_at_the_second() -> None:
    assert weaknesses(Worker=function(), Helper=function(), WorkerLogs=logs()) == [
        ("foreign-log-group", "Helper", "writes to WorkerLogs, which is the log group of Worker")
    ]


def test_own_log_groups_of_two_functions_are_accepted() -> None:
    helper = function(LoggingConfig={"LogGroup": {"Ref": "HelperLogs"}})

    assert weaknesses(Worker=function(), Helper=helper, WorkerLogs=logs(), HelperLogs=logs()) == []


def test_rules_say_what_to_do() -> None:
    statements = [
        allow("sqs:SendMessage", "x", Principal=name)
        for name in ("*", {"Service": "a.amazonaws.com"}, {"AWS": "9" * 12})
    ]
    scanned = stack(
        Policy=resource("SQS::QueuePolicy", PolicyDocument=document(*statements)),
        Site=resource("S3::Bucket", WebsiteConfiguration={"a": "b"}, AccessControl="PublicRead"),
        Inbox=resource("SQS::Queue", SqsManagedSseEnabled=False),
        Worker=function(),
        Helper=function(),
        WorkerLogs=logs(),
    )

    assert [weakness.fix for weakness in resource_rules.weaknesses(scanned)] == [
        "name the principals, or add a condition that says who calls",
        "add a condition on aws:SourceArn or aws:SourceAccount",
        "name principals of ${AWS::AccountId} only",
        "keep Site private",
        "remove it",
        "remove SqsManagedSseEnabled; it is on by default",
        "name a log group of its own",
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
    [
        ({"Fn::Sub": "/aws/lambda/${Worker}"}, {}),
        ("/aws/lambda/shop", {"FunctionName": "shop"}),
        ("/shop/worker", {"LoggingConfig": {"LogGroup": "/shop/worker"}}),
    ],
)
def test_log_group_named_after_its_function_is_its_own(name: Any, more: dict[str, Any]) -> None:
    worker = function(**{"LoggingConfig": None, **more})

    assert weaknesses(Worker=worker, Logs=logs(LogGroupName=name)) == []


def test_own_rules_say_where_and_what_to_do() -> None:
    scanned = stack(
        WorkerLogs=logs(), Worker=function(), WorkerRole=role(allow("sqs:*", "*")), Open=resource("Logs::LogGroup")
    )

    assert tuple(own_rules.findings([scanned])) == (
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
