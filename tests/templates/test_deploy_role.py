"""The grants of the deploy role for this project's own stacks: complete, limited, and within IAM's limits."""

import re
from functools import cache
from typing import Any

import pytest

from automation.deploying import bootstrap_stack
from automation.deploying import scope as scopes
from automation.deploying.bootstrapping import contents, deployer_calls, grants, policies, stack_template
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement
from automation.deploying.changes import schemas
from automation.deploying.planning import Surroundings
from tests.templates.reading import ROOT

ACCOUNT = "123456789012"
# IAM cannot limit these to resources, and they change something: CloudFormation calls them for the stacks alone.
WRITES_ON_EVERYTHING = {
    "events:PutPermission", "events:RemovePermission", "lambda:CreateEventSourceMapping", "logs:CreateLogDelivery",
    "logs:DeleteIndexPolicy", "logs:DeleteResourcePolicy", "logs:PutIndexPolicy", "logs:PutResourcePolicy",
}  # fmt: skip
# Resources without a name of ours: keys of KMS, mappings of events, file systems, tables of S3, identities of SES.
UNNAMED = re.compile(r":(kms|elasticfilesystem|s3files|s3tables|ses):|:event-source-mapping:|aws-service-role")


@cache
def contents_of(environment: str) -> Contents:
    scope = scopes.read(ROOT, environment, variables={})
    return contents.read(scope, Surroundings(ROOT, scope.target, ACCOUNT))


@cache
def statements(environment: str = "prod") -> tuple[Statement, ...]:
    scope = scopes.read(ROOT, environment, variables={})
    own = deployer_calls.of_deployer(
        contents_of(environment),
        bootstrap_stack=bootstrap_stack.name_of(scope.stack_names),
        bucket_arns=[stack_template.BUCKET_ARN],
        secrets=[secret.name_in(environment) for secret in scope.project.settings.secrets],
        hooks=scope.project.settings.grants,
    )
    return (*own, *grants.of_handlers(contents_of(environment)))


def test_every_permission_of_every_type_is_granted() -> None:
    granted: set[str] = set()
    for statement in statements():
        granted.update(statement.actions)

    assert contents_of("prod").transforms == ("AWS::Serverless-2016-10-31",)
    types = contents_of("prod").types
    assert len(types) == 19
    assert grants.unknown_types(contents_of("prod")) == ()
    for resource_type in types:
        needed = {action for action in schemas.handler_permissions(resource_type) if grants.is_action(action)}
        assert needed <= granted, resource_type


def test_no_action_has_a_wildcard() -> None:
    for statement in statements():
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action) for action in statement.actions)


def test_only_what_iam_cannot_limit_is_on_everything() -> None:
    everywhere = [statement for statement in statements() if "*" in statement.resources]

    assert [statement.resources for statement in everywhere] == [("*",), ("*",)]
    reads = re.compile(r"\w+:(List|Describe|Get)")
    actions = {action for statement in everywhere for action in statement.actions if not reads.match(action)}
    assert actions == WRITES_ON_EVERYTHING
    [written] = [statement for statement in everywhere if "logs:PutResourcePolicy" in statement.actions]
    assert written.condition == grants.VIA_CLOUDFORMATION


def test_every_other_resource_is_one_of_the_environment() -> None:
    layers = "|".join(contents_of("prod").names["AWS::Lambda::LayerVersion"])
    own = re.compile(rf"alchemiser[-/]prod|:changeSet/release-|:aws:transform/|:layer:({layers})")
    for statement in statements():
        for resource in statement.resources:
            is_intrinsic = not isinstance(resource, str)
            assert is_intrinsic or resource == "*" or own.search(resource) or UNNAMED.search(resource), resource


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_no_resource_of_another_environment_is_granted(environment: str) -> None:
    for statement in statements(environment):
        assert "prod" not in str(statement.resources)


def test_bootstrap_stack_is_out_of_reach() -> None:
    """Otherwise the role could give itself more rights."""
    names = [str(resource) for statement in statements() for resource in statement.resources]

    own = [name for name in names if "bootstrap" in name]
    assert own == [f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/bootstrap-alchemiser-prod/*"]
    assert not [name for name in names if re.search(r":(role|policy)/\*$", name)]


def test_secrets_are_never_read() -> None:
    actions = {action for statement in statements() for action in statement.actions}

    assert {action for action in actions if action.startswith("secretsmanager:")} == {"secretsmanager:DescribeSecret"}


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_policies_are_within_the_limits(environment: str) -> None:
    documents = policies.pack(statements(environment))

    assert len(documents) <= 4
    assert all(policies.size(document) <= policies.MAX_CHARACTERS for document in documents)


def test_grants_of_hooks_are_actions() -> None:
    settings: Any = scopes.read(ROOT, "prod", variables={}).project.settings

    assert [action for action in settings.grants if not grants.is_action(action)] == []
