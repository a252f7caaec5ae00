"""A parameter without a value, or with an example, is named with the command that sets it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation.deploying.checks import preflight
from automation.deploying.checks.visits import Intent
from automation.deploying.remarks import Level, Remark
from automation.project import model
from automation.project.model import Project
from automation.system.accounts import DeployedStack
from automation.system.stacks import StackState
from tests.automation import projects
from tests.automation.deploying.fake_accounts import IDENTITY, NOW, PUSHED, FakeAccount, scope_of

PARAMETERS = """Parameters:
  Owner: {Type: String, Default: a@example.com, Description: who is called}
  Size: {Type: String}
"""
DEPLOY = "inv deploy --env live"
WORDS = "--set Owner=you@example.org --set Size=VALUE"


@pytest.fixture
def asking(tmp_path: Path) -> Project:
    root = projects.make_shop(
        tmp_path,
        pyproject_toml=projects.PYPROJECT.replace('"shop"', '"shop"\nask = ["Owner", "Size"]', 1),
        app_yaml=projects.APP.replace("Parameters:\n", PARAMETERS),
    )
    return model.load(root)


def remarks(shop: Project, name: str = "live", owner: str = "", size: str = "", **intent: Any) -> list[Remark]:
    """Return the remarks on the parameters of a shop that is deployed with these values."""
    state = StackState("shop-live", "CREATE_COMPLETE", "arn:app")
    stack = DeployedStack(state, parameters={"Owner": owner, "Size": size})
    account = FakeAccount(who=replace(IDENTITY, server_time=NOW), stacks={"shop-live": stack} if owner else {})
    results = preflight.check(scope_of(shop, name), account, Intent(NOW, PUSHED, **intent))
    return [remark for remark in results.remarks if "Owner" in remark.where + remark.what or "Size" in remark.where]


def test_unknown_parameters_are_named_with_one_command(asking: Project) -> None:
    assert remarks(asking) == [
        Remark(Level.WARN, "Owner", "has no value yet: who is called", f"{DEPLOY} {WORDS}"),
        Remark(Level.WARN, "Size", "has no value yet", f"{DEPLOY} {WORDS}"),
    ]


@pytest.mark.parametrize("level", [Level.STOP, Level.INFO])
def test_unknown_parameters_mean_what_the_command_says(asking: Project, level: Level) -> None:
    named = remarks(asking, unknown_parameters=level, command=f"{DEPLOY} --yes")

    assert [(remark.level, remark.fix) for remark in named] == [(level, f"{DEPLOY} --yes {WORDS}")] * 2


def test_chosen_parameters_are_known(asking: Project) -> None:
    [remark] = remarks(asking, chosen={"Owner": "a@shop.test"})

    assert (remark.where, remark.fix) == ("Size", f"{DEPLOY} --set Size=VALUE")


def test_deployed_parameters_are_known(asking: Project) -> None:
    assert remarks(asking, owner="a@shop.test", size="big") == []


def test_deployed_example_is_a_warning(asking: Project) -> None:
    fix = f"with a real address: {DEPLOY} --set Owner=you@your-company.com"

    assert remarks(asking, owner="b@example.org", size="big") == [
        Remark(Level.WARN, "Owner", "is an example: b@example.org", fix)
    ]


def test_parameters_of_a_sandbox_are_not_named(asking: Project) -> None:
    assert remarks(asking, "here") == []


def test_example_in_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    root = projects.make_shop(
        tmp_path,
        pyproject_toml=projects.PYPROJECT.replace('"shop"', '"shop"\nask = ["Owner"]', 1),
        app_yaml=projects.APP.replace("Parameters:\n", PARAMETERS),
        samconfig_toml=projects.SAMCONFIG.replace("=shop-live-base", "=shop-live-base Owner=me@example.com Size=b"),
    )

    [remark] = remarks(model.load(root))

    assert (remark.where, remark.what) == ("shop-live", "Owner is an example: me@example.com")
    assert "samconfig.toml: [live.deploy.parameters]" in remark.fix
