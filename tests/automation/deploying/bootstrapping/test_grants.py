"""The statements of a deploy role: which actions, on which resources, under which condition."""

import re
from collections.abc import Iterable
from itertools import chain, product

import pytest

from automation.deploying.bootstrapping import grants
from automation.deploying.bootstrapping.grants import NO_CONDITION, VIA_CLOUDFORMATION, Statement
from automation.deploying.changes import schemas
from tests.automation.deploying.bootstrapping.bakery_contents import BAKERY, bakery

SQS = "arn:aws:sqs:eu-west-1:123456789012"
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012"
ROLES = "arn:aws:iam::123456789012:role/bakery-live-*"


def by_action(statements: Iterable[Statement]) -> dict[str, Statement]:
    """Return the statement of each action, which no second one may have."""
    found: dict[str, Statement] = {}
    for statement in statements:
        for action in statement.actions:
            assert action not in found, action
            found[action] = statement
    return found


def test_limited_actions_get_the_resources_of_the_stacks_and_the_named_ones() -> None:
    [statement] = grants.limited(["sqs:SendMessage", "sqs:GetQueueUrl"], BAKERY)

    resources = (f"{SQS}:bakery-live-*", f"{SQS}:orders.fifo")
    assert statement == Statement(("sqs:GetQueueUrl", "sqs:SendMessage"), resources, NO_CONDITION)


def test_limited_action_that_iam_cannot_limit_is_on_everything() -> None:
    queues, everywhere = grants.limited(["sqs:ListQueues", "sqs:GetQueueUrl"], BAKERY, VIA_CLOUDFORMATION)

    assert (everywhere.actions, everywhere.resources) == (("sqs:ListQueues",), ("*",))
    assert everywhere.condition == queues.condition == VIA_CLOUDFORMATION
    assert queues.actions == ("sqs:GetQueueUrl",)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("lambda:InvokeFunction", [f"{LAMBDA}:function:bakery-live-*"]),
        (
            "lambda:GetLayerVersion",
            [f"{LAMBDA}:layer:Dough", f"{LAMBDA}:layer:Dough:*", f"{LAMBDA}:layer:bakery-live-*"],
        ),
        ("lambda:DeleteEventSourceMapping", [f"{LAMBDA}:event-source-mapping:*"]),
        ("iam:GetRole", [ROLES]),
        ("s3:PutObject", ["arn:aws:s3:::bakery-live-*"]),
        ("dynamodb:Query", ["arn:aws:dynamodb:eu-west-1:123456789012:table/bakery-live-*"]),
        ("events:DescribeEventBus", ["arn:aws:events:eu-west-1:123456789012:event-bus/bakery-live-*"]),
        ("kms:Decrypt", ["arn:aws:kms:eu-west-1:123456789012:key/*"]),
        ("cloudwatch:DescribeAlarms", ["*"]),
        (
            "scheduler:GetSchedule",
            [
                "arn:aws:scheduler:eu-west-1:123456789012:schedule/bakery-live-*/*",
                "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/bakery-live-*",
            ],
        ),
    ],
)
def test_limited_each_service_names_its_resources_in_its_own_way(action: str, expected: list[str]) -> None:
    [statement] = grants.limited([action], BAKERY)

    assert list(statement.resources) == expected


