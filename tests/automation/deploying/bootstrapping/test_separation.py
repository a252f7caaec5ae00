"""The role of temporary environments reaches nothing of another environment, or it is not made."""

from typing import Any

import pytest

from automation.deploying.bootstrapping import deployer_calls, grants, separation
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement
from automation.system.errors import CheckFailedError
from tests.automation.deploying.bootstrapping.bakery_contents import bakery

OTHERS = [("live", "bakery-live"), ("live", "bakery-live-base"), ("qa-*", "bakery-qa-1")]


def contents_of(*stack_names: str) -> Contents:
    return bakery(stack_names=stack_names, names={})


def statements(contents: Contents) -> tuple[Statement, ...]:
    options: dict[str, Any] = {"bucket_arns": [], "secrets": (), "hooks": ()}
    own = deployer_calls.of_deployer(contents, bootstrap_stack="bootstrap-bakery-pr", **options)
    return (*own, *grants.of_handlers(contents))


def refused(contents: Contents, others: list[tuple[str, str]], *more: Statement) -> set[str]:
    with pytest.raises(CheckFailedError, match="the role would reach other environments; nothing was") as caught:
        separation.require((*statements(contents), *more), contents, others)
    return {finding.where for finding in caught.value.findings}


def test_names_that_begin_otherwise_are_apart() -> None:
    contents = contents_of("bakery-pr-*-base", "bakery-pr-*")

    separation.require(statements(contents), contents, OTHERS)


def test_name_of_one_resource_with_which_another_begins_is_apart() -> None:
    named = Statement(("iam:PassRole",), ("arn:aws:iam::123456789012:role/bakery",))

    separation.require([named], contents_of("bakery-pr-*"), OTHERS)


@pytest.mark.parametrize("stack_name", ["bakery-pr-special", "bakery-pr-x-base"])
def test_name_that_fits_the_pattern_is_refused(stack_name: str) -> None:
    assert refused(contents_of("bakery-pr-*"), [*OTHERS, ("special", stack_name)]) == {"environment special"}


def test_other_pattern_that_fits_is_refused() -> None:
    assert refused(contents_of("bakery-pr-*"), [("pr-x-*", "bakery-pr-x-1")]) == {"environment pr-x-*"}


def test_long_names_that_are_cut_before_they_differ_are_refused() -> None:
    """CloudFormation cuts names of roles and functions, here to `the-bakery-of-the-old-to`."""
    contents = contents_of("the-bakery-of-the-old-town-pr-*")

    assert refused(contents, [("live", "the-bakery-of-the-old-town-live")]) == {"environment live"}


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:sqs:eu-west-1:123456789012:*",
        "arn:aws:sqs:eu-west-1:123456789012:bakery-live-orders",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/bakery-*",
        "arn:aws:sqs:eu-west-1:123456789012:bakery-*-orders",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:bakery-??????",
        "arn:aws:s3:::bakery-live-base-*",
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/bakery-live/*",
        "arn:aws:iam::123456789012:role/bakery-live-*",
    ],
)
def test_planted_grant_is_refused(resource: str) -> None:
    """Whatever its origin is, such as a name that a template gives to a resource."""
    planted = Statement(("sqs:DeleteQueue",), (resource,))

    assert "environment live" in refused(contents_of("bakery-pr-*"), OTHERS, planted)


def test_finding_says_what_is_reached_and_what_to_change() -> None:
    planted = Statement(("sqs:DeleteQueue",), ("arn:aws:sqs:eu-west-1:123456789012:bakery-live-orders",))
    contents = contents_of("bakery-pr-*")

    with pytest.raises(CheckFailedError) as caught:
        separation.require([planted], contents, OTHERS)

    [finding] = caught.value.findings
    arn = "arn:aws:sqs:eu-west-1:123456789012:bakery-live-orders"
    assert finding.what == f"the role would reach {arn}, of bakery-live"
    names = "give the stacks of temporary environments names that begin with other words"
    assert finding.fix == f"{names}, in samconfig.toml"
