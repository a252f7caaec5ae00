"""Widened permissions in every kind of policy, and the first grants of new resources."""

from typing import Any

import pytest

from automation.deploying.changes.model import Rank, Verdict
from automation.deploying.verdict import permissions
from tests.automation.deploying.planned_changes import (
    BUCKET,
    FUNCTION,
    QUEUE,
    ROLE,
    TABLE,
    TOPIC,
    assess,
    lines,
    names,
    resource,
    update,
)

ACCOUNT = {"AWS": "arn:aws:iam::999999999999:root"}
LAMBDA = {"Service": "lambda.amazonaws.com"}
TRUST = {"Statement": [{"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:AssumeRole"}]}
TRUST_ACCOUNT = {"Statement": [{"Effect": "Allow", "Principal": ACCOUNT, "Action": "sts:AssumeRole"}]}
PERMISSION = "AWS::Lambda::Permission"
BUCKET_POLICY = "AWS::S3::BucketPolicy"
QUEUE_POLICY = "AWS::SQS::QueuePolicy"
EVENTS = {"Service": "events.amazonaws.com"}


def statement(action: Any = "s3:Get", place: Any = "r", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": place, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Statement": list(statements)}


def role(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "p", "PolicyDocument": document(*statements)}]
    return {"AssumeRolePolicyDocument": TRUST, "Policies": policies, **more}


@pytest.mark.parametrize(
    ("kind", "before", "after", "what"),
    [
        (ROLE, role(statement()), role(statement("s3:*")), "may s3:* on r"),
        (ROLE, role(statement()), role(statement(), statement("a:b", "*")), "may a:b on *"),
        (
            ROLE,
            role(statement()),
            role(statement(), ManagedPolicyArns=["arn:aws:iam::aws:policy/A"]),
            "attaches arn:aws:iam::aws:policy/A",
        ),
        (
            ROLE,
            role(),
            role(AssumeRolePolicyDocument=TRUST_ACCOUNT),
            "arn:aws:iam::999999999999:root may sts:AssumeRole",
        ),
        (ROLE, role(PermissionsBoundary="b"), role(), "the permissions boundary b is removed"),
        (
            ROLE,
            role(PermissionsBoundary="b"),
            role(PermissionsBoundary="c"),
            "the permissions boundary b is changed",
        ),
        (
            "AWS::IAM::ManagedPolicy",
            {"PolicyDocument": document(statement())},
            {"PolicyDocument": document(statement("s3:Put"))},
            "may s3:Put on r",
        ),
        (
            "AWS::IAM::Policy",
            {"PolicyDocument": document(statement()), "Roles": [{"Ref": "A"}]},
            {"PolicyDocument": document(statement()), "Roles": [{"Ref": "A"}, {"Ref": "B"}]},
            "applies to ${B}",
        ),
        (
            QUEUE_POLICY,
            {"Queues": ["q"], "PolicyDocument": document(statement(Principal=EVENTS))},
            {"Queues": ["q"], "PolicyDocument": document(statement(Principal=ACCOUNT))},
            "arn:aws:iam::999999999999:root may s3:Get on r",
        ),
        (
            "AWS::KMS::Key",
            {"KeyPolicy": document(statement("kms:Decrypt", "*", Principal=ACCOUNT))},
            {"KeyPolicy": document(statement("kms:*", "*", Principal=ACCOUNT))},
            "arn:aws:iam::999999999999:root may kms:* on *",
        ),
        (
            "AWS::Logs::ResourcePolicy",
            {"PolicyDocument": '{"Statement": [{"Effect": "Allow", "Action": "a", "Resource": "r"}]}'},
            {"PolicyDocument": '{"Statement": [{"Effect": "Allow", "Action": "b", "Resource": "r"}]}'},
            "may b on r",
        ),
        (
            "AWS::Events::EventBusPolicy",
            {"StatementId": "s", "Statement": statement(Principal=ACCOUNT)},
            {"StatementId": "s", "Statement": statement("events:*", Principal=ACCOUNT)},
            "arn:aws:iam::999999999999:root may events:* on r",
        ),
        (
            PERMISSION,
            {"FunctionName": "f", "Action": "lambda:Invoke", "Principal": "s", "SourceArn": "arn"},
            {"FunctionName": "f", "Action": "lambda:Invoke", "Principal": "s"},
            "s may lambda:Invoke on f",
        ),
        (
            BUCKET_POLICY,
            {"Bucket": "b", "PolicyDocument": document(statement(Effect="Deny", Principal="*"))},
            {"Bucket": "b", "PolicyDocument": document()},
            "no longer denied to anyone: s3:Get on r",
        ),
    ],
)
def test_update_with_a_new_grant_is_widened(kind: str, before: Any, after: Any, what: str) -> None:
    assessment = update(kind, before, after)

    dangers = [danger for danger in assessment.dangers if danger.kind != "replace"]
    assert [(danger.name, danger.what) for danger in dangers] == [("widen:X", what)]
    assert dangers[0].rank is Rank.PERMISSIONS
    assert dangers[0].fix == "grant only what the code needs"


