"""What a person reads about the deploy role: whom it trusts, and one line per service."""

from typing import Any

from automation.deploying.bootstrapping import policies, role_lines
from automation.deploying.bootstrapping.grants import VIA_CLOUDFORMATION, Statement
from automation.deploying.changes.model import Rank

PROVIDER = "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
TABLE, QUEUES = "arn:aws:dynamodb:eu-west-1:1:table/shop-*", "arn:aws:sqs:eu-west-1:1:shop-*"


def template(*statements: Statement, repository: str = "octocat/shop") -> dict[str, Any]:
    policy = {"Statement": [statement.document() for statement in statements]}
    return {
        "Resources": {
            "DeployRole": {"Properties": {"AssumeRolePolicyDocument": policies.trust(PROVIDER, repository, "prod")}},
            "DeployPolicy1": {"Properties": {"PolicyDocument": policy}},
        }
    }


def texts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [line.what for line in role_lines.lines_of(before, after, stack="bootstrap")]


def test_lines_of_a_new_role() -> None:
    after = template(
        Statement(("sqs:GetQueueUrl", "sqs:SendMessage"), (QUEUES,)),
        Statement(tuple(f"dynamodb:Act{number}" for number in range(5)), (TABLE,), VIA_CLOUDFORMATION),
        Statement(("sns:ListTopics", "iam:ListRoles"), ("*",)),
    )

    assert texts({}, after) == [
        "may be assumed by repo:octocat/shop:environment:prod",
        "may on *, because IAM cannot limit them: iam:ListRoles, sns:ListTopics",
        "may dynamodb: 5 actions on table/shop-*, only through CloudFormation",
        "may sqs: GetQueueUrl, SendMessage on shop-*",
    ]


def test_lines_need_attention_for_what_is_gained_only() -> None:
    first, second = Statement(("sqs:GetQueueUrl",), (QUEUES,)), Statement(("sqs:SendMessage",), (QUEUES,))

    lines = list(role_lines.lines_of(template(first), template(second), stack="bootstrap"))

    assert [(line.what, line.needs_attention) for line in lines] == [
        ("may sqs: SendMessage on shop-*", True),
        ("may no longer sqs: GetQueueUrl on shop-*", False),
    ]
    assert {(line.rank, line.stack, line.resource) for line in lines} == {(Rank.PERMISSIONS, "bootstrap", "DeployRole")}


def test_lines_of_another_repository() -> None:
    before, after = template(), template(repository="octocat/fork")

    assert texts(before, after) == [
        "may be assumed by repo:octocat/fork:environment:prod, and no longer repo:octocat/shop:environment:prod"
    ]


def test_lines_of_the_same_grants_in_another_order_are_none() -> None:
    first, second = Statement(("sqs:GetQueueUrl",), (QUEUES,)), Statement(("sqs:SendMessage",), (QUEUES,))
    together = Statement(("sqs:SendMessage", "sqs:GetQueueUrl"), (QUEUES,))

    assert texts(template(first, second), template(together)) == []


def test_lines_name_another_condition() -> None:
    condition = {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}
    passing = Statement(("iam:PassRole",), ("arn:aws:iam::1:role/shop-*",), condition)

    assert texts(template(), template(passing)) == [
        "may iam: PassRole on role/shop-*, only if iam:PassedToService lambda.amazonaws.com"
    ]


def test_lines_keep_apart_what_is_on_other_resources() -> None:
    statements = (
        Statement(("s3:GetObject", "s3:PutObject"), ("arn:aws:s3:::zips/*",)),
        Statement(("s3:ListBucket",), ("arn:aws:s3:::zips",)),
        Statement(("s3:ListBucket",), ("arn:aws:s3:::shop-*",)),
    )

    assert texts(template(), template(*statements)) == [
        "may s3: ListBucket on shop-*, zips",
        "may s3: GetObject, PutObject on zips/*",
    ]


def test_lines_name_four_actions_and_count_more() -> None:
    four = Statement(("sqs:A", "sqs:B", "sqs:C", "sqs:D"), (QUEUES,))
    five = Statement(tuple(f"dynamodb:Act{number}" for number in range(5)), (TABLE,))

    assert texts(template(), template(four, five)) == [
        "may dynamodb: 5 actions on table/shop-*",
        "may sqs: A, B, C, D on shop-*",
    ]


def test_lines_show_four_resources_and_count_the_rest() -> None:
    arns = tuple(f"arn:aws:lambda:eu-west-1:1:layer:L{number}" for number in range(6))

    [text] = texts(template(), template(Statement(("lambda:GetLayerVersion",), arns)))

    assert text == "may lambda: GetLayerVersion on layer:L0, layer:L1, layer:L2, layer:L3 and 2 more"


def test_lines_name_the_role_that_they_are_about() -> None:
    policy = {"Statement": [Statement(("s3:ListBucket",), ("arn:aws:s3:::zips",)).document()]}
    trust = policies.trust(PROVIDER, "octocat/shop", "prod-plan")
    after = {
        "Resources": {
            "PlanRole": {"Properties": {"AssumeRolePolicyDocument": trust}},
            "PlanPolicy1": {"Properties": {"PolicyDocument": policy}},
        }
    }

    lines = list(role_lines.lines_of({}, after, stack="bootstrap"))

    assert [(line.resource, line.what) for line in lines] == [
        ("PlanRole", "may be assumed by repo:octocat/shop:environment:prod-plan"),
        ("PlanRole", "may s3: ListBucket on zips"),
    ]


def test_lines_of_a_role_that_goes() -> None:
    assert texts(template(), {}) == ["may be assumed by nobody, and no longer repo:octocat/shop:environment:prod"]
