"""The environments at GitHub: one per role, and no two environments share one."""

import pytest

from automation.deploying.bootstrapping import github_environments
from automation.system.errors import ConfigurationError


@pytest.mark.parametrize(
    ("key", "roles"),
    [("prod", {"DeployRole": "prod", "PlanRole": "prod-plan"}), ("pr-*", {"DeployRole": "pr"})],
)
def test_each_role_has_its_environment(key: str, roles: dict[str, str]) -> None:
    assert github_environments.by_role(key) == roles


@pytest.mark.parametrize("keys", [("prod", "prod-plan"), ("pr", "pr-*"), ("staging-plan", "qa", "staging")])
def test_environments_that_would_share_one_are_refused(keys: tuple[str, ...]) -> None:
    """Otherwise a job that may only plan could assume the role that deploys."""
    with pytest.raises(ConfigurationError, match=r"would use \S+ at GitHub, and so each other's role; rename"):
        github_environments.require_distinct(keys)


def test_environments_with_their_own_are_accepted() -> None:
    github_environments.require_distinct(("dev", "pr-*", "prod", "staging"))


def test_lines_say_what_is_set_where() -> None:
    roles = {"DeployRole": "arn:deploy", "PlanRole": "arn:plan", "Repository": "octocat/shop"}

    assert github_environments.lines("octocat/shop", "prod", roles) == [
        "GitHub, octocat/shop, environment prod: AWS_ROLE_ARN = arn:deploy",
        "GitHub, octocat/shop, environment prod-plan: AWS_ROLE_ARN = arn:plan",
    ]