def test_widened_role_has_one_line_instead_of_the_property() -> None:
    assert lines(update(ROLE, role(statement()), role(statement("s3:Put")))) == [("may s3:Put on r", True)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (role(statement(["a:b", "c:d"])), role(statement("c:d"), statement("a:b"))),
        (role(statement("a:*", "*")), role(statement("a:b", "r"))),
        (role(ManagedPolicyArns=["a", "b"]), role(ManagedPolicyArns=["b"])),
        (role(), role(PermissionsBoundary="b")),
        (role(statement()), role(statement(), {**statement("x:y"), "Effect": "Deny"})),
        ({**role(), "Description": "a"}, {**role(), "Description": "b"}),
    ],
)
def test_update_without_a_new_grant_is_safe(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert update(ROLE, before, after).verdict is Verdict.SAFE


def test_narrowed_role_shows_what_it_takes_away() -> None:
    assessment = update(ROLE, role(statement(["a:b", "c:d"])), role(statement("c:d")))

    assert lines(assessment) == [("takes away: may a:b on r", False)]
    assert assessment.changes[0].rank is Rank.PERMISSIONS


def test_removed_role_is_safe_and_a_removed_denial_is_not() -> None:
    denying = document(statement(Effect="Deny", Principal="*"))
    policy = resource(BUCKET_POLICY, {"Bucket": "b", "PolicyDocument": denying})

    for kind in (ROLE, "AWS::IAM::User", "AWS::IAM::Group"):
        assert lines(assess({"X": resource(kind, role(statement(Effect="Deny")))}, {})) == [("removed", False)]
    assert names(assess({"X": policy}, {})) == ["widen:X"]


@pytest.mark.parametrize(
    "statement_of_role",
    [
        statement("sqs:Receive", {"Fn::GetAtt": ["Inbox", "Arn"]}),
        statement("s3:GetObject", "arn:aws:s3:::bucket/*"),
        statement("logs:PutLogEvents", "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/shop-F-*:*"),
        statement("ses:SendEmail", "*", Condition={"StringEquals": {"ses:FromAddress": "a"}}),
        statement("s3:Get", {"Fn::Sub": "arn:${AWS::Partition}:s3:::b/x"}),
        statement("s3:*", "*", Effect="Deny"),
    ],
)
def test_first_grants_of_a_new_role_need_attention_only(statement_of_role: dict[str, Any]) -> None:
    assessment = assess({}, {"X": resource(ROLE, role(statement_of_role))})

    assert assessment.verdict is Verdict.CONSENT
    [change] = assessment.changes
    assert change.what.startswith("added: lambda.amazonaws.com may sts:AssumeRole")
    assert change.rank is Rank.PERMISSIONS


@pytest.mark.parametrize(
    ("wide", "what"),
    [
        (statement("s3:*"), "may s3:* on r"),
        (statement("*"), "may * on r"),
        (statement("s3:Get", "*"), "may s3:Get on *"),
        (statement("s3:Get", "arn:aws:s3:::*"), "may s3:Get on arn:aws:s3:::*"),
        (statement("s3:Get", "arn:aws:s3:::*/*"), "may s3:Get on arn:aws:s3:::*/*"),
        (statement("sqs:Get", "arn:aws:sqs:*:*:*"), "may sqs:Get on arn:aws:sqs:*:*:*"),
        (statement("a:b", "arn:aws:dynamodb:r:1:table/*"), "may a:b on arn:aws:dynamodb:r:1:table/*"),
        (
            statement("a:b", {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:r:1:table/*"}),
            "may a:b on arn:${AWS::Partition}:dynamodb:r:1:table/*",
        ),
        (statement("iam:PassRole", "r"), "may iam:PassRole on r"),
        (statement("sts:AssumeRole", "r"), "may sts:AssumeRole on r"),
        (statement("IAM:PassRole", "r"), "may IAM:PassRole on r"),
        (statement("s3:Get?bject", "r"), "may s3:Get?bject on r"),
        (statement("a:b", "arn:aws:dynamodb:*"), "may a:b on arn:aws:dynamodb:*"),
        (
            statement("ses:SendEmail", "*", Condition={"StringEqualsIfExists": {"ses:FromAddress": "a"}}),
            "may ses:SendEmail on * if ses:FromAddress StringEqualsIfExists a",
        ),
        ({"Effect": "Allow", "NotAction": "a:b", "Resource": "r"}, "may all but a:b on r"),
        ({"Effect": "Allow", "Action": "a:b", "NotResource": "r"}, "may a:b on all but r"),
    ],
)
def test_wide_grants_of_a_new_role_are_a_danger(wide: dict[str, Any], what: str) -> None:
    assessment = assess({}, {"X": resource(ROLE, role(wide))})

    assert [(danger.name, danger.what) for danger in assessment.dangers] == [("widen:X", what)]
    assert ("added: lambda.amazonaws.com may sts:AssumeRole", True) in lines(assessment)


def test_new_role_for_another_account_is_a_danger() -> None:
    trusting = role(AssumeRolePolicyDocument=TRUST_ACCOUNT)

    assert names(assess({}, {"X": resource(ROLE, trusting)})) == ["widen:X"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", ["widen:X"]),
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", []),
    ],
)
def test_managed_policy_of_a_new_role_is_a_danger_unless_it_is_lambdas(policy: str, expected: list[str]) -> None:
    assessment = assess({}, {"X": resource(ROLE, role(ManagedPolicyArns=[policy]))})

    assert names(assessment) == expected
    assert any(f"attaches {policy}" in what for what, _ in lines(assessment))


def test_policy_of_a_new_queue_is_not_widened_and_of_an_existing_one_is() -> None:
    queue = {"Q": resource(QUEUE)}
    properties = {"Queues": [{"Ref": "Q"}], "PolicyDocument": document(statement("sqs:SendMessage", Principal=EVENTS))}
    policy = {"P": resource(QUEUE_POLICY, properties)}

    assert names(assess({}, queue | policy)) == []
    assert names(assess(queue, queue | policy)) == ["widen:P"]
    assert names(assess({}, policy)) == ["widen:P"]


def test_policy_added_to_an_existing_role_names_the_role() -> None:
    roles = {"R": resource(ROLE, role())}
    policy = {"P": resource("AWS::IAM::Policy", {"PolicyDocument": document(statement()), "Roles": [{"Ref": "R"}]})}

    [danger] = assess(roles, roles | policy).dangers

    assert (danger.name, danger.what) == ("widen:P", "may s3:Get on r; applies to ${R}")


def test_public_grant_is_named_public_and_not_widened() -> None:
    properties = {"Bucket": {"Ref": "B"}, "PolicyDocument": document(statement(Principal="*"))}
    bucket = {"B": resource(BUCKET)}

    for before in ({}, bucket):
        [danger] = assess(before, bucket | {"P": resource(BUCKET_POLICY, properties)}).dangers
        assert (danger.name, danger.what) == ("public:P", "anyone may s3:Get on r")
        assert danger.fix == "name the principals, or add a Condition that does"


def test_public_grant_with_a_condition_that_everybody_meets_is_public() -> None:
    anybody = statement(Principal="*", Condition={"StringLike": {"aws:SourceArn": "arn:aws:sns:*:*:alerts"}})
    policy = resource(BUCKET_POLICY, {"Bucket": {"Ref": "B"}, "PolicyDocument": document(anybody)})

    assert names(assess({}, {"B": resource(BUCKET), "P": policy})) == ["public:P"]


def test_public_topic_policy_that_was_public_before_is_not_new() -> None:
    before = {"Topics": ["t"], "PolicyDocument": document(statement("sns:Publish", Principal="*"))}
    after = {"Topics": ["t"], "PolicyDocument": document(statement("sns:Publish", "r", Principal={"AWS": "*"}))}

    assert names(update("AWS::SNS::TopicPolicy", before, after)) == []


@pytest.mark.parametrize(
    ("name", "operator", "key"),
    [
        ("SourceArn", "ArnLike", "aws:SourceArn"),
        ("SourceAccount", "StringEquals", "aws:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("OrganizationId", "StringEquals", "aws:PrincipalOrgID"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ],
)
def test_access_of_a_lambda_permission_has_its_conditions(name: str, operator: str, key: str) -> None:
    permission = {"FunctionName": "f", "Action": "lambda:Invoke", "Principal": "s", name: "v"}

    [grant] = permissions.access_of(resource(PERMISSION, permission)).grants

    assert (grant.principal, grant.action, grant.resource) == ("s", "lambda:Invoke", "f")
    assert grant.conditions == {(operator, key, frozenset({"v"}))}


def test_access_of_a_resource_without_policies_is_empty() -> None:
    empty = permissions.Access()

    assert permissions.access_of(None) == empty
    assert permissions.access_of({"Type": TABLE}) == empty
    assert permissions.access_of(resource(FUNCTION, {"FunctionName": "f", "Principal": "x"})) == empty
    assert permissions.access_of(resource("AWS::Lambda::EventSourceMapping", {"FunctionName": "f"})) == empty
    assert permissions.access_of(resource("AWS::IAM::InstanceProfile", {"Roles": ["r"]})) == empty


def test_removed_policy_that_only_allows_is_safe() -> None:
    policy = resource(BUCKET_POLICY, {"Bucket": "b", "PolicyDocument": document(statement(Principal=ACCOUNT))})

    assert lines(assess({"X": policy}, {})) == [("removed", False)]


@pytest.mark.parametrize(
    "name",
    [
        "Bucket",
        "EventBusName",
        "FunctionName",
        "Groups",
        "KeyId",
        "LayerVersionArn",
        "Queue",
        "Queues",
        "RepositoryName",
        "ResourceArn",
        "RoleName",
        "Roles",
        "SecretId",
        "TopicArn",
        "Topics",
        "Users",
    ],
)
def test_policy_applies_to_what_any_of_its_properties_names(name: str) -> None:
    policy = {"PolicyDocument": document(statement()), name: [{"Ref": "A"}]}

    assert permissions.access_of(resource("AWS::X::Policy", policy)).targets == {"${A}"}


def test_flat_grant_without_target_has_no_resource() -> None:
    [grant] = permissions.access_of(resource("AWS::Events::EventBusPolicy", {"Action": "a", "Principal": "1"})).grants

    assert (grant.action, grant.resource, grant.principal) == ("a", "", "1")


def test_grants_on_a_renamed_table_are_not_new() -> None:
    def stack(name: str, action: str = "dynamodb:Query") -> dict[str, Any]:
        grant = statement(action, [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}}}"}])
        return {name: resource(TABLE, {"KeySchema": []}), "R": resource(ROLE, role(grant))}

    assert names(assess(stack("Ledger"), stack("Trades"))) == ["rename:Ledger"]
    assert names(assess(stack("Ledger"), stack("Trades", "dynamodb:*"))) == ["rename:Ledger", "widen:R"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(ROLE, True), (QUEUE_POLICY, True), (PERMISSION, True), (TOPIC, False), (FUNCTION, False)],
)
def test_is_permission_type_of_policies_and_roles(kind: str, *, expected: bool) -> None:
    assert permissions.is_permission_type(kind) is expected