A = "arn:aws"
HERE = "eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("action", "resource_type", "expected"),
    [
        ("logs:CreateLogGroup", "AWS::Logs::LogGroup",
         [f"{A}:logs:{HERE}:log-group:x", f"{A}:logs:{HERE}:log-group:x:*"]),
        ("logs:CreateLogGroup", "AWS::Lambda::Function", [f"{A}:logs:{HERE}:log-group:/aws/lambda/x"]),
        ("s3:PutObject", "AWS::S3::Bucket", [f"{A}:s3:::x", f"{A}:s3:::x/*"]),
        ("dynamodb:Query", "AWS::DynamoDB::Table", [f"{A}:dynamodb:{HERE}:table/x", f"{A}:dynamodb:{HERE}:table/x/*"]),
        ("events:PutRule", "AWS::Events::Rule", [f"{A}:events:{HERE}:rule/x", f"{A}:events:{HERE}:rule/x/*"]),
        ("events:DescribeEventBus", "AWS::Events::EventBus", [f"{A}:events:{HERE}:event-bus/x"]),
        ("cloudwatch:DeleteAlarms", "AWS::CloudWatch::Alarm", [f"{A}:cloudwatch:{HERE}:alarm:x"]),
        ("lambda:InvokeFunction", "AWS::Lambda::Function",
         [f"{A}:lambda:{HERE}:function:x", f"{A}:lambda:{HERE}:function:x:*"]),
        ("iam:GetRole", "AWS::IAM::Role", [f"{A}:iam::123456789012:role/x"]),
        ("iam:GetPolicy", "AWS::IAM::ManagedPolicy", [f"{A}:iam::123456789012:policy/x"]),
        ("iam:GetUser", "AWS::IAM::User", [f"{A}:iam::123456789012:user/x"]),
        ("iam:GetGroup", "AWS::IAM::Group", [f"{A}:iam::123456789012:group/x"]),
        ("iam:GetInstanceProfile", "AWS::IAM::InstanceProfile", [f"{A}:iam::123456789012:instance-profile/x"]),
        ("kinesis:PutRecord", "AWS::Kinesis::Stream", [f"{A}:kinesis:{HERE}:stream/x"]),
        ("firehose:PutRecord", "AWS::KinesisFirehose::DeliveryStream", [f"{A}:firehose:{HERE}:deliverystream/x"]),
        ("scheduler:GetSchedule", "AWS::Scheduler::ScheduleGroup",
         [f"{A}:scheduler:{HERE}:schedule/default/x", f"{A}:scheduler:{HERE}:schedule/x/*"]),
        ("scheduler:GetScheduleGroup", "AWS::Scheduler::ScheduleGroup", [f"{A}:scheduler:{HERE}:schedule-group/x"]),
        ("secretsmanager:DescribeSecret", "AWS::SecretsManager::Secret", [f"{A}:secretsmanager:{HERE}:secret:x-*"]),
        ("sns:Publish", "AWS::SNS::Topic", [f"{A}:sns:{HERE}:x"]),
        ("states:StartExecution", "AWS::StepFunctions::StateMachine", [f"{A}:states:{HERE}:stateMachine:x"]),
        ("states:DescribeExecution", "AWS::StepFunctions::StateMachine", [f"{A}:states:{HERE}:execution:x:*"]),
        # The name of another type of the same service belongs to something else.
        ("events:DescribeEventBus", "AWS::Events::Rule", []),
        ("iam:GetRole", "AWS::IAM::ManagedPolicy", []),
        ("iam:GetPolicy", "AWS::IAM::Role", []),
        ("iam:GetUser", "AWS::IAM::Role", []),
        ("iam:GetGroup", "AWS::IAM::User", []),
        ("iam:GetInstanceProfile", "AWS::IAM::Role", []),
        ("lambda:GetLayerVersion", "AWS::Lambda::Function", []),
        ("lambda:InvokeFunction", "AWS::Lambda::LayerVersion", []),
    ],
)  # fmt: skip
def test_limited_name_of_a_template_is_added_where_it_belongs(
    action: str, resource_type: str, expected: list[str]
) -> None:
    contents = bakery(names={resource_type: ("x",)})

    [named] = grants.limited([action], contents)
    [unnamed] = grants.limited([action], bakery(names={}))

    assert sorted(set(named.resources) - set(unnamed.resources)) == expected


DASHBOARDS = "arn:aws:cloudwatch::123456789012:dashboard/*"


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["cloudwatch:PutDashboard"], [DASHBOARDS]),
        (["cloudwatch:PutDashboard", "cloudwatch:DeleteAlarms"],
         [DASHBOARDS, f"{A}:cloudwatch:{HERE}:alarm:bakery-live-*"]),
        (["ssm:DescribeDocument"], [f"{A}:ssm:{HERE}:document/*"]),
        # It can be limited to a configuration, too, but a function is known by its name.
        (["lambda:PutFunctionCodeSigningConfig"], [f"{A}:lambda:{HERE}:function:bakery-live-*"]),
    ],
)  # fmt: skip
def test_limited_kind_without_known_names_is_of_the_whole_account(actions: list[str], expected: list[str]) -> None:
    [statement] = grants.limited(actions, BAKERY)

    assert list(statement.resources) == expected


