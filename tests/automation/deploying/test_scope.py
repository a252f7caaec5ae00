"""The scope of a command: guards, target and stacks of an environment, read without calling anybody."""

from dataclasses import replace
from pathlib import Path

import pytest

from automation.deploying import scope as scopes
from automation.project import model
from automation.project.environments import Consent
from automation.project.model import Project
from automation.system.errors import ConfigurationError, UsageError
from automation.system.targets import Target
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.projects import APP, PYPROJECT, make_shop
from tests.automation.temporary_shop import make_temporary_shop


def test_read_combines_guards_target_and_stacks(shop: Project) -> None:
    scope = scopes.read(
        shop.root, "live", variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "k"}
    )

    assert scope.root == shop.root
    assert (scope.environment.name, scope.environment.consent) == ("live", Consent.WORD)
    assert scope.target == Target("eu-west-1", "http://127.0.0.1:1")
    assert scope.stack_names == ("shop-live-base", "shop-live")
    assert [settings.parameters for settings in scope.stacks] == [{}, {"BaseStack": "shop-live-base"}]


def test_name_patterns_are_the_names_without_a_pattern(shop: Project) -> None:
    scope = scopes.read(shop.root, "live", variables={})

    assert scope.name_patterns == scope.stack_names == ("shop-live-base", "shop-live")


def test_name_patterns_of_temporary_environments(tmp_path: Path) -> None:
    root = make_temporary_shop(tmp_path).root

    assert scopes.read(root, "pr-1", variables={}).name_patterns == ("shop-pr-*-base", "shop-pr-*")
    whole = scopes.read(root, "pr-*", variables={}, takes_pattern=True)
    assert whole.stack_names == whole.name_patterns == ("shop-pr-*-base", "shop-pr-*")


def test_read_unknown_environment_lists_those_that_exist(shop: Project) -> None:
    with pytest.raises(UsageError, match="the environments are: here, live"):
        scopes.read(shop.root, "moon", variables={})


def test_read_without_environments_needs_no_samconfig(shop: Project) -> None:
    (shop.root / "pyproject.toml").write_text(PYPROJECT.partition("[tool.alchemiser.environments")[0])
    (shop.root / "samconfig.toml").unlink()

    with pytest.raises(UsageError, match=r"the environments are: none; add \[tool\.alchemiser\.environments"):
        scopes.read(shop.root, "live", variables={})


def test_read_without_samconfig_says_what_it_is_for(shop: Project) -> None:
    (shop.root / "samconfig.toml").unlink()

    with pytest.raises(ConfigurationError, match=r"samconfig\.toml: does not exist; it holds the stack names"):
        scopes.read(shop.root, "live", variables={})


def test_resolve_takes_machine_and_variables(shop: Project) -> None:
    scope = scope_of(shop, "here", SHOP_PORT="7")

    assert scope.target == Target("us-east-1", "http://127.0.0.1:7", "test", "test")
    assert scope.stacks[0].parameters == {"Machine": "x86_64", "Url": "http://127.0.0.1:7/"}


def test_target_text_names_account_or_endpoint(shop: Project) -> None:
    live = scope_of(shop, "live")
    unpinned = replace(live, environment=replace(live.environment, account=""))

    assert live.target_text == "AWS account 123456789012, eu-west-1"
    assert unpinned.target_text == "AWS account of the credentials, eu-west-1"
    assert scope_of(shop, "here").target_text == "http://127.0.0.1:4566, us-east-1"


def test_show_prints_target_stacks_and_parameters(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    scopes.show(scope_of(shop, "here"))

    assert capsys.readouterr().out.splitlines() == [
        "here: http://127.0.0.1:4566, us-east-1",
        "base: shop-here-base from base.yaml with Url=http://127.0.0.1:4566/ Machine=x86_64",
        "app: shop-here from app.yaml with BaseStack=shop-here-base Colour=red",
    ]


def test_show_hides_values_that_nobody_may_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = APP.replace("Colour: {Type: String", "Colour: {Type: String, NoEcho: true")
    shop = model.load(make_shop(tmp_path, app_yaml=hidden))

    scopes.show(scope_of(shop, "here"))

    assert capsys.readouterr().out.splitlines()[2].endswith(" with BaseStack=shop-here-base Colour=(hidden)")


def test_show_without_parameters_names_none(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    scopes.show(scope_of(shop, "live"))

    assert capsys.readouterr().out.splitlines()[1] == "base: shop-live-base from base.yaml"
