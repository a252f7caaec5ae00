"""What is read from templates: types, names, trusted services and transforms."""

from pathlib import Path
from typing import Any

import pytest

from automation.deploying import scope as scopes
from automation.deploying.bootstrapping import contents
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.changes import schemas
from automation.deploying.planning import Surroundings
from tests.automation.deployable_shop import ENDPOINT, make_deployable_shop

LIVE = "shop-live"


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def read(root: Path) -> Contents:
    scope = scopes.read(root, "live", variables=ENDPOINT)
    return contents.read(scope, Surroundings(root, scope.target, "123456789012"))


def test_read_a_project_of_somebody_else(tmp_path: Path) -> None:
    found = read(make_deployable_shop(tmp_path))

    assert found.stack_names == ("shop-live-base", "shop-live")
    assert found.types == ("AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion")
    assert (found.partition, found.region, found.account) == ("aws", "eu-west-1", "123456789012")
    assert found.names == {}
    # Its functions use a role that no template has, so it is not known whom that trusts.
    assert found.role_arns == ("arn:aws:iam::123456789012:role/shop",)
    assert found.passed_to == ("lambda.amazonaws.com",)
    assert found.transforms == ()


def test_read_a_type_counts_although_its_condition_is_false_today(tmp_path: Path) -> None:
    root = make_deployable_shop(tmp_path)
    base = root / "base.yaml"
    queue = "  Orders: {Type: AWS::SQS::Queue, Condition: Never, Properties: {QueueName: orders}}\n"
    text = base.read_text().replace("Resources:\n", f"Resources:\n{queue}", 1)
    base.write_text(f'Conditions: {{Never: !Equals ["a", "b"]}}\n{text}')

    found = read(root)

    assert "AWS::SQS::Queue" in found.types
    assert found.names == {}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("orders", "orders"),
        ({"Fn::Sub": "/aws/lambda/${Till}"}, "/aws/lambda/shop-live-*"),
        ({"Fn::Sub": "orders-${AWS::Unknown}"}, "orders-*"),
        ({"Fn::Sub": "orders-${Till.Arn}"}, "orders-*"),
    ],
)
def test_names_of_known_parts_are_kept(name: Any, pattern: str) -> None:
    assert contents.names_of([resource("Logs::LogGroup", LogGroupName=name)], LIVE) == {
        "AWS::Logs::LogGroup": (pattern,)
    }