def kinds_of(action: str) -> list[str]:
    """Return the ARNs that IAM can limit an action to, as regular expressions; none for an action on everything."""
    service, _, name = action.partition(":")
    known = schemas.iam_services()[service]
    kinds = [kind.lower() for kind in known["Actions"][name.lower()].get("Resources", ())]
    formats = chain.from_iterable(known["Resources"][kind]["ARNFormats"] for kind in kinds)
    return [re.sub(r"\$\{\w+\}", "[^:]*", text) for text in formats]


@pytest.mark.parametrize(
    "resource_type",
    ["AWS::CloudWatch::Dashboard", "AWS::Events::Connection", "AWS::IAM::User", "AWS::Lambda::CodeSigningConfig"],
)
def test_of_handlers_allows_each_action_on_a_resource_that_it_can_have(resource_type: str) -> None:
    """Otherwise IAM denies it, and CloudFormation fails."""
    for action, statement in by_action(grants.of_handlers(bakery(types=(resource_type,)))).items():
        kinds = kinds_of(action)
        pairs = product(kinds, statement.resources)
        assert statement.resources == ("*",) or any(re.fullmatch(kind, arn) for kind, arn in pairs), action


@pytest.mark.parametrize("action", ["events:PutRule", "iam:GetRole", "lambda:InvokeFunction", "scheduler:GetSchedule"])
def test_limited_names_of_64_characters_are_cut(action: str) -> None:
    [statement] = grants.limited([action], bakery(stack_names=("b" * 30,), names={}))

    assert all(f"{'b' * 24}*" in resource for resource in statement.resources)


def test_limited_parameter_is_named_without_its_first_slash() -> None:
    contents = bakery(names={"AWS::SSM::Parameter": ("/bakery/open",)})

    [statement] = grants.limited(["ssm:GetParameter"], contents)

    start = "arn:aws:ssm:eu-west-1:123456789012:parameter"
    assert statement.resources == (f"{start}/bakery-live-*", f"{start}/bakery/open")


def test_limited_bucket_of_a_stack_is_in_lower_case() -> None:
    [statement] = grants.limited(["s3:PutObject"], bakery(stack_names=("Bakery",)))

    assert statement.resources == ("arn:aws:s3:::bakery-*",)


@pytest.mark.parametrize(
    ("name", "prefix"), [("b" * 24, f"{'b' * 24}-*"), ("b" * 25, f"{'b' * 24}*")], ids=["fits", "is cut"]
)
def test_limited_function_of_a_stack_with_a_long_name(name: str, prefix: str) -> None:
    functions, queues = grants.limited(["lambda:InvokeFunction", "sqs:SendMessage"], bakery(stack_names=(name,)))

    assert functions.resources == (f"{LAMBDA}:function:{prefix}",)
    assert queues.resources == (f"{SQS}:{name}-*", f"{SQS}:orders.fifo")


@pytest.mark.parametrize(
    ("stack", "other", "is_reached"),
    [
        ("shop", "shop-staging", True),
        ("shop", "shopping", False),
        ("shop-staging", "shop", False),
        ("b" * 25, "b" * 24 + "c", True),
        ("b" * 24, "b" * 24 + "c", False),
    ],
)
def test_reaches(stack: str, other: str, is_reached: bool) -> None:
    assert grants.reaches(stack, other) is is_reached


