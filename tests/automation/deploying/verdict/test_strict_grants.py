"""Which grants are too wide, public, or for others, once conditions that hold nobody back are left out."""

import pytest

from automation.deploying.verdict import strict_grants
from automation.deploying.verdict.grants import Grant

TABLE = "arn:aws:dynamodb:x:123456789012:table/orders"
TOPIC = "arn:aws:sns:x:123456789012:alerts"
OTHERS_TOPIC = "arn:aws:sns:x:*:alerts"


def condition(operator: str, key: str, *values: str) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset({(operator, key, frozenset(values))})


@pytest.mark.parametrize(
    "action",
    ["dynamodb:*", "dynamodb:Get*", "dynamodb:GetIte?", "*", "all but iam:*", "IAM:PassRole", "sts:AssumeRole"],
)
def test_too_wide_action(action: str) -> None:
    assert strict_grants.is_too_wide(Grant(action, TABLE))


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "**",
        "*?",
        "all but arn:aws:s3:::a",
        "arn:*",
        "arn:aws:dynamodb:*",
        "arn:aws:dynamodb:*:*:*",
        "arn:aws:dynamodb:x:y:table/*",
        "arn:aws:dynamodb:x:y:table/*/index/by-date",
        "arn:${AWS::Partition}:logs:${AWS::Region}:y:log-group:*:log-stream:a",
        "arn:aws:s3:::*",
        "arn:aws:s3:::*/*",
        "arn:aws:sqs:x:y:?*",
    ],
)
def test_too_wide_resource(resource: str) -> None:
    assert strict_grants.is_too_wide(Grant("a:Get", resource))


@pytest.mark.parametrize(
    "resource",
    [
        TABLE,
        f"{TABLE}/index/*",
        "${Orders.Arn}/index/*",
        "",
        "arn:aws:s3:::bucket/*",
        "arn:aws:execute-api:x:y:api/*/GET/mail",
        "arn:aws:logs:x:y:log-group:/aws/lambda/a:*",
    ],
)
def test_resource_with_a_name_is_not_too_wide(resource: str) -> None:
    assert not strict_grants.is_too_wide(Grant("a:Get", resource))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEqualsIfExists", "ses:FromAddress", "a@b"),
        ("StringNotEquals", "ses:FromAddress", "a@b"),
        ("ForAllValues:StringEquals", "ses:Recipients", "a@b"),
        ("Null", "ses:FromAddress", "false"),
        ("StringLike", "ses:FromAddress", "*"),
        ("StringLike", "ses:FromAddress", "?*"),
        ("Bool", "aws:SecureTransport", "true"),
        ("StringEquals", "aws:RequestedRegion", "us-east-1"),
        ("StringEquals", "aws:ResourceAccount", "123456789012"),
        ("ArnLike", "AWS:PrincipalArn", "arn:aws:iam::123456789012:role/a"),
    ],
)
def test_condition_that_does_not_say_what_is_reached_does_not_narrow(operator: str, key: str, value: str) -> None:
    assert strict_grants.is_too_wide(Grant("ses:SendEmail", "*", conditions=condition(operator, key, value)))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "cloudwatch:namespace", "Shop"),
        ("StringLike", "cloudwatch:namespace", "Shop*"),
        ("StringEquals", "aws:ResourceTag/team", "shop"),
        ("StringEquals", "aws:RequestTag/team", "shop"),
        ("ForAnyValue:StringEquals", "aws:TagKeys", "shop"),
    ],
)
def test_condition_that_says_what_is_reached_narrows(operator: str, key: str, value: str) -> None:
    assert not strict_grants.is_too_wide(Grant("a:Put", "*", conditions=condition(operator, key, value)))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1"),
        ("Null", "aws:PrincipalOrgID", "false"),
        ("StringLike", "aws:PrincipalOrgID", "o-*"),
        ("StringLike", "aws:SourceAccount", "12*"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/shop"),
        ("ArnLike", "aws:SourceArn", OTHERS_TOPIC),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*"),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        ("IpAddress", "aws:SourceIp", "::/0"),
        ("Bool", "aws:SecureTransport", "true"),
    ],
)
def test_public_despite_a_loose_condition(operator: str, key: str, value: str) -> None:
    grant = Grant("sns:Publish", TOPIC, "*", conditions=condition(operator, key, value))

    assert strict_grants.is_public(grant)


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:PrincipalOrgID", "o-1"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/*"),
        ("ArnEquals", "aws:SourceArn", TOPIC),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::shop"),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::shop-*"),
        ("ArnEquals", "aws:SourceArn", "${Rule.Arn}"),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
        ("StringLike", "aws:userid", "AROA*"),
    ],
)
def test_not_public_with_a_condition_that_says_who_calls(operator: str, key: str, value: str) -> None:
    grant = Grant("sns:Publish", TOPIC, "*", conditions=condition(operator, key, value))

    assert not strict_grants.is_public(grant)


def test_public_with_several_values_when_any_of_them_is_loose() -> None:
    values = condition("ArnLike", "aws:SourceArn", TOPIC, OTHERS_TOPIC)

    assert strict_grants.is_public(Grant("sns:Publish", TOPIC, "*", conditions=values))


@pytest.mark.parametrize("principal", ["events.amazonaws.com", "events.amazonaws.com.cn"])
def test_service_without_a_source_calls_for_anybody(principal: str) -> None:
    assert strict_grants.is_for_any_caller(Grant("sqs:SendMessage", "a", principal))


@pytest.mark.parametrize(
    "grant",
    [
        Grant(
            "sqs:SendMessage", "a", "events.amazonaws.com", conditions=condition("ArnEquals", "aws:SourceArn", TOPIC)
        ),
        Grant("sqs:SendMessage", "a", "events.amazonaws.com", is_deny=True),
        Grant("sts:AssumeRole", "", "lambda.amazonaws.com"),
        Grant("sqs:SendMessage", "a", "arn:aws:iam::123456789012:root"),
        Grant("sqs:SendMessage", "a", "*"),
        Grant("sqs:SendMessage", "a"),
    ],
)
def test_grant_with_a_source_or_for_no_service_is_not_for_any_caller(grant: Grant) -> None:
    assert not strict_grants.is_for_any_caller(grant)


@pytest.mark.parametrize("principal", ["999999999999", "arn:aws:iam::999999999999:role/a", "f" * 64])
def test_principal_of_another_account(principal: str) -> None:
    assert strict_grants.is_for_other_account(Grant("s3:GetObject", "a", principal), "123456789012")


@pytest.mark.parametrize(
    "grant",
    [
        Grant("s3:GetObject", "a", "123456789012"),
        Grant("s3:GetObject", "a", "arn:aws:iam::123456789012:root"),
        Grant("s3:GetObject", "a", "${Role.Arn}"),
        Grant("s3:GetObject", "a", "events.amazonaws.com"),
        Grant("s3:GetObject", "a", "f" * 63),
        Grant("s3:GetObject", "a", "all but 999999999999"),
        Grant("s3:GetObject", "a", "999999999999", is_deny=True),
        Grant("s3:GetObject", "a", "f" * 64, is_deny=True),
    ],
)
def test_principal_of_this_account_and_denials_are_not_of_another(grant: Grant) -> None:
    assert not strict_grants.is_for_other_account(grant, "123456789012")
