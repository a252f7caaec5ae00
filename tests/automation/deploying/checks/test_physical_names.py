"""Names that are written in templates, and those that are taken."""

from pathlib import Path

import pytest

from automation.deploying.checks import physical_names
from automation.deploying.checks.physical_names import KINDS, NamedResource
from automation.deploying.remarks import Level, Remark
from automation.project import model
from automation.system.stacks import StackResource
from automation.system.targets import Target
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.projects import APP, make_shop

NAMED = """
  Switch:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/shop/${Colour}", Type: String, Value: x}
  Sales:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Sub "${AWS::StackName}-${AWS::Region}-${AWS::AccountId}"}
  Stock:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: stock}
  Unnamed:
    Type: AWS::S3::Bucket
  Late:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${Switch}-late"}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: fine}
  Present:
    Type: AWS::SQS::Queue
    Condition: IsGreen
    Properties: {QueueName: present}
  Absent:
    Type: AWS::SQS::Queue
    Condition: IsRed
    Properties: {QueueName: absent}
Conditions:
  IsGreen: !Equals [!Ref Colour, green]
  IsRed: !Equals [!Ref Colour, red]
"""
AWS = Target("eu-west-1")


def parameter(name: str = "/shop/green") -> NamedResource:
    return NamedResource("app.yaml", "Switch", KINDS["AWS::SSM::Parameter"], name)


def test_named_resources_are_those_whose_name_is_known(tmp_path: Path) -> None:
    scope = scope_of(model.load(make_shop(tmp_path, app_yaml=APP + NAMED)), "live")

    resources = physical_names.named_resources(scope.stacks[1], account="123456789012", region="eu-west-1")

    assert [(resource.logical_id, resource.kind.type, resource.name) for resource in resources] == [
        ("Switch", "AWS::SSM::Parameter", "/shop/green"),
        ("Sales", "AWS::DynamoDB::Table", "shop-live-eu-west-1-123456789012"),
        ("Stock", "AWS::DynamoDB::Table", "stock"),
        ("Present", "AWS::SQS::Queue", "present"),
    ]
    assert {resource.template for resource in resources} == {"app.yaml"}


@pytest.mark.parametrize(
    ("resource_type", "name", "physical_id"),
    [
        ("AWS::SSM::Parameter", "/shop/green", "/shop/green"),
        ("AWS::SQS::Queue", "till", "https://sqs.eu-west-1.amazonaws.com/123456789012/till"),
        (
            "AWS::SecretsManager::Secret",
            "/shop/key",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:/shop/key-Ab12Cd",
        ),
    ],
)
def test_new_names_without_those_of_deployed_resources(resource_type: str, name: str, physical_id: str) -> None:
    resource = NamedResource("app.yaml", "A", KINDS[resource_type], name)
    deployed = StackResource("B", physical_id, resource_type)

    assert physical_names.new_names([resource], [deployed]) == ()


@pytest.mark.parametrize(
    "deployed",
    [
        StackResource("Switch", "/shop/red", "AWS::SSM::Parameter"),
        StackResource("Switch", "/shop/green", "AWS::S3::Bucket"),
        StackResource("Switch", "/shop/green-2", "AWS::SSM::Parameter"),
    ],
)
def test_new_names_changed_name_is_new(deployed: StackResource) -> None:
    assert physical_names.new_names([parameter()], [deployed]) == (parameter(),)


def test_conflict_offers_the_commands_that_decide() -> None:
    assert physical_names.conflict(parameter(), AWS) == Remark(
        Level.STOP,
        "app.yaml: Switch",
        "AWS::SSM::Parameter /shop/green exists, but belongs to none of these stacks, so it cannot be created",
        "look at it: aws ssm get-parameter-history --name /shop/green --region eu-west-1; "
        "if nobody needs it, delete it: aws ssm delete-parameter --name /shop/green --region eu-west-1; "
        "otherwise change Name of Switch",
    )


def test_conflict_without_a_simple_deletion_offers_a_look() -> None:
    resource = NamedResource("app.yaml", "Till", KINDS["AWS::IAM::Role"], "till")

    assert physical_names.conflict(resource, AWS).fix == (
        "look at it: aws iam get-role --role-name till --region eu-west-1; if nobody needs it, delete it; "
        "otherwise change RoleName of Till"
    )


@pytest.mark.parametrize(
    ("resource_type", "look", "delete"),
    [
        (
            "AWS::CloudWatch::Alarm",
            "cloudwatch describe-alarms --alarm-names",
            "cloudwatch delete-alarms --alarm-names",
        ),
        ("AWS::DynamoDB::Table", "dynamodb describe-table --table-name", "dynamodb delete-table --table-name"),
        ("AWS::Events::EventBus", "events describe-event-bus --name", "events delete-event-bus --name"),
        (
            "AWS::Logs::LogGroup",
            "logs describe-log-groups --log-group-name-prefix",
            "logs delete-log-group --log-group-name",
        ),
        ("AWS::S3::Bucket", "s3api list-objects-v2 --bucket", "s3api delete-bucket --bucket"),
        ("AWS::SQS::Queue", "sqs get-queue-url --queue-name", ""),
        (
            "AWS::SecretsManager::Secret",
            "secretsmanager describe-secret --secret-id",
            "secretsmanager delete-secret --secret-id",
        ),
        ("AWS::Serverless::Function", "lambda get-function --function-name", "lambda delete-function --function-name"),
        ("AWS::Serverless::SimpleTable", "dynamodb describe-table --table-name", "dynamodb delete-table --table-name"),
    ],
)
def test_conflict_shows_each_kind_with_its_own_commands(resource_type: str, look: str, delete: str) -> None:
    kind = KINDS[resource_type]

    remark = physical_names.conflict(NamedResource("a.yaml", "X", kind, "x"), AWS)

    deletion = f": aws {delete} x --region eu-west-1" if delete else ""
    assert remark.fix == (
        f"look at it: aws {look} x --region eu-west-1; if nobody needs it, delete it{deletion}; "
        f"otherwise change {kind.property} of X"
    )


def test_kinds_are_resource_types_that_have_the_property() -> None:
    """The commands and properties agree with the names that AWS's own schemas and services use."""
    properties = {kind.type: kind.property for kind in KINDS.values()}

    assert properties == {
        "AWS::CloudWatch::Alarm": "AlarmName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::Events::EventBus": "Name",
        "AWS::IAM::Role": "RoleName",
        "AWS::Lambda::Function": "FunctionName",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::S3::Bucket": "BucketName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::SSM::Parameter": "Name",
        "AWS::SecretsManager::Secret": "Name",
    }
