"""The roles of an environment: what each may do, and which jobs may assume it."""

from pathlib import Path
from typing import Any

import pytest

from automation.deploying import scope as scopes
from automation.deploying.bootstrapping import destroyer_calls, grants, planner_calls, policies, roles
from automation.deploying.bootstrapping.roles import Request
from automation.system.errors import CheckFailedError, ConfigurationError
from tests.automation.deploying.bootstrapping.bakery_contents import bakery
from tests.automation.projects import PYPROJECT, SAMCONFIG, make_shop
from tests.automation.temporary_shop import SECTIONS, TABLE

BUCKET = "arn:aws:s3:::zips"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
SERVICE_ROLE = "arn:aws:iam::123456789012:role/cfn"
SECRET = '\n[[tool.alchemiser.secrets]]\nname = "/shop/{env}/till"\n'
STACKS = {"live": ("shop-live-base", "shop-live"), "pr-*": ("shop-pr-*-base", "shop-pr-*")}


def request(
    root: Path, name: str = "live", *, more: str = "", tables: str = TABLE, samconfig: str = SAMCONFIG
) -> Request:
    """Return what the roles of an environment are for, with more of pyproject.toml."""
    pyproject = PYPROJECT.replace('package = "shop"', f'package = "shop"\n{more}') + SECRET + tables
    make_shop(root, pyproject_toml=pyproject, samconfig_toml=samconfig + SECTIONS)
    scope = scopes.read(root, name, variables={}, takes_pattern=True)
    return Request(scope, bakery(stack_names=STACKS[name], names={}), "octocat/shop", [BUCKET])


def resources_of(request: Request, action: str) -> list[Any]:
    found: list[Any] = []
    for statement in roles.deploying(request):
        found += statement.resources if action in statement.actions else ()
    return found


def test_named_environment_has_a_role_that_deploys_and_one_that_plans(tmp_path: Path) -> None:
    live = request(tmp_path)

    deploy, plan = roles.of(live)

    assert (deploy.name, deploy.description) == ("DeployRole", "Deploys live from GitHub's octocat/shop")
    assert (plan.name, plan.description) == ("PlanRole", "Plans changes of live from GitHub's octocat/shop")
    assert deploy.trust == policies.trust(PROVIDER, "octocat/shop", "live")
    assert plan.trust == policies.trust(PROVIDER, "octocat/shop", "live-plan")
    assert deploy.documents == policies.pack(roles.deploying(live))
    planning = planner_calls.of_planner(live.contents, bootstrap_stack="bootstrap-shop-live", bucket_arns=[BUCKET])
    assert plan.documents == policies.pack(planning)


def test_deploying_has_its_own_calls_and_those_of_cloudformation(tmp_path: Path) -> None:
    live = request(tmp_path, more='grants = ["sqs:PurgeQueue"]')

    handlers = grants.of_handlers(live.contents)
    assert roles.deploying(live)[-len(handlers) :] == handlers
    assert resources_of(live, "sqs:PurgeQueue") == ["arn:aws:sqs:eu-west-1:123456789012:shop-live-*"]
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:/shop/live/till"
    assert resources_of(live, "secretsmanager:DescribeSecret") == [secret, f"{secret}-??????"]
    stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/bootstrap-shop-live/*"
    assert stack in resources_of(live, "cloudformation:DescribeStacks")
    assert BUCKET in resources_of(live, "s3:ListBucket")
    assert resources_of(live, "iam:PassRole") == ["arn:aws:iam::123456789012:role/shop-live-*"]


def test_deploying_and_planning_hand_over_the_service_roles_of_samconfig(tmp_path: Path) -> None:
    live = 'stack_name = "shop-live"\n'
    samconfig = SAMCONFIG.replace(live, f'{live}role_arn = "{SERVICE_ROLE}"\n')

    live_roles = request(tmp_path, samconfig=samconfig)

    for statements in (roles.deploying(live_roles), roles.planning(live_roles)):
        passing = [entry for entry in statements if entry.resources == (SERVICE_ROLE,)]
        assert [entry.actions for entry in passing] == [("iam:PassRole",)]


def test_pattern_has_one_role_that_also_destroys(tmp_path: Path) -> None:
    pattern = request(tmp_path, "pr-*")

    [role] = roles.of(pattern)

    assert (role.name, role.description) == ("DeployRole", "Deploys pr-* from GitHub's octocat/shop")
    assert role.trust == policies.trust(PROVIDER, "octocat/shop", "pr")
    destroying = destroyer_calls.of_destroyer(pattern.contents, bucket_arns=[BUCKET])
    assert [entry for entry in destroying if entry not in roles.deploying(pattern)] == []
    assert [entry for entry in destroying if entry in roles.deploying(request(tmp_path))] == []


def test_pattern_that_reaches_another_environment_is_refused(tmp_path: Path) -> None:
    samconfig = SAMCONFIG.replace('"shop-live"', '"shop-pr-9-x"')

    with pytest.raises(CheckFailedError, match="the role would reach other environments"):
        roles.of(request(tmp_path, "pr-*", samconfig=samconfig))


def test_environments_that_share_one_at_github_are_refused(tmp_path: Path) -> None:
    tables = f'{TABLE}\n[tool.alchemiser.environments.pr]\nregion = "eu-west-1"\nconsent = "none"\n'

    with pytest.raises(ConfigurationError, match="two environments would use pr at GitHub"):
        roles.of(request(tmp_path, tables=tables))


@pytest.mark.parametrize("action", ["sqs:PurgeQueues", "sqs:*", "*"])
def test_grants_of_pyproject_must_be_actions_of_iam(tmp_path: Path, action: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        roles.of(request(tmp_path, more=f'grants = ["sqs:PurgeQueue", "{action}"]'))

    assert caught.value.message == f"IAM has no action {action!r}; write it as in sqs:GetQueueAttributes"
    assert caught.value.where == "pyproject.toml: [tool.alchemiser] grants"
