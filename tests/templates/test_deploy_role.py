"""The grants of the roles for this project's own stacks: complete, limited, and within IAM's limits."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from typing import Any

import pytest

from automation.deploying import bootstrap_stack
from automation.deploying import scope as scopes
from automation.deploying.bootstrapping import contents, grants, policies, roles, stack_template
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement
from automation.deploying.changes import schemas
from automation.deploying.planning import Surroundings
from automation.deploying.releases import records as releases
from tests.templates.reading import ROOT

ACCOUNT = "123456789012"
# IAM cannot limit these to resources, and they change something: CloudFormation calls them for the stacks alone.
WRITES_ON_EVERYTHING = {
    "events:PutPermission", "events:RemovePermission", "lambda:CreateEventSourceMapping", "logs:CreateLogDelivery",
    "logs:DeleteIndexPolicy", "logs:DeleteResourcePolicy", "logs:PutIndexPolicy", "logs:PutResourcePolicy",
}  # fmt: skip
# Resources without a name of ours: keys of KMS, file systems, tables of S3, identities of SES, some kinds of Lambda's.
UNNAMED = re.compile(
    r":(kms|elasticfilesystem|s3files|s3tables|ses):|aws-service-role|"
    r":(event-source-mapping|code-signing-config|capacity-provider):\*$"
)


# Layers are called the same in every environment: CloudFormation publishes versions, and deletes those of its stacks.
SHARED = re.compile(r":layer:\w+(:\*)?$")
OTHERS = ("dev", "staging", "prod")


@cache
def request_of(environment: str) -> roles.Request:
    scope = scopes.read(ROOT, environment, variables={}, takes_pattern=True)
    read = contents.read(scope, Surroundings(ROOT, scope.target, ACCOUNT))
    return roles.Request(scope, read, "octocat/alchemiser", [stack_template.BUCKET_ARN])


def contents_of(environment: str) -> Contents:
    return request_of(environment).contents


@cache
def statements(environment: str = "prod") -> tuple[Statement, ...]:
    return roles.deploying(request_of(environment))


def actions_on(arn: str, granted: tuple[Statement, ...]) -> set[str]:
    """Return what is allowed on a resource, as IAM decides by its ARN; without what IAM cannot limit."""
    allowed: set[str] = set()
    for statement in granted:
        named = [str(resource) for resource in statement.resources if resource != "*"]
        if any(fnmatchcase(arn, resource) for resource in named):
            allowed.update(statement.actions)
    return allowed


def resources_of(environment: str) -> Iterator[str]:
    """Yield ARNs of what an environment has: by the names of its stacks, and by the names in its templates."""
    read = contents_of(environment)
    for stack in (bootstrap_stack.name_of(read.stack_names), *read.stack_names):
        yield from (arn.replace("*", "Resource1A2B") for arn in grants.of_stack(stack, read))
    yield grants.arn(read, "dynamodb", f"table/{releases.table_name(read.stack_names)}")
    for statement in statements(environment):
        named = [str(resource) for resource in statement.resources if isinstance(resource, str)]
        own = [arn for arn in named if "alchemiser" in arn and not UNNAMED.search(arn)]
        yield from (arn.replace("*", "x").replace("?", "x") for arn in own)


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


@pytest.mark.parametrize("environment", ["local", "prod", "pr-*"])
def test_policies_are_within_the_limits(environment: str) -> None:
    documents = policies.pack(statements(environment))

    assert len(documents) <= 4
    assert all(policies.size(document) <= policies.MAX_CHARACTERS for document in documents)


def test_grants_of_hooks_are_actions() -> None:
    settings: Any = scopes.read(ROOT, "prod", variables={}).project.settings

    assert [action for action in settings.grants if not grants.is_action(action)] == []


# The role of temporary environments.


@pytest.mark.parametrize("other", OTHERS)
def test_role_of_pull_requests_reaches_no_other_environment(other: str) -> None:
    """Simulated for everything that the other environment has."""
    reached = {arn: actions_on(arn, statements("pr-*")) for arn in resources_of(other)}

    assert len(reached) > 60
    assert {arn: actions for arn, actions in reached.items() if actions} == {}


def test_role_of_pull_requests_shares_only_the_names_of_layers() -> None:
    own = re.compile(r"alchemiser[-/]pr[-/]|alchemiser-pr/\*$|:changeSet/release-|:aws:transform/")
    named = set(chain.from_iterable(map(str, statement.resources) for statement in statements("pr-*")))

    rest = {arn for arn in named if not own.search(arn) and not UNNAMED.search(arn) and not SHARED.search(arn)}
    assert rest == {"*", str(stack_template.BUCKET_ARN), "{'Fn::Sub': '${ArtifactBucket.Arn}/*'}"}


@pytest.mark.parametrize("other", OTHERS)
def test_roles_of_other_environments_reach_no_pull_request(other: str) -> None:
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/alchemiser-pr-12-Ledger-1A2B"

    assert actions_on(arn, statements(other)) == set()


@pytest.mark.parametrize(
    ("arn", "action"),
    [
        ("dynamodb:us-east-1:123456789012:table/alchemiser-pr-12-releases", "dynamodb:DeleteTable"),
        ("dynamodb:us-east-1:123456789012:table/alchemiser-pr-12-releases", "dynamodb:PutItem"),
        ("dynamodb:us-east-1:123456789012:table/alchemiser-pr-12-Ledger-1A2B", "dynamodb:Scan"),
        ("cloudformation:us-east-1:123456789012:stack/alchemiser-pr-12/4a2b", "cloudformation:DeleteStack"),
        ("cloudformation:us-east-1:123456789012:stack/alchemiser-pr-12-data/4a2b", "cloudformation:ExecuteChangeSet"),
        ("cloudformation:us-east-1:123456789012:stack/bootstrap-alchemiser-pr/4a2b", "cloudformation:DescribeStacks"),
        ("s3:::alchemiser-pr-12-data-bucket-1a2b", "s3:DeleteBucket"),
        ("s3:::alchemiser-pr-12-data-bucket-1a2b/bars", "s3:DeleteObjectVersion"),
        ("sqs:us-east-1:123456789012:alchemiser-pr-12-trade-inbox.fifo", "sqs:DeleteQueue"),
        ("ssm:us-east-1:123456789012:parameter/alchemiser/pr-12/trading", "ssm:DeleteParameter"),
        (
            "secretsmanager:us-east-1:123456789012:secret:/alchemiser/pr-12/broker-1a2b3c",
            "secretsmanager:DescribeSecret",
        ),
        ("lambda:us-east-1:123456789012:function:alchemiser-pr-1234567890-StrategyFun-1A2B", "lambda:InvokeFunction"),
        ("iam::123456789012:role/alchemiser-pr-1234567890-StrategyFunctionRole-1A2B", "iam:PassRole"),
    ],
)
def test_role_of_pull_requests_reaches_what_each_has(arn: str, action: str) -> None:
    assert action in actions_on(f"arn:aws:{arn}", statements("pr-*"))


@pytest.mark.parametrize(
    "kind", ["role/bootstrap-alchemiser-pr-DeployRole", "policy/bootstrap-alchemiser-pr-DeployPolicy1"]
)
def test_role_of_pull_requests_cannot_change_itself(kind: str) -> None:
    assert actions_on(f"arn:aws:iam::{ACCOUNT}:{kind}-1A2B", statements("pr-*")) == set()


# The plan role.


def test_plan_role_reads_and_makes_change_sets() -> None:
    planned = roles.planning(request_of("prod"))

    actions = set(chain.from_iterable(statement.actions for statement in planned))
    assert {action for action in actions if not re.match(r"[\w-]+:(Describe|Get|List|Query)", action)} == {
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "s3:PutObject",
    }
    assert len(policies.pack(planned)) == 1


def test_plan_role_reads_no_data_and_no_secret() -> None:
    planned = roles.planning(request_of("prod"))

    ledger = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/alchemiser-prod-Ledger-1A2B"
    assert actions_on(ledger, planned) == {"dynamodb:DescribeTable"}
    assert actions_on("arn:aws:s3:::alchemiser-prod-data-bucket-1a2b/bars", planned) == set()
    assert actions_on(f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/alchemiser/prod/trading", planned) == set()
    assert not [statement for statement in planned if "secretsmanager" in str(statement.actions)]
