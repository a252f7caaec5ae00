from pathlib import Path
from typing import Any

import pytest

from automation.project import environments, model
from automation.project.environments import Consent, Environment
from automation.project.model import Project
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import PYPROJECT, SAMCONFIG, make_shop


def load(shop: Project, name: str, **variables: str) -> Environment:
    return environments.load(shop, name, variables=variables, machine="aarch64")


def changed(tmp_path: Path, **changes: str) -> Project:
    return model.load(make_shop(tmp_path, **changes))


def test_load_unknown_environment_lists_those_there_are(shop: Project) -> None:
    with pytest.raises(UsageError, match="no environment 'nonsense'; the environments are: here, live") as caught:
        load(shop, "nonsense")

    assert caught.value.exit_code == 2


def test_load_guards_are_read_and_variables_expanded(shop: Project) -> None:
    here = load(shop, "here", SHOP_PORT="99")

    assert here == Environment(
        name="here",
        region="us-east-1",
        consent=Consent.NONE,
        endpoint="http://127.0.0.1:99",
        key_id="test",
        secret="test",
        parameters={"Url": "http://127.0.0.1:99/", "Machine": "arm64"},
    )


def test_load_without_the_variable_takes_its_default(shop: Project) -> None:
    assert load(shop, "here").endpoint == "http://127.0.0.1:4566"


def test_load_without_consent_asks_for_the_word(tmp_path: Path) -> None:
    shop = changed(tmp_path, pyproject_toml=PYPROJECT.replace('consent = "word"\n', ""))

    assert load(shop, "live").consent is Consent.WORD


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('consent = "word"', 'consent = "shout"', "consent 'shout' is not one of none, confirm, word"),
        ('region = "eu-west-1"', "", "has no region"),
        ('account = "123456789012"', 'acount = "1"', "unknown key acount"),
        ("${SHOP_PORT:-4566}", "${SHOP_PORT}", "the environment variable SHOP_PORT is not set"),
    ],
)
def test_load_wrong_guards_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    shop = changed(tmp_path, pyproject_toml=PYPROJECT.replace(old, new))

    with pytest.raises(ConfigurationError, match=message):
        load(shop, "live" if "SHOP_PORT" not in old else "here")


def test_load_machine_that_lambda_does_not_know_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="riscv64"):
        environments.load(shop, "here", variables={}, machine="riscv64")


def test_target_own_endpoint_goes_before_the_surroundings(shop: Project) -> None:
    target = environments.target(load(shop, "here"), {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert (target.endpoint, target.key_id) == ("http://127.0.0.1:4566", "test")


def test_target_loopback_endpoint_without_credentials_gets_dummies(shop: Project) -> None:
    target = environments.target(load(shop, "live"), {"AWS_ENDPOINT_URL": "http://localhost:4566"})

    assert (target.endpoint, target.key_id, target.region) == ("http://localhost:4566", "test", "eu-west-1")


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"AWS_ENDPOINT_URL": "https://aws.example.com"},
        {"AWS_ENDPOINT_URL": "http://localhost:4566", "AWS_ACCESS_KEY_ID": "mine"},
    ],
)
def test_target_anything_else_keeps_the_credentials_that_are_there(shop: Project, variables: dict[str, str]) -> None:
    assert environments.target(load(shop, "live"), variables).key_id == ""


def test_stack_settings_machines_parameters_reach_the_stacks_that_have_them(shop: Project) -> None:
    samconfig = environments.read_samconfig(shop.root)

    base, app = environments.stack_settings(shop, load(shop, "here"), samconfig)

    assert (base.stack_name, base.config_env) == ("shop-here-base", "here-base")
    assert base.parameters == {"Url": "http://127.0.0.1:4566/", "Machine": "arm64"}
    assert app.parameters == {"BaseStack": "shop-here-base", "Colour": "red"}


def test_stack_settings_without_stack_name_are_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"\[live-base\.deploy\.parameters\]: has no stack_name"):
        environments.stack_settings(shop, load(shop, "live"), {})


@pytest.mark.parametrize(
    "given", ["A=1 B='x y'", ["A=1", "B=x y"], {"A": 1, "B": "x y"}], ids=["string", "list", "table"]
)
def test_overrides_each_way_to_write_them_means_the_same(given: Any) -> None:
    assert environments.overrides({"parameter_overrides": given}, where="x") == {"A": "1", "B": "x y"}


def test_overrides_word_without_value_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'B' is not Name=value"):
        environments.overrides({"parameter_overrides": "A=1 B"}, where="x")


def test_read_samconfig_absent_or_broken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        environments.read_samconfig(tmp_path)
    (tmp_path / "samconfig.toml").write_text("x = [")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        environments.read_samconfig(tmp_path)


def test_disagreements_of_agreeing_files_are_none(shop: Project) -> None:
    assert environments.disagreements(shop, environments.read_samconfig(shop.root)) == ()


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("[live-base.deploy", "[life-base.deploy", "[life-base]", "no environment"),
        ("[live-base.deploy", "[life-base.deploy", "[live-base]", "the section is missing"),
        ("Colour=red", "Color=red", "[here.deploy.parameters]", "app.yaml has no parameter Color"),
        ('"BaseStack=shop-here-base", ', "", "[here.deploy.parameters]", "BaseStack of app.yaml has no value"),
        ('stack_name = "shop-live"', 'region = "us-east-2"', "[live.deploy.parameters]", "region us-east-2"),
        ('stack_name = "shop-live"', 'region = "eu-west-1"', "[live.deploy.parameters]", "has no stack_name"),
    ],
)
def test_disagreements_planted_fault_is_found(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    shop = changed(tmp_path, samconfig_toml=SAMCONFIG.replace(old, new))

    found = environments.disagreements(shop, environments.read_samconfig(tmp_path))

    assert any(where in one.where and what in one.what for one in found), found


def test_parameters_by_stack_are_those_of_the_settings(shop: Project) -> None:
    found = environments.parameters_by_stack(shop, "live", {})

    assert found == {"base": {}, "app": {"BaseStack": "shop-live-base"}}
