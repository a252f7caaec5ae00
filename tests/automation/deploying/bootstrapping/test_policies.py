"""Packing statements into policies within IAM's limits, and whom a deploy role trusts."""

import json
from dataclasses import replace
from itertools import chain, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.deploying.bootstrapping import policies
from automation.deploying.bootstrapping.grants import VIA_CLOUDFORMATION, Statement
from automation.system.errors import ConfigurationError

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def statement(actions: int, resources: int = 1, width: int = 20) -> Statement:
    return Statement(
        tuple(f"sqs:A{number:0{width}}" for number in range(actions)),
        tuple(f"arn:aws:sqs:::{number:0{width}}" for number in range(resources)),
    )


def pairs(documents: tuple[dict[str, object], ...]) -> set[tuple[str, str]]:
    """Return every action with every resource that it is allowed on."""
    found: set[tuple[str, str]] = set()
    for document in documents:
        for entry in document["Statement"]:  # type: ignore[attr-defined]
            found.update((action, resource) for action in entry["Action"] for resource in entry["Resource"])
    return found


def test_pack_small_statements_share_a_policy() -> None:
    [document] = policies.pack([statement(2), statement(3)])

    assert document["Version"] == "2012-10-17"
    assert [len(entry["Action"]) for entry in document["Statement"]] == [2, 3]


few, many = st.integers(1, 90), st.integers(91, 160)


# 160 actions or resources with 90 of the others fill more than one policy, and 90 with 90 almost one.
@given(st.lists(st.tuples(few, few) | st.tuples(few, many) | st.tuples(many, few), min_size=1, max_size=4))
@settings(max_examples=40)
def test_pack_allows_the_same_within_the_limit(sizes: list[tuple[int, int]]) -> None:
    statements = [statement(actions, resources) for actions, resources in sizes]

    documents = policies.pack(statements)

    assert all(policies.size(document) <= 6144 for document in documents)
    wanted = ({(action, resource) for action in entry.actions for resource in entry.resources} for entry in statements)
    assert pairs(documents) == set(chain.from_iterable(wanted))


@pytest.mark.parametrize(
    ("actions", "resources", "parts"),
    [
        (90, 130, [(90, 65), (90, 65)]),
        (131, 90, [(65, 90), (66, 90)]),
        (100, 100, [(100, 50), (100, 50)]),
        (1, 200, [(1, 100), (1, 100)]),
        (250, 1, [(125, 1), (125, 1)]),
    ],
)
def test_pack_splits_a_long_statement_and_keeps_its_condition(
    actions: int, resources: int, parts: list[tuple[int, int]]
) -> None:
    long = replace(statement(actions, resources), condition=VIA_CLOUDFORMATION)

    documents = policies.pack([long])

    entries = list(chain.from_iterable(document["Statement"] for document in documents))
    assert [(len(entry["Action"]), len(entry["Resource"])) for entry in entries] == parts
    assert {json.dumps(entry["Condition"]) for entry in entries} == {json.dumps(long.document()["Condition"])}
    assert pairs(documents) == set(product(long.actions, long.resources))


def test_pack_fills_a_policy_before_it_starts_the_next() -> None:
    # 170 actions of 25 characters, with quotes and commas, fill more than half of a policy.
    documents = policies.pack([statement(170), statement(170), statement(1)])

    assert [len(document["Statement"]) for document in documents] == [2, 1]


def test_pack_more_policies_than_a_role_may_have_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="the deploy role needs 11 policies, and IAM allows 10 per role; give"):
        policies.pack([statement(170)] * 11)


def test_pack_ten_policies_are_accepted() -> None:
    assert len(policies.pack([statement(170)] * 10)) == 10


def test_pack_a_grant_longer_than_a_policy_is_refused() -> None:
    rest = policies.size({"Version": "2012-10-17", "Statement": [Statement(("sqs:",), ("*",)).document()]})
    action = f"sqs:{'A' * (6144 - rest)}"

    assert len(policies.pack([Statement((action,), ("*",))])) == 1
    with pytest.raises(ConfigurationError, match="a grant is longer than 6144 characters"):
        policies.pack([Statement((f"{action}A",), ("*",))])


def test_size_counts_intrinsics_as_the_longest_arn() -> None:
    arn = "arn:aws-us-gov:s3:::" + "b" * 63 + "/*"

    for intrinsic in ({"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}, {"Ref": "Bucket"}):
        assert policies.size({"Resource": [intrinsic]}) == policies.size({"Resource": [arn]})


def test_size_counts_no_white_space() -> None:
    assert policies.size({"a": ["b", "c"]}) == len('{"a":["b","c"]}')


def test_trust_is_exactly_one_environment_of_one_repository() -> None:
    assert policies.trust(PROVIDER, "octocat/bakery", "prod") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": PROVIDER},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {
                        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                        "token.actions.githubusercontent.com:sub": "repo:octocat/bakery:environment:prod",
                    }
                },
            }
        ],
    }
