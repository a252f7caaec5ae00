"""What a function may reach without need: each rule finds its planted fault, and accepts what is needed."""

from collections.abc import Mapping
from typing import Any

import pytest

from automation.scanning import grant_rules
from tests.automation.scanning.small_stacks import (
    TRUST,
    allow,
    arn,
    document,
    function,
    logs,
    resource,
    role,
    source,
    stack,
)

TAKE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
QUEUE = resource("SQS::Queue")
SQS_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret"


def sentences(**resources: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    weaknesses = grant_rules.weaknesses(stack(WorkerLogs=logs(), **resources))
    return [(weakness.rule, weakness.resource, weakness.sentence) for weakness in weaknesses]


def of_worker(*statements: Any, variables: Mapping[str, Any] | None = None, **more: Any) -> list[tuple[str, str]]:
    """Return rules and sentences about a function with these statements."""
    resources = {"Worker": function(variables=variables), "WorkerRole": role(*statements), **more}
    return [(rule, sentence) for rule, name, sentence in sentences(**resources) if name == "WorkerRole"]


def test_function_with_what_it_needs_has_no_weakness() -> None:
    statements = (
        allow(TAKE, arn("Inbox")),
        allow("dynamodb:GetItem", arn("Orders")),
        allow("logs:PutLogEvents", arn("WorkerLogs")),
    )

    weaknesses = of_worker(
        *statements,
        variables={"ORDERS": {"Ref": "Orders"}},
        Inbox=QUEUE,
        Orders=resource("DynamoDB::Table"),
        WorkerInbox=source("Inbox"),
    )

    assert weaknesses == []


def test_managed_policy_of_an_implicit_role_says_what_it_reaches() -> None:
    weaknesses = sentences(WorkerRole=role(ManagedPolicyArns=[SQS_POLICY]))

    reach = "it may take messages from every queue of the account"
    what = f"has the managed policy AWSLambdaSQSQueueExecutionRole: {reach}"
    assert weaknesses == [("managed-policy", "WorkerRole", what)]


def test_managed_policy_that_is_unknown_is_named_too() -> None:
    weaknesses = sentences(Person=resource("IAM::User", ManagedPolicyArns=["arn:aws:iam::aws:policy/Reader"]))

    what = "has the managed policy Reader: it cannot name the resources of this template"
    assert weaknesses == [("managed-policy", "Person", what)]


def test_managed_policy_of_the_template_is_read_for_its_grants() -> None:
    policy = resource("IAM::ManagedPolicy", PolicyDocument=document(allow(TAKE, arn("Other"))))
    worker_role = role(ManagedPolicyArns=[{"Ref": "Shared"}])

    weaknesses = sentences(Worker=function(), WorkerRole=worker_role, Shared=policy, Other=QUEUE)

    assert [(rule, name) for rule, name, _ in weaknesses] == [("drained-queue", "WorkerRole")]


@pytest.mark.parametrize(
    "name",
    [
        "AdministratorAccess",
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaDynamoDBExecutionRole",
        "AWSLambdaKinesisExecutionRole",
        "AWSLambdaMSKExecutionRole",
        "AWSLambdaVPCAccessExecutionRole",
        "AWSXRayDaemonWriteAccess",
        "AWSXrayWriteOnlyAccess",
        "AWSLambdaRole",
    ],
)
def test_managed_policy_that_is_known_says_what_it_reaches(name: str) -> None:
    [(_, _, sentence)] = sentences(Person=resource("IAM::User", ManagedPolicyArns=[f"arn:aws:iam::aws:policy/{name}"]))

    assert sentence.startswith(f"has the managed policy {name}: it may ")


def test_managed_policies_are_looked_for_on_identities_only() -> None:
    assert sentences(Thing=resource("Custom::Thing", ManagedPolicyArns=[SQS_POLICY])) == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (allow("dynamodb:*", "arn:aws:dynamodb:x:y:table/a"), "may dynamodb:* on arn:aws:dynamodb:x:y:table/a"),
        (allow("*", "arn:aws:dynamodb:x:y:table/a"), "may * on arn:aws:dynamodb:x:y:table/a"),
        (allow("ses:SendEmail", "*"), "may ses:SendEmail on *"),
        (
            allow("ses:SendEmail", "*", Condition={"StringEqualsIfExists": {"ses:FromAddress": "a@b"}}),
            "may ses:SendEmail on * if ses:FromAddress StringEqualsIfExists a@b",
        ),
        (
            allow("ses:SendEmail", "*", Condition={"StringNotEquals": {"ses:FromAddress": "a@b"}}),
            "may ses:SendEmail on * if ses:FromAddress StringNotEquals a@b",
        ),
    ],
)
def test_wildcard_grant_is_found(statement: dict[str, Any], sentence: str) -> None:
    assert of_worker(statement) == [("wildcard-grant", sentence)]