@pytest.mark.parametrize(
    ("name", "function", "queue"),
    [
        ("pr-*-bakery", "pr-*", "pr-*-bakery-*"),
        ("bake-pr-*", "bake-pr-*", "bake-pr-*-*"),
        ("the-bakery-of-the-old-town-*", "the-bakery-of-the-old-to*", "the-bakery-of-the-old-town-*-*"),
        ("a-*", "a-*-*", "a-*-*"),
    ],
)
def test_limited_name_of_a_pattern_may_be_cut_behind_its_star(name: str, function: str, queue: str) -> None:
    """What the star stands for has up to 20 characters, so that 24 may end in it."""
    contents = bakery(stack_names=(name,), names={})

    functions, queues = grants.limited(["lambda:InvokeFunction", "sqs:SendMessage"], contents)

    assert functions.resources == (f"{LAMBDA}:function:{function}",)
    assert queues.resources == (f"{SQS}:{queue}",)


def test_of_stack_names_what_a_stack_has_in_every_service() -> None:
    arns = set(grants.of_stack("bakery-qa", bakery()))

    assert {
        f"{LAMBDA}:function:bakery-qa-*",
        f"{SQS}:bakery-qa-*",
        "arn:aws:s3:::bakery-qa-*/*",
        "arn:aws:iam::123456789012:role/bakery-qa-*",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/bakery-qa/*",
    } <= arns
    assert not [arn for arn in arns if "bakery-qa" not in arn]


def test_of_handlers_covers_every_permission_of_every_type() -> None:
    granted = by_action(grants.of_handlers(BAKERY))

    for resource_type in BAKERY.types:
        needed = {action for action in schemas.handler_permissions(resource_type) if grants.is_action(action)}
        assert needed
        assert needed <= granted.keys()


def test_of_handlers_is_only_usable_through_cloudformation() -> None:
    statements = grants.of_handlers(BAKERY)

    without = [statement.actions for statement in statements if statement.condition != VIA_CLOUDFORMATION]
    assert without == [("iam:PassRole",)]
    assert VIA_CLOUDFORMATION == {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}


def test_of_handlers_has_no_wildcard_in_an_action() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action) for action in by_action(grants.of_handlers(BAKERY)))


def test_of_handlers_passes_only_roles_of_the_stacks_to_services_that_they_trust() -> None:
    passing = by_action(grants.of_handlers(bakery(role_arns=("arn:aws:iam::1:role/other",))))["iam:PassRole"]

    assert passing.resources == (ROLES, "arn:aws:iam::1:role/other")
    assert passing.condition == {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}


def test_of_handlers_without_a_service_that_gets_a_role_passes_none() -> None:
    assert "iam:PassRole" not in by_action(grants.of_handlers(bakery(passed_to=())))


def test_of_handlers_creates_service_linked_roles_only() -> None:
    statement = by_action(grants.of_handlers(bakery(types=("AWS::DynamoDB::Table",))))["iam:CreateServiceLinkedRole"]

    assert statement.resources == ("arn:aws:iam::123456789012:role/aws-service-role/*",)


def test_of_handlers_leaves_out_what_iam_does_not_have() -> None:
    """The schema of a bucket names operations of S3 that IAM has no actions for."""
    named = schemas.handler_permissions("AWS::S3::Bucket")
    granted = by_action(grants.of_handlers(bakery(types=("AWS::S3::Bucket",))))

    assert "s3:DeleteBucketCors" in named
    assert not grants.is_action("s3:DeleteBucketCors")
    assert "s3:DeleteBucketCors" not in granted
    assert "s3:PutLifecycleConfiguration" in granted


def test_unknown_types_are_those_whose_schemas_do_not_say() -> None:
    contents = bakery(types=("AWS::SQS::Queue", "Custom::Oven"))

    assert grants.unknown_types(contents) == ("Custom::Oven",)


@pytest.mark.parametrize(
    ("action", "is_known"), [("sqs:SendMessage", True), ("sqs:Sendmessages", False), ("oven:Heat", False), ("*", False)]
)
def test_is_action(action: str, is_known: bool) -> None:
    assert grants.is_action(action) is is_known


def test_document_of_a_statement() -> None:
    statement = Statement(("a:B",), ("*",), {"Bool": {"aws:SecureTransport": "true"}})

    assert statement.document() == {
        "Effect": "Allow",
        "Action": ["a:B"],
        "Resource": ["*"],
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    }
    assert "Condition" not in Statement(("a:B",), ("*",)).document()
