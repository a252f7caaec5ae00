"""A deployed stack is read with the values of its parameters, and with the stacks nested in it."""

import pytest

from automation.operating import stack_contents
from automation.operating.stack_contents import StackContents
from tests.automation.operating.fake_contents import FakeContents

APP = """
Parameters:
  Dead: {Type: String, Default: none}
Conditions:
  Never: !Equals [a, b]
Resources:
  In:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "${AWS::StackName}-in"}
  Away: {Type: AWS::SQS::Queue, Condition: Never}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Targets:
        - Arn: !GetAtt In.Arn
          DeadLetterConfig: {Arn: !Ref Dead}
"""
IMPORTS = """
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties: {Targets: [{DeadLetterConfig: {Arn: !ImportValue base-dead}}]}
"""
NESTING = """
Resources:
  Inner: {Type: AWS::CloudFormation::Stack}
"""


@pytest.fixture
def cloud() -> FakeContents:
    cloud = FakeContents()
    cloud.add("shop-live", APP, parameters={"Dead": "arn:dead"})
    return cloud


def read(cloud: FakeContents, name: str = "shop-live") -> StackContents:
    return stack_contents.read({"app": name}, cloud)[0]


@pytest.mark.parametrize("as_text", [True, False])
def test_read_resolves_parameters(as_text: bool) -> None:
    cloud = FakeContents()
    cloud.add("shop-live", APP, as_text=as_text, parameters={"Dead": "arn:dead"})

    contents = read(cloud)

    assert contents.name == "app"
    assert contents.properties["Rule"]["Targets"][0]["DeadLetterConfig"] == {"Arn": "arn:dead"}
    assert contents.properties["In"] == {"QueueName": "shop-live-in"}


def test_read_pseudo_parameters_are_those_of_the_stack(cloud: FakeContents) -> None:
    name = "!Sub 'arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}'"
    cloud.add("s", f"Resources: {{In: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}}}}}}}")

    assert read(cloud, "s").properties["In"] == {"QueueName": "arn:aws:sqs:eu-west-1:123456789012:s"}


def test_read_leaves_out_what_a_condition_leaves_out(cloud: FakeContents) -> None:
    contents = read(cloud)

    assert contents.of_type("AWS::SQS::Queue") == {"In": "https://sqs/123456789012/in"}
    assert set(contents.properties) == {"In", "Rule"}


def test_read_stack_that_does_not_exist_is_left_out(cloud: FakeContents) -> None:
    contents = stack_contents.read({"base": "shop-live-base", "app": "shop-live"}, cloud)

    assert [entry.name for entry in contents] == ["app"]


def test_read_imports_are_resolved_by_the_exports(cloud: FakeContents) -> None:
    cloud.add("importing", IMPORTS)
    cloud.exported = {"base-dead": "arn:base"}

    assert read(cloud, "importing").properties["Rule"]["Targets"] == [{"DeadLetterConfig": {"Arn": "arn:base"}}]
    assert cloud.asked_exports == 1


def test_read_without_imports_asks_for_no_exports(cloud: FakeContents) -> None:
    read(cloud)

    assert cloud.asked_exports == 0


def test_read_nested_stacks_are_named_after_their_parent(cloud: FakeContents) -> None:
    cloud.add("outer", NESTING)
    cloud.physical_ids["Inner"] = "shop-live"

    contents = stack_contents.read({"outer": "outer"}, cloud)

    assert [entry.name for entry in contents] == ["outer", "outer/Inner"]
    assert contents[1].physical_ids["Rule"] == "shop-Rule"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"Ref": "In"}, "In"),
        ({"Fn::GetAtt": ["In", "Arn"]}, "In"),
        ({"Fn::Sub": "arn:aws:sqs:eu-west-1:123456789012:${In.QueueName}"}, "In"),
        ({"Fn::Join": [":", [{"Ref": "In"}, {"Ref": "Rule"}]]}, ""),
        ({"Ref": "Missing"}, ""),
        ("In", ""),
        (None, ""),
    ],
)
def test_referred_is_the_one_resource_of_a_value(cloud: FakeContents, value: object, name: str) -> None:
    assert read(cloud).referred(value) == name