@pytest.mark.parametrize(
    "statement",
    [
        allow("ses:SendEmail", "*", Condition={"StringEquals": {"ses:FromAddress": "a@b"}}),
        {**allow("ses:*", "*"), "Effect": "Deny"},
    ],
)
def test_wildcard_with_a_strict_condition_and_a_denial_are_accepted(statement: dict[str, Any]) -> None:
    assert of_worker(statement) == []


def test_wildcard_grant_of_a_policy_of_its_own_is_found_there() -> None:
    policy = resource("IAM::Policy", Roles=[{"Ref": "WorkerRole"}], PolicyDocument=document(allow("s3:*", "*")))

    assert sentences(Worker=function(), WorkerRole=role(), Extra=policy) == [
        ("wildcard-grant", "Extra", "may s3:* on *")
    ]


def test_wildcard_in_a_bucket_policy_is_not_about_an_identity() -> None:
    policy = resource("S3::BucketPolicy", PolicyDocument=document(allow("s3:*", "*", Principal="*")))

    assert sentences(Open=policy) == []


@pytest.mark.parametrize(
    ("place", "count"),
    [
        (arn("WorkerLogs"), 0),
        ({"Fn::Sub": "${WorkerLogs.Arn}:*"}, 0),
        ({"Fn::Sub": "arn:aws:logs:x:y:log-group:${WorkerLogs}:*"}, 0),
        ({"Fn::Sub": "arn:aws:logs:x:y:log-group:/aws/lambda/${Worker}:log-stream:a"}, 0),
        ("arn:aws:logs:x:y:log-group:/aws/lambda/shop-Worker-*:*", 0),
        (arn("OtherLogs"), 1),
        ("arn:aws:logs:x:y:log-group:/aws/lambda/shop-Other-*:*", 1),
        ("arn:aws:logs:x:y:log-group:/aws/lambda/*", 1),
    ],
)
def test_log_group_that_is_not_the_functions_own_is_found(place: Any, count: int) -> None:
    weaknesses = of_worker(allow("logs:PutLogEvents", place), OtherLogs=logs())

    assert [rule for rule, _ in weaknesses] == ["foreign-log-group"] * count


def test_foreign_log_group_names_actions_and_group() -> None:
    statement = allow(["logs:CreateLogStream", "logs:PutLogEvents", "logs:GetLogEvents"], arn("OtherLogs"))

    weaknesses = of_worker(statement, OtherLogs=logs())

    grant = "logs:CreateLogStream, logs:PutLogEvents on ${OtherLogs.Arn}"
    assert weaknesses == [("foreign-log-group", f"Worker may {grant}, which is not only its own log group")]


@pytest.mark.parametrize(
    "action", ["CreateLogGroup", "DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy", "DeleteRetentionPolicy"]
)
def test_change_of_another_log_group_is_found(action: str) -> None:
    weaknesses = of_worker(allow(f"logs:{action}", arn("OtherLogs")), OtherLogs=logs())

    assert [rule for rule, _ in weaknesses] == ["foreign-log-group"]


def test_reader_of_another_log_group_does_not_write_it() -> None:
    assert of_worker(allow("logs:GetLogEvents", arn("OtherLogs")), OtherLogs=logs()) == []


def test_unused_grant_on_a_table_is_found() -> None:
    weaknesses = of_worker(
        allow(["dynamodb:GetItem", "dynamodb:PutItem"], arn("Orders")),
        variables={"BILLS": {"Ref": "Bills"}},
        Orders=resource("DynamoDB::Table"),
    )

    sentence = (
        "Worker may dynamodb:GetItem, dynamodb:PutItem on ${Orders.Arn},"
        " which neither its environment nor its events name"
    )
    assert weaknesses == [("unused-grant", sentence)]


