from typing import Any

import pytest

from automation.scanning import policy_documents
from tests.automation.scanning.small_stacks import allow, arn, document, resource, role, stack

ACCOUNT = "123456789012"


def documents_of(*statements: Any, **resources: Any) -> list[dict[str, Any]]:
    scanned = stack(WorkerRole=role(*statements), **resources)
    exporter = stack("base", Bus=resource("Events::EventBus"))
    types = policy_documents.types_of(scanned, [exporter, scanned])
    return [dict(policy.document) for policy in policy_documents.of_stack(scanned, types)]


def resource_in(place: Any, kind: str = "SQS::Queue") -> Any:
    """Return how a document names a resource."""
    documents = documents_of(allow("a:b", place), Target=resource(kind))
    return documents[0]["Statement"][0]["Resource"] if documents else None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("DynamoDB::Table", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/Target"),
        ("Events::EventBus", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/Target"),
        ("Events::Rule", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/Target"),
        ("IAM::Role", f"arn:aws:iam::{ACCOUNT}:role/Target"),
        ("KMS::Key", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/Target"),
        ("Kinesis::Stream", f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/Target"),
        ("Lambda::Function", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:Target"),
        ("Logs::LogGroup", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:Target:*"),
        ("S3::Bucket", "arn:aws:s3:::Target"),
        ("SQS::Queue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:Target"),
    ],
)
def test_document_names_a_resource_by_an_arn_of_its_type(kind: str, expected: str) -> None:
    assert resource_in(arn("Target"), kind) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SNS::Topic", f"arn:aws:sns:us-east-1:{ACCOUNT}:Target"),
        ("SecretsManager::Secret", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:Target-abcdef"),
        ("StepFunctions::StateMachine", f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:Target"),
    ],
)
def test_document_knows_whose_ref_is_an_arn(kind: str, expected: str) -> None:
    assert resource_in({"Ref": "Target"}, kind) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"Fn::Sub": "${Target.Arn}/index/*"}, f"arn:aws:sqs:us-east-1:{ACCOUNT}:Target/index/*"),
        ({"Fn::Sub": "arn:aws:sqs:x:y:${Target}"}, "arn:aws:sqs:x:y:Target"),
        ({"Fn::Sub": "arn:aws:sqs:x:y:${AWS::StackName}-a"}, "arn:aws:sqs:x:y:AWS--StackName-a"),
        ({"Fn::GetAtt": ["base/Bus", "Arn"]}, f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/Bus"),
        (["*", arn("Target")], ["*", f"arn:aws:sqs:us-east-1:{ACCOUNT}:Target"]),
    ],
)
def test_document_spells_references_out(place: Any, expected: Any) -> None:
    assert resource_in(place) == expected


@pytest.mark.parametrize(
    "place", [arn("Elsewhere"), {"Ref": "Parameter"}, {"Fn::ImportValue": "x"}, [arn("Target"), {"Ref": "Parameter"}]]
)
def test_document_leaves_out_what_only_aws_knows(place: Any) -> None:
    assert resource_in(place) is None


def test_document_keeps_the_statements_that_are_known() -> None:
    documents = documents_of(allow("a:b", {"Ref": "Parameter"}), {"Fn::If": ["C", {}, {}]}, allow("c:d", "*"))

    assert documents == [{"Version": "2012-10-17", "Statement": [allow("c:d", "*")]}]


def test_document_checks_not_resource_too() -> None:
    statement = {"Effect": "Allow", "Action": "a:b", "NotResource": {"Ref": "Parameter"}}

    assert documents_of(statement) == []


def test_document_spells_conditions_out() -> None:
    condition = {"ArnEquals": {"aws:SourceArn": [arn("Rule"), arn("Elsewhere")]}, "Bool": {"a:b": True}}

    [policy] = documents_of(allow("a:b", "*", Condition=condition), Rule=resource("Events::Rule"))

    assert policy["Statement"][0]["Condition"] == {
        "ArnEquals": {
            "aws:SourceArn": [
                f"arn:aws:events:us-east-1:{ACCOUNT}:rule/Rule",
                f"arn:aws:unknown:us-east-1:{ACCOUNT}:Elsewhere",
            ]
        },
        "Bool": {"a:b": True},
    }


def test_of_stack_yields_resource_policies_and_no_trust_policies() -> None:
    policy = resource("SQS::QueuePolicy", PolicyDocument=document(allow("sqs:*", "*", Principal="*")))
    scanned = stack(WorkerRole=role(), Policy=policy)

    policies = list(policy_documents.of_stack(scanned, policy_documents.types_of(scanned, [scanned])))

    assert [policy.resource for policy in policies] == ["Policy"]
