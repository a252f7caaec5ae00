"""Faults that are planted in the project's own template are found by the scanners and by our own rules.

Slow, because the scanners run; `nox -s security` includes it.
"""

import shutil
from pathlib import Path

import pytest

from automation import security

ROOT = Path(__file__).parents[2]
COPIED = ("pyproject.toml", "samconfig.toml", "security-reasons.toml", "data-template.yaml", "template.yaml")
PLANTED = """
  PlantedBucket:
    Type: AWS::S3::Bucket
    Properties: {AccessControl: PublicRead}
  PlantedLogs:
    Type: AWS::Logs::LogGroup
  PlantedQueue:
    Type: AWS::SQS::Queue
  PlantedShared:
    Type: AWS::SQS::Queue
    Properties: {SqsManagedSseEnabled: false}
  PlantedFirst:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Planted, EventSourceArn: !GetAtt PlantedShared.Arn}
  PlantedSecond:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref PlantedTwin, EventSourceArn: !GetAtt PlantedShared.Arn}
  PlantedPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref PlantedShared]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: "999999999999"}, Action: "sqs:ReceiveMessage", Resource: "*"}
  PlantedTwin:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Role: !GetAtt PlantedRole.Arn
  PlantedStranger:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Role: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/admin
  PlantedTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: a, AttributeType: S}]
      KeySchema: [{AttributeName: a, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
  Planted:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Policies:
        - SQSPollerPolicy: {QueueName: !GetAtt PlantedQueue.QueueName}
        - DynamoDBReadPolicy: {TableName: !Ref PlantedTable}
        - Version: "2012-10-17"
          Statement:
            - {Effect: Allow, Action: "dynamodb:*", Resource: "*"}
            - {Effect: Allow, Action: "s3:GetObject", Resource: !GetAtt PlantedBucket.Arn}
            - {Effect: Allow, Action: "logs:PutLogEvents", Resource: !GetAtt PlantedLogs.Arn}
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Return the resources and the rules of the findings without a reason."""
    root = tmp_path_factory.mktemp("planted")
    for name in COPIED:
        shutil.copy(ROOT / name, root / name)
    for name in ("locks", ".tools"):
        (root / name).symlink_to(ROOT / name)
    template = root / "template.yaml"
    template.write_text(template.read_text().replace("\nOutputs:\n", f"{PLANTED}\nOutputs:\n"))

    result = security.scan(root, "prod", variables={})

    assert result.missing == ()
    return {(finding.resource, finding.rule_name) for finding in result.judgement.unexplained}


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        ("PlantedBucket", "checkov:CKV_AWS_20"),  # readable by everyone
        ("PlantedBucket", "inv:public-access"),
        ("PlantedRole", "inv:wildcard-grant"),
        ("PlantedRole", "parliament:RESOURCE_STAR"),
        ("PlantedRole", "parliament:RESOURCE_MISMATCH"),  # GetObject on a bucket instead of its objects
        ("PlantedRole", "cfn-lint-serverless:WS1003"),  # an action with a star
        ("PlantedLogs", "checkov:CKV_AWS_66"),  # no retention
        ("PlantedLogs", "cfn-lint:I3011"),  # informational: no DeletionPolicy
        ("PlantedLogs", "inv:log-retention"),
        ("Planted", "inv:no-log-group"),
        ("PlantedRole", "inv:foreign-log-group"),
        ("PlantedRole", "inv:drained-queue"),
        ("PlantedRole", "inv:unused-grant"),
        ("PlantedRole", "inv:shared-role"),
        ("PlantedStranger", "inv:unknown-role"),
        ("PlantedFirst", "inv:drained-queue"),  # another function takes messages of the same queue
        ("PlantedSecond", "inv:drained-queue"),
        ("PlantedPolicy", "inv:drained-queue"),
        ("PlantedPolicy", "inv:any-caller"),
        ("PlantedPolicy", "inv:other-account"),
        ("PlantedShared", "inv:unencrypted-queue"),
        ("PlantedRole", "inv:managed-policy"),  # SAM's implicit role
    ],
)
def test_planted_fault_is_found(findings: set[tuple[str, str]], resource: str, rule: str) -> None:
    assert (resource, rule) in findings


def test_nothing_but_the_planted_faults_is_found(findings: set[tuple[str, str]]) -> None:
    assert {resource for resource, _ in findings if not resource.startswith("Planted")} == set()