@pytest.mark.parametrize(
    ("variable", "action", "place"),
    [
        ({"Ref": "Orders"}, "dynamodb:GetItem", arn("Orders")),
        ({"Fn::GetAtt": ["Orders", "Arn"]}, "dynamodb:GetItem", {"Fn::Sub": "${Orders.Arn}/index/*"}),
        ("/shop/mail", "secretsmanager:GetSecretValue", f"{SECRET}:/shop/mail-*"),
        ("/shop/mail", "secretsmanager:GetSecretValue", f"{SECRET}:/shop/mail-??????"),
        (f"{SECRET}:/shop/mail-a1B2c3", "secretsmanager:GetSecretValue", f"{SECRET}:/shop/mail-*"),
        ("/shop/mail", "ssm:GetParameter", "arn:aws:ssm:x:y:parameter/shop/mail"),
        ("arn:aws:ssm:x:y:parameter/shop/mail", "ssm:GetParameter", "arn:aws:ssm:x:y:parameter/shop/mail"),
        ("arn:aws:dynamodb:x:y:table/orders", "dynamodb:Query", "arn:aws:dynamodb:x:y:table/orders"),
        ("arn:aws:sns:x:y:alerts", "sns:Publish", "arn:aws:sns:x:y:alerts"),
        ({"Ref": "Switch"}, "ssm:GetParameter", "arn:aws:ssm:x:y:parameter/shop/switch"),
        ("bucket", "s3:GetObject", "arn:aws:s3:::bucket/bars/*"),
        ("bucket", "s3:ListBucket", "arn:aws:s3:::bucket"),
        ({"Ref": "Lake"}, "s3:GetObject", {"Fn::Sub": "arn:aws:s3:::shop-${AWS::StackName}-lake/*"}),
        ({"Fn::Sub": "a-${AWS::Region}"}, "s3:GetObject", {"Fn::Sub": "arn:aws:s3:::a-${AWS::Region}/*"}),
        ("orders", "dynamodb:Query", "arn:aws:dynamodb:x:y:table/orders/index/*"),
        ("https://sqs.x.amazonaws.com/y/mail", "sqs:SendMessage", "arn:aws:sqs:x:y:mail"),
        ("bus", "events:PutEvents", "arn:aws:events:x:y:event-bus/bus"),
        ("stream", "kinesis:PutRecord", "arn:aws:kinesis:x:y:stream/stream"),
        ("a", "events:PutEvents", {"Fn::ImportValue": "shop-BusArn"}),
        ("a", "events:PutEvents", {"Fn::Sub": "${import ${Other}-BusArn}"}),
        ("a", "kms:Decrypt", arn("Key")),
    ],
)
def test_grant_that_the_environment_names_is_used(variable: Any, action: str, place: Any) -> None:
    switch = resource("SSM::Parameter", Name="/shop/switch")

    lake = resource("S3::Bucket", BucketName={"Fn::Sub": "shop-${AWS::StackName}-lake"})

    assert of_worker(allow(action, place), variables={"A": variable}, Switch=switch, Lake=lake) == []


@pytest.mark.parametrize(
    ("variable", "action", "place"),
    [
        ("prod", "secretsmanager:GetSecretValue", f"{SECRET}:/shop/prod/mail-*"),
        ("/shop/mails", "secretsmanager:GetSecretValue", f"{SECRET}:/shop/post-*"),
        ("", "ssm:GetParameter", "arn:aws:ssm:x:y:parameter/shop/mail"),
        ("/shop/prod/mail", "secretsmanager:GetSecretValue", f"{SECRET}:/shop/*"),
        ("/shop/prod/mail", "ssm:GetParameter", "arn:aws:ssm:x:y:parameter/shop/*"),
        ("shop-orders", "dynamodb:GetItem", "arn:aws:dynamodb:x:y:table/shop-*"),
        ("shop-orders", "dynamodb:GetItem", "arn:aws:dynamodb:x:y:table/orders"),
        ("buck", "s3:GetObject", "arn:aws:s3:::bucket/bars/*"),
        ("bucket", "s3:GetObject", "arn:aws:s3:::buck*/*"),
        ({"Ref": "Other"}, "sns:Publish", {"Ref": "Alerts"}),
        ({"Fn::Sub": "${AWS::Region}"}, "sns:Publish", {"Fn::Sub": "arn:aws:sns:${AWS::Region}:y:alerts"}),
    ],
)
def test_grant_that_the_environment_does_not_name_is_unused(variable: Any, action: str, place: Any) -> None:
    weaknesses = of_worker(allow(action, place), variables={"A": variable})

    assert [rule for rule, _ in weaknesses] == ["unused-grant"]


@pytest.mark.parametrize(
    "service",
    ["dynamodb", "s3", "sqs", "sns", "secretsmanager", "ssm", "events", "kinesis", "states", "lambda", "firehose"],
)
def test_grant_of_every_service_with_names_can_be_unused(service: str) -> None:
    weaknesses = of_worker(allow(f"{service}:Use", f"arn:aws:{service}:x:y:orders"))

    assert [rule for rule, _ in weaknesses] == ["unused-grant"]


