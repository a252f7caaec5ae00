"""Which grants of a policy document are new: wildcards, conditions, order, denials, and everything else of IAM."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.deploying.verdict import grants
from automation.deploying.verdict.grants import Grant


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "r", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "r", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def new(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [*grants.describe(grants.new_grants(grants.grants_of(document(before)), grants.grants_of(document(after))))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (allow(["s3:Get", "s3:Put"], ["a", "b"]), allow(["s3:Put", "s3:Get"], ["b", "a"])),
        (allow("s3:*"), allow("s3:GetObject")),
        (allow("s3:Get*"), allow("s3:GetObject*")),
        (allow("S3:GetObject"), allow("s3:getobject")),
        (allow("s3:GetObjec?"), allow("s3:GetObject")),
        (allow("*", "*"), allow("iam:PassRole", {"Fn::GetAtt": ["Role", "Arn"]})),
        (allow("s3:Get", "arn:aws:s3:::b/*"), allow("s3:Get", "arn:aws:s3:::b/bars/*")),
        (allow("s3:Get", {"Fn::GetAtt": ["B", "Arn"]}), allow("s3:Get", {"Fn::Sub": "${B.Arn}"})),
        (allow("s3:Get"), allow("s3:Get", Condition={"Bool": {"aws:SecureTransport": "true"}})),
        (
            allow("a", Condition={"StringEquals": {"k": ["v", "w"]}}),
            allow("a", Condition={"StringEquals": {"K": "w"}, "Bool": {"b": True}}),
        ),
        (
            allow("a", Condition={"StringLike": {"k": "v*"}}),
            allow("a", Condition={"StringLike": {"k": ["va", "vb*"]}}),
        ),
        (
            allow("a", Condition={"StringNotEquals": {"k": "v"}}),
            allow("a", Condition={"StringNotEquals": {"k": ["v", "w"]}}),
        ),
        (
            allow("a", Condition={"StringNotEquals": {"k": "v"}}),
            allow("a", Condition={"StringNotEquals": {"k": "v"}, "Bool": {"b": True}}),
        ),
        (allow("*"), {"Effect": "Allow", "NotAction": "a", "Resource": "r"}),
        (allow("a", Principal="*"), allow("a", Principal={"AWS": "arn:aws:iam::1:root"})),
        (allow("a", Principal={"AWS": ["x", "y"]}), allow("a", Principal={"AWS": "y"})),
        (allow("a", Principal="*"), allow("a", Principal={"AWS": "*"})),
        ({"Effect": "Allow", "NotAction": ["b", "a"], "Resource": "*"},) * 2,
        (deny("a"), deny("*", "*")),
    ],
)
def test_new_grants_covered_grants_are_not_new(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert new(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (allow("s3:Get"), allow(["s3:Get", "s3:Put"]), "may s3:Put on r"),
        (allow("s3:Get"), allow("s3:*"), "may s3:* on r"),
        (allow("s3:Get?"), allow("s3:Get*"), "may s3:Get* on r"),
        (allow("s3:Get", "a"), allow("s3:Get", ["a", "b", "c"]), "may s3:Get on b, c"),
        (allow("s3:Get", "A"), allow("s3:Get", "a"), "may s3:Get on a"),
        (allow("s3.Get"), allow("s3xGet"), "may s3xGet on r"),
        (allow("a", Condition={"Bool": {"k": "true"}}), allow("a"), "may a on r"),
        (
            allow("a", Condition={"StringEquals": {"k": "v"}}),
            allow("a", Condition={"StringEquals": {"k": ["v", "w"]}}),
            "may a on r if k StringEquals v, w",
        ),
        (
            allow("a", Condition={"StringNotEquals": {"k": ["v", "w"]}}),
            allow("a", Condition={"StringNotEquals": {"k": "v"}}),
            "may a on r if k StringNotEquals v",
        ),
        (
            allow("a", Condition={"StringEquals": {"k": "v"}}),
            allow("a", Condition={"StringLike": {"k": "v"}}),
            "may a on r if k StringLike v",
        ),
        (
            allow("a", Condition={"ArnLike": {"k": "v*"}}),
            allow("a", Condition={"ArnLike": {"k": ["va", "x"]}}),
            "may a on r if k ArnLike va, x",
        ),
        (allow("a", Principal={"AWS": "x"}), allow("a", Principal={"AWS": ["x", "y"]}), "y may a on r"),
        (allow("a", Principal={"AWS": "x"}), allow("a", Principal="*"), "anyone may a on r"),
        (allow("a", Principal="*"), allow("a"), "may a on r"),
        (allow("*", "*"), allow("a", Principal={"Service": "s"}), "s may a on r"),
        (allow("a"), {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "r"}, "may all but iam:* on r"),
        (
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "r"},
            {"Effect": "Allow", "NotAction": "iam:Get", "Resource": "r"},
            "may all but iam:Get on r",
        ),
        (allow("a"), {"Effect": "Allow", "Action": "a", "NotResource": ["b", "a"]}, "may a on all but a, b"),
        (allow("a"), {"Effect": "Allow", "Action": "a", "NotPrincipal": {"AWS": "x"}}, "all but x may a"),
        (deny("a"), allow("x", "q"), "may x on q"),
        (allow("a"), {"Fn::If": ["C", 1, 2]}, "may what {Fn::If: [C, 1, 2]} grants"),
    ],
)
def test_new_grants_show_exactly_what_is_new(before: dict[str, Any], after: dict[str, Any], sentence: str) -> None:
    assert new(before, after)[0] == sentence


def test_new_grants_a_removed_denial_is_new() -> None:
    before, after = document(deny(["a", "b"], Principal="*")), document(deny("b", Principal="*"))

    [grant] = grants.new_grants(grants.grants_of(before), grants.grants_of(after))

    assert grants.describe([grant]) == ("no longer denied to anyone: a on r",)


def test_new_grants_an_added_denial_is_not_new() -> None:
    assert new(allow("a"), deny("a")) == []


def test_describe_denial_without_principal_names_nobody() -> None:
    assert grants.describe([Grant("a", "r", is_deny=True)]) == ("no longer denied: a on r",)


def test_describe_joins_actions_then_resources() -> None:
    every = grants.grants_of(document(allow(["a", "b"], ["x", "y"]), allow("c", "x")))

    assert grants.describe(every) == ("may a, b, c on x", "may a, b on y")


def test_describe_two_conditions_are_joined_by_and() -> None:
    condition = {"StringEquals": {"b": "1"}, "Bool": {"a": "true"}}

    assert grants.describe(grants.grants_of(document(allow("a", Condition=condition)))) == (
        "may a on r if a Bool true and b StringEquals 1",
    )


def test_join_says_may_once_for_neighbours() -> None:
    mixed = (Grant("a", "x"), Grant("b", "y"), Grant("c", "z", "p"), Grant("d", "w"))

    assert grants.join(mixed, "attaches P") == "may a on x; b on y; p may c on z; may d on w; attaches P"
    assert grants.join(()) == ""


@pytest.mark.parametrize(
    ("principal", "condition", "is_public"),
    [
        ("*", {}, True),
        ({"AWS": "*"}, {"Bool": {"aws:SecureTransport": "true"}}, True),
        ("*", {"StringEquals": {"aws:SourceAccount": "123456789012"}}, False),
        ("*", {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:us-east-1:1:t"}}, False),
        ("*", {"ArnLike": {"aws:SourceArn": "*"}}, True),
        ("*", {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
        ("*", {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::/0"]}}, True),
        ("*", {"StringNotEquals": {"aws:SourceAccount": "1"}}, True),
        ("*", {"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, True),
        ({"Service": "events.amazonaws.com"}, {}, False),
    ],
)
def test_is_public_needs_anyone_and_no_condition_on_the_caller(principal: Any, condition: Any, is_public: bool) -> None:
    [grant] = grants.grants_of(document(allow("a", Principal=principal, Condition=condition)))

    assert grant.is_public is is_public


@pytest.mark.parametrize(
    "key",
    [
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
        "aws:SourceOwner",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "aws:userid",
        "kms:CallerAccount",
        "lambda:EventSourceToken",
    ],
)
def test_is_public_condition_on_the_caller_is_private(key: str) -> None:
    assert not Grant("a", principal="*", conditions=frozenset({("StringEquals", key, frozenset({"v"}))})).is_public


def test_is_match_all_but_matches_only_itself_and_everything() -> None:
    assert grants.is_match("*", "all but a")
    assert grants.is_match("all but a", "all but a")
    assert not grants.is_match("a*", "all but a")
    assert not grants.is_match("all but *", "all but a")


def test_is_public_of_all_but_some_is_public_and_of_a_denial_not() -> None:
    assert Grant("a", principal="all but x").is_public
    assert not Grant("a", principal="*", is_deny=True).is_public


def test_conditions_without_keys_are_kept_as_text() -> None:
    assert grants.conditions_of({"Fn::If": ["C", 1, 2]}) == {("Fn::If", "", frozenset({"[C, 1, 2]"}))}
    assert grants.conditions_of(None) == frozenset()


@pytest.mark.parametrize(
    ("value", "is_document"),
    [
        (document(allow("a")), True),
        ({"Statement": {"Effect": "Allow"}}, True),
        (' {"Statement": [{"Effect": "Allow"}]}', True),
        ("{broken", False),
        ("text", False),
        ({"Statement": "text"}, False),
        ({"Statement": ["Effect"]}, False),
        ([allow("a")], False),
        ("[1]", False),
    ],
)
def test_as_document_recognises_policies(value: Any, is_document: bool) -> None:
    assert (grants.as_document(value) is not None) is is_document


NAMES = st.text(alphabet="ab*?:", max_size=6)


@given(st.lists(st.builds(Grant, NAMES, NAMES, st.sampled_from(["", "*", "p"]), is_deny=st.booleans())))
def test_new_grants_of_the_same_grants_are_none(every: list[Grant]) -> None:
    assert grants.new_grants(every, list(reversed(every))) == ()


@given(NAMES, NAMES, st.text(alphabet="ab:", max_size=6))
def test_is_match_is_transitive(wide: str, narrow: str, text: str) -> None:
    if grants.is_match(wide, narrow) and grants.is_match(narrow, text):
        assert grants.is_match(wide, text)