NAMES = {
    "CloudWatch::Alarm": "AlarmName", "CloudWatch::CompositeAlarm": "AlarmName", "DynamoDB::Table": "TableName",
    "Events::EventBus": "Name", "Events::Rule": "Name", "IAM::Group": "GroupName",
    "IAM::InstanceProfile": "InstanceProfileName", "IAM::ManagedPolicy": "ManagedPolicyName",
    "IAM::Role": "RoleName", "IAM::User": "UserName", "Kinesis::Stream": "Name",
    "KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "Lambda::Function": "FunctionName", "Lambda::LayerVersion": "LayerName", "Logs::LogGroup": "LogGroupName",
    "S3::Bucket": "BucketName", "SNS::Topic": "TopicName", "SQS::Queue": "QueueName", "SSM::Parameter": "Name",
    "Scheduler::Schedule": "Name", "Scheduler::ScheduleGroup": "Name", "SecretsManager::Secret": "Name",
    "StepFunctions::StateMachine": "StateMachineName",
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_names_of_each_type_have_a_property_of_its_schema(kind: str) -> None:
    assert contents.names_of([resource(kind, **{NAMES[kind]: "x"})], LIVE) == {f"AWS::{kind}": ("x",)}
    assert NAMES[kind] in schemas.property_names(f"AWS::{kind}")


def add_resource(template: Path, resource: str) -> None:
    text = template.read_text() if template.exists() else "Resources:\n"
    template.write_text(text.replace("Resources:\n", f"Resources:\n  {resource}\n", 1))


def test_read_nested_stack_counts_with_the_name_of_the_outermost_one(tmp_path: Path) -> None:
    root = make_deployable_shop(tmp_path)
    add_resource(root / "app.yaml", "Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}")
    add_resource(root / "inner.yaml", "Core: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: core.yaml}}")
    name = '{"Fn::Sub": "${AWS::StackName}-orders"}'
    add_resource(root / "core.yaml", f"Orders: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}}}}}")

    found = read(root)

    assert {"AWS::CloudFormation::Stack", "AWS::SQS::Queue"} <= set(found.types)
    assert found.names == {"AWS::SQS::Queue": ("shop-live-*-orders",)}


def test_read_names_have_the_values_of_their_own_stack(tmp_path: Path) -> None:
    root = make_deployable_shop(tmp_path)
    add_resource(root / "app.yaml", "Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref BaseStack}}")

    assert read(root).names == {"AWS::SQS::Queue": ("shop-live-base",)}


def test_read_include_is_no_resource(tmp_path: Path) -> None:
    """Only CloudFormation knows what it includes."""
    root = make_deployable_shop(tmp_path)
    include = '"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: "s3://shop/oven.yaml"}}'
    add_resource(root / "app.yaml", include)

    assert read(root).types == ("AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion")


def test_read_transforms_of_every_stack_by_their_names(tmp_path: Path) -> None:
    root = make_deployable_shop(tmp_path)
    for name, text in {
        "base.yaml": "AWS::SecretsManager-2020-07-23",
        "app.yaml": "[B, {Name: AWS::Include}, A]",
    }.items():
        (root / name).write_text(f"Transform: {text}\n{(root / name).read_text()}")

    assert read(root).transforms == ("A", "AWS::SecretsManager-2020-07-23", "B")


@pytest.mark.parametrize("name", [{"Fn::Sub": "${AWS::Unknown}-orders"}, {"Ref": "Name"}, None])
def test_names_of_unknown_beginning_are_left_out(name: Any) -> None:
    """The role must not get what other stacks have."""
    assert contents.names_of([resource("Logs::LogGroup", LogGroupName=name)], LIVE) == {}


def test_names_of_are_sorted_by_type() -> None:
    found = contents.names_of(
        [resource("SQS::Queue", QueueName="b"), resource("SQS::Queue", QueueName="a"), resource("SNS::Topic")], LIVE
    )

    assert found == {"AWS::SQS::Queue": ("a", "b")}


def test_names_of_nested_stack_begin_with_the_outermost_one() -> None:
    name = {"Fn::Sub": "/aws/lambda/${Till}"}

    found = contents.names_of([resource("Logs::LogGroup", LogGroupName=name)], "shop-live-*")

    assert found == {"AWS::Logs::LogGroup": ("/aws/lambda/shop-live-*",)}


def trusting(*services: str) -> dict[str, Any]:
    statements = [{"Effect": "Allow", "Principal": {"Service": service}} for service in services]
    return resource("IAM::Role", AssumeRolePolicyDocument={"Statement": statements})


def test_passed_to_services_that_roles_trust() -> None:
    roles = [trusting("lambda.amazonaws.com"), trusting("scheduler.amazonaws.com", "lambda.amazonaws.com")]

    services = contents.passed_to(["AWS::S3::Bucket"], roles, has_other_roles=False)

    assert services == ("lambda.amazonaws.com", "scheduler.amazonaws.com")


def test_passed_to_with_a_role_of_somebody_else_every_taker_counts() -> None:
    types = ["AWS::IAM::InstanceProfile", "AWS::Lambda::Function", "AWS::SQS::Queue"]

    assert contents.passed_to(types, [], has_other_roles=True) == ("lambda.amazonaws.com",)


def test_passed_to_ignores_principals_that_are_no_service() -> None:
    role = resource("IAM::Role", AssumeRolePolicyDocument={"Statement": {"Principal": {"AWS": "123456789012"}}})

    assert contents.passed_to([], [role, resource("IAM::Role")], has_other_roles=False) == ()


@pytest.mark.parametrize(
    ("resource_type", "service"),
    [("AWS::SQS::Queue", "sqs"), ("AWS::StepFunctions::StateMachine", "states"), ("Custom::Oven", "oven")],
)
def test_service_of(resource_type: str, service: str) -> None:
    assert contents.service_of(resource_type) == service