@pytest.mark.parametrize(
    ("kind", "key", "action", "place"),
    [
        ("DynamoDB::Table", "TableName", "dynamodb:GetItem", "table/orders"),
        ("SQS::Queue", "QueueName", "sqs:SendMessage", "orders"),
        ("SNS::Topic", "TopicName", "sns:Publish", "orders"),
        ("Lambda::Function", "FunctionName", "lambda:InvokeFunction", "function:orders"),
    ],
)
def test_grant_by_the_name_of_a_resource_is_used(kind: str, key: str, action: str, place: str) -> None:
    service, named = action.partition(":")[0], resource(kind, **{key: "orders"})

    weaknesses = of_worker(allow(action, f"arn:aws:{service}:x:y:{place}"), variables={"A": {"Ref": "N"}}, N=named)

    assert weaknesses == []


def test_destination_of_failures_is_used() -> None:
    config = resource(
        "Lambda::EventInvokeConfig",
        FunctionName={"Ref": "Worker"},
        DestinationConfig={"OnFailure": {"Destination": arn("Failures")}},
    )

    assert of_worker(allow("sqs:SendMessage", arn("Failures")), Failures=QUEUE, Config=config) == []


def test_trust_policy_of_a_role_grants_the_role_nothing() -> None:
    open_role = resource("IAM::Role", AssumeRolePolicyDocument=TRUST)

    assert sentences(Worker=function(), WorkerRole=open_role) == []


@pytest.mark.parametrize("elsewhere", [{"Ref": "RoleArn"}, "arn:aws:iam::123456789012:role/admin", arn("data/Role")])
def test_function_with_a_role_from_elsewhere_is_found(elsewhere: Any) -> None:
    sentence = "has a role from outside the template, so nothing is known of what it may do"

    assert sentences(Worker=function(Role=elsewhere)) == [("unknown-role", "Worker", sentence)]


def test_role_of_two_functions_is_found() -> None:
    weaknesses = sentences(Worker=function(), Helper=function(), Own=function(Role=arn("OwnRole")), WorkerRole=role())

    sentence = "is the role of Worker, Helper, so each may do what another one needs"
    assert ("shared-role", "WorkerRole", sentence) in weaknesses
    assert [name for rule, name, _ in weaknesses if rule == "shared-role"] == ["WorkerRole"]


@pytest.mark.parametrize(
    ("kind", "target"),
    [("IAM::Policy", {"Roles": [{"Ref": "WorkerRole"}]}), ("IAM::RolePolicy", {"RoleName": {"Ref": "WorkerRole"}})],
)
def test_policy_that_applies_to_the_role_counts(kind: str, target: dict[str, Any]) -> None:
    policy = resource(kind, PolicyDocument=document(allow(TAKE, arn("Other"))), **target)

    assert [rule for rule, _ in of_worker(Extra=policy, Other=QUEUE)] == ["drained-queue"]


def test_policy_of_another_role_does_not_count() -> None:
    policy = resource("IAM::Policy", Roles=[{"Ref": "Elsewhere"}], PolicyDocument=document(allow(TAKE, arn("Other"))))

    assert of_worker(Extra=policy, Other=QUEUE) == []


@pytest.mark.parametrize(
    "more",
    [
        {"Tags": [{"Key": "a", "Value": {"Ref": "Orders"}}]},
        {"Layers": [{"Ref": "Orders"}]},
        {"Code": {"S3Bucket": {"Ref": "Orders"}}},
    ],
)
def test_tags_layers_and_code_do_not_make_a_grant_used(more: dict[str, Any]) -> None:
    worker_role = role(allow("dynamodb:GetItem", arn("Orders")))

    weaknesses = sentences(Worker=function(**more), WorkerRole=worker_role)

    assert [rule for rule, _, _ in weaknesses] == ["unused-grant"]


def test_function_url_belongs_to_its_function() -> None:
    """What belongs to a function names the function itself, but that does not let it invoke itself."""
    url = resource(
        "Lambda::Url", TargetFunctionArn=arn("Worker"), AuthType="AWS_IAM", Cors={"AllowOrigins": [{"Ref": "Site"}]}
    )

    assert of_worker(allow("s3:GetObject", {"Fn::Sub": "${Site.Arn}/*"}), Url=url) == []
    assert [rule for rule, _ in of_worker(allow("lambda:InvokeFunction", arn("Worker")), Url=url)] == ["unused-grant"]
