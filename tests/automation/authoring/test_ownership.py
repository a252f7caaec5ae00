from collections.abc import Mapping

import pytest

from automation.authoring import selections
from tests.automation.authoring.foreign import ORDERS, SHARED

APP = """\
Resources:
  AFunction:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt ARole.Arn
      LoggingConfig: {LogGroup: !Ref ALogs}
      Environment: {Variables: {NEXT: !Ref BQueue}}
      Events: {In: {Type: SQS, Properties: {Queue: !GetAtt AQueue.Arn}}}
  BFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events: {In: {Type: SQS, Properties: {Queue: !GetAtt BQueue.Arn}}}
  ARole: {Type: AWS::IAM::Role, Properties: {Policies: [{PolicyName: p, Resource: !GetAtt BQueue.Arn}]}}
  ALogs: {Type: AWS::Logs::LogGroup}
  BLogs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub "/aws/lambda/${BFunction}"}}
  AQueue: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt ADlq.Arn}}}
  BQueue: {Type: AWS::SQS::Queue}
  ADlq: {Type: AWS::SQS::Queue, Properties: {RedriveAllowPolicy: {sourceQueueArns: [!Sub "${BQueue}"]}}}
  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Dimensions: [{Value: !GetAtt ADlq.QueueName}], Do: [!Ref Topic]}}
  Both: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt AQueue.Arn}, {Arn: !GetAtt BQueue.Arn}]}}
  OnlyB: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt BQueue.Arn}]}}
  BPolicy: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref BQueue], Sources: [!GetAtt Both.Arn]}}
  Time: {Type: AWS::Scheduler::Schedule, Properties: {Target: {Arn: !GetAtt AQueue.Arn, RoleArn: !GetAtt TimeRole.Arn}}}
  TimeRole: {Type: AWS::IAM::Role, Properties: {Policies: [{Resource: !GetAtt AQueue.Arn}]}}
  Topic: {Type: AWS::SNS::Topic}
  Unused: {Type: AWS::SQS::Queue}
"""
A, B, BOTH, NOBODY = {"AFunction"}, {"BFunction"}, {"AFunction", "BFunction"}, set[str]()


@pytest.fixture(scope="module")
def owners() -> Mapping[str, frozenset[str]]:
    return selections.parse(APP, path="t.yaml").owners


@pytest.mark.parametrize(
    ("resource", "functions"),
    [
        *(("AFunction", A), ("ARole", A), ("ALogs", A), ("AQueue", A), ("ADlq", A), ("Alarm", A)),
        *(("BFunction", B), ("BLogs", B), ("BQueue", B), ("OnlyB", B), ("BPolicy", B)),
        *(("Both", BOTH), ("Time", A), ("TimeRole", A), ("Unused", NOBODY)),
    ],
)
def test_owners_of_a_resource_follow_from_references(
    owners: Mapping[str, frozenset[str]], resource: str, functions: set[str]
) -> None:
    assert owners[resource] == functions


def test_owners_know_nothing_of_data_and_topics(owners: Mapping[str, frozenset[str]]) -> None:
    assert "Topic" not in owners


def test_owners_of_what_functions_share_are_all_of_them() -> None:
    orders, shared = selections.parse(ORDERS, path="t").owners, selections.parse(SHARED, path="t").owners

    assert orders["Failed"] == {"OrdersFunction", "ReturnsFunction"}
    assert shared["Role"] == shared["Policy"] == {"Orders", "Stock"}
    assert shared["OrdersQueue"] == shared["OrdersSource"] == {"Orders"}


def test_resources_of_skip_what_has_no_type() -> None:
    parsed = selections.parse("Resources:\n  A: {Type: AWS::SQS::Queue}\n  Fn::Transform: {Name: x}\n", path="t")

    assert list(parsed.resources) == ["A"]
