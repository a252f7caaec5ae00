"""What a person reads about the deploy role: whom it trusts, and one line per service."""

from typing import Any

import pytest

from automation.deploying.bootstrapping import policies, role_lines
from automation.deploying.bootstrapping.grants import VIA_CLOUDFORMATION, Statement
from automation.deploying.changes.model import Assessment, Danger, Expanded, Rank
from automation.deploying.planning import PlannedStack
from automation.project.model import Project
from automation.system.stacks import StackDescription, StackState
from tests.automation.deploying.plan_examples import line
from tests.automation.deploying.planned_stacks import candidate_of, session_of

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
    assert {(line.rank, line.stack, line.resource, line.type) for line in lines} == {
        (Rank.PERMISSIONS, "bootstrap", "DeployRole", "AWS::IAM::Role")
    }


def test_lines_of_another_repository() -> None:
    [change] = role_lines.lines_of(template(), template(repository="octocat/fork"), stack="bootstrap")

    gained, lost = "repo:octocat/fork:environment:prod", "repo:octocat/shop:environment:prod"
    assert change.what == f"may be assumed by {gained}, and no longer {lost}"
    assert change.needs_attention


def test_lines_of_the_same_grants_in_another_order_are_none() -> None:
    first, second = Statement(("sqs:GetQueueUrl",), (QUEUES,)), Statement(("sqs:SendMessage",), (QUEUES,))
    together = Statement(("sqs:SendMessage", "sqs:GetQueueUrl"), (QUEUES,))

    assert texts(template(first, second), template(together)) == []


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"StringEquals": {"iam:PassedToService": ["lambda", "events"]}}, "iam:PassedToService events, lambda"),
        (
            {"StringEquals": {"iam:PassedToService": ["lambda"]}, "Bool": {"aws:SecureTransport": "true"}},
            "aws:SecureTransport true and iam:PassedToService lambda",
        ),
    ],
)
def test_lines_name_another_condition(condition: dict[str, Any], text: str) -> None:
    passing = Statement(("iam:PassRole",), ("arn:aws:iam::1:role/shop-*",), condition)

    assert texts(template(), template(passing)) == [f"may iam: PassRole on role/shop-*, only if {text}"]


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


@pytest.mark.parametrize(("count", "more"), [(4, ""), (6, " and 2 more")])
def test_lines_show_four_resources_and_count_the_rest(count: int, more: str) -> None:
    arns = tuple(f"arn:aws:lambda:eu-west-1:1:layer:L{number}" for number in range(count))

    [text] = texts(template(), template(Statement(("lambda:GetLayerVersion",), arns)))

    assert text == f"may lambda: GetLayerVersion on layer:L0, layer:L1, layer:L2, layer:L3{more}"


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


def planned(shop: Project, before: dict[str, Any] | None, after: dict[str, Any]) -> PlannedStack:
    deployed = StackDescription(StackState("bootstrap-shop-live", ""))
    earlier = Expanded(before) if before else None
    return PlannedStack(candidate_of(session_of(shop)), deployed, earlier, Expanded(after), ())


def test_allowed_names_are_those_of_the_roles_and_their_policies(shop: Project) -> None:
    after = template(Statement(("sqs:SendMessage",), (QUEUES,)))
    after["Resources"]["ArtifactBucketPolicy"] = {}

    assert role_lines.allowed_names(planned(shop, None, after)) == ("widen:DeployRole", "widen:DeployPolicy1")


def test_summarised_replaces_what_is_said_of_the_roles_and_nothing_else(shop: Project) -> None:
    before = {"Resources": {"PlanRole": template()["Resources"]["DeployRole"]}}
    kept = (line(Rank.DATA_LOSS, "ArtifactBucket", "is deleted"), line(Rank.OTHER, "DeployPolicy1", "added"),
            line(Rank.OTHER, "PlanRole", "removed"), line(Rank.OTHER, "Answers", "Value: a -> b"))  # fmt: skip
    summed_up = (line(Rank.PERMISSIONS, "DeployPolicy1", "may sqs:SendMessage"), line(Rank.OTHER, "PlanRole", "x"))
    dangers = tuple(Danger("widen", "app", name, Rank.PERMISSIONS, "x") for name in ("DeployRole", "Other", "PlanRole"))

    stack = planned(shop, before, template(Statement(("sqs:SendMessage",), (QUEUES,))))
    shown = role_lines.summarised(Assessment((*kept, *summed_up), dangers[:1], dangers, ("delete:X",)), stack)

    own = [
        ("DeployRole", "may be assumed by repo:octocat/shop:environment:prod"),
        ("DeployRole", "may sqs: SendMessage on shop-*"),
        ("PlanRole", "may be assumed by nobody, and no longer repo:octocat/shop:environment:prod"),
    ]
    assert [(change.resource, change.what) for change in shown.changes] == [
        ("ArtifactBucket", "is deleted"), *own, ("DeployPolicy1", "added"), ("PlanRole", "removed"),
        ("Answers", "Value: a -> b"),
    ]  # fmt: skip
    assert {change.stack for change in shown.changes if change.rank is Rank.PERMISSIONS} == {stack.name}
    assert (shown.dangers, shown.allowed, shown.unused) == (dangers[:1], dangers[1:2], ("delete:X",))


def test_lines_show_an_intrinsic_as_it_is() -> None:
    """It is the bucket of the bootstrap stack, whose name is not known before."""
    [text] = texts(template(), template(Statement(("s3:ListBucket",), ({"Fn::GetAtt": ["ArtifactBucket", "Arn"]},))))

    assert text == "may s3: ListBucket on ${ArtifactBucket.Arn}"
