from pathlib import Path

import pytest

from automation.project import environments, model
from automation.project.environments import Consent, Environment
from automation.project.model import Project
from automation.system.errors import ConfigurationError, Finding, UsageError
from tests.automation.projects import APP, PYPROJECT, SAMCONFIG, make_shop


def load(shop: Project, name: str, **variables: str) -> Environment:
    return environments.load(shop, name, variables=variables, machine="aarch64")


def changed_shop(tmp_path: Path, **changes: str) -> Project:
    return model.load(make_shop(tmp_path, **changes))


def test_load_unknown_environment_lists_known_ones(shop: Project) -> None:
    with pytest.raises(UsageError, match="no environment 'nonsense'; the environments are: here, live") as caught:
        load(shop, "nonsense")

    assert caught.value.exit_code == 2


def test_load_without_a_name_asks_for_one(shop: Project) -> None:
    with pytest.raises(UsageError, match=r"^--env: name an environment; the environments are: here, live$"):
        load(shop, "")


def test_load_reads_guards_and_expands_variables(shop: Project) -> None:
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


def test_load_unset_variable_uses_its_default(shop: Project) -> None:
    assert load(shop, "here").endpoint == "http://127.0.0.1:4566"


def test_load_without_consent_requires_the_word(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace('consent = "word"\n', ""))

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
def test_load_invalid_guard_raises(tmp_path: Path, old: str, new: str, message: str) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace(old, new))

    with pytest.raises(ConfigurationError, match=message):
        load(shop, "live" if "SHOP_PORT" not in old else "here")


def test_load_word_without_account_shows_the_line_to_add(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace('account = "123456789012"\n', ""))

    with pytest.raises(ConfigurationError) as caught:
        load(shop, "live")

    assert str(caught.value) == (
        'pyproject.toml: [tool.alchemiser.environments.live]: consent = "word" needs a pinned account; '
        'add account = "123456789012" with the id of its AWS account; a deployment to any other account is refused'
    )


@pytest.mark.parametrize("account", ["12345678901", "1234567890123", "12345678901a", "${ID}"])
def test_load_account_without_12_digits_raises(tmp_path: Path, account: str) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace('"123456789012"', f'"{account}"'))

    with pytest.raises(ConfigurationError, match=r"account '\w+' is not an account id of 12 digits; add account"):
        load(shop, "live", ID="123")


def test_load_account_from_an_environment_variable(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace('"123456789012"', '"${ID}"'))

    assert load(shop, "live", ID="210987654321").account == "210987654321"
    assert environments.disagreements(shop, environments.read_samconfig(tmp_path)) == ()


@pytest.mark.parametrize(("name", "is_sandbox"), [("here", True), ("live", False)])
def test_is_sandbox_needs_a_loopback_endpoint_of_its_own(shop: Project, name: str, is_sandbox: bool) -> None:
    assert load(shop, name, AWS_ENDPOINT_URL="http://127.0.0.1:1").is_sandbox is is_sandbox


def test_is_sandbox_of_a_remote_endpoint_is_false(tmp_path: Path) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace("127.0.0.1:${SHOP_PORT", "aws.test:${SHOP_PORT"))

    assert not load(shop, "here").is_sandbox


def test_load_unsupported_machine_raises(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="riscv64"):
        environments.load(shop, "here", variables={}, machine="riscv64")


def test_target_own_endpoint_overrides_environment_variable(shop: Project) -> None:
    target = environments.target(load(shop, "here"), {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert (target.endpoint, target.key_id) == ("http://127.0.0.1:4566", "test")


def test_target_loopback_without_credentials_gets_dummy_ones(shop: Project) -> None:
    target = environments.target(load(shop, "live"), {"AWS_ENDPOINT_URL": "http://localhost:4566"})

    assert (target.endpoint, target.key_id, target.region) == ("http://localhost:4566", "test", "eu-west-1")


ROLE = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/deploy", "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"}


def test_target_role_of_a_workflow_wins_over_the_credentials_of_pyproject(shop: Project) -> None:
    target = environments.target(load(shop, "here"), ROLE)

    assert (target.endpoint, target.key_id, target.secret) == ("http://127.0.0.1:4566", "", "")


def test_target_job_that_still_gets_its_token_acts_as_its_role(shop: Project) -> None:
    job = {"AWS_ROLE_ARN": ROLE["AWS_ROLE_ARN"], "GITHUB_ACTIONS": "true"}

    assert environments.target(load(shop, "here"), job).key_id == ""
    assert environments.target(load(shop, "here"), {**job, "AWS_ACCESS_KEY_ID": "own"}).key_id == "test"


@pytest.mark.parametrize("missing", sorted(ROLE))
def test_target_half_of_a_role_is_none(shop: Project, missing: str) -> None:
    variables = {name: value for name, value in ROLE.items() if name != missing}

    assert environments.target(load(shop, "here"), variables).key_id == "test"


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"AWS_ENDPOINT_URL": "https://aws.example.com"},
        {"AWS_ENDPOINT_URL": "http://localhost:4566", "AWS_ACCESS_KEY_ID": "mine"},
    ],
)
def test_target_otherwise_keeps_existing_credentials(shop: Project, variables: dict[str, str]) -> None:
    assert environments.target(load(shop, "live"), variables).key_id == ""


def test_stack_settings_parameters_reach_stacks_that_declare_them(shop: Project) -> None:
    samconfig = environments.read_samconfig(shop.root)

    base, app = environments.stack_settings(shop, load(shop, "here"), samconfig)

    assert (base.stack_name, base.config_env) == ("shop-here-base", "here-base")
    assert base.parameters == {"Url": "http://127.0.0.1:4566/", "Machine": "arm64"}
    assert app.parameters == {"BaseStack": "shop-here-base", "Colour": "red"}
    assert app.section["stack_name"] == "shop-here"


def test_values_include_the_defaults_of_the_template(shop: Project) -> None:
    base, app = environments.stack_settings(shop, load(shop, "live"), environments.read_samconfig(shop.root))

    assert base.values() == {"Machine": "x86_64", "Url": "https://example.com/"}
    assert app.values() == {"BaseStack": "shop-live-base", "Colour": "green"}


def test_stack_settings_without_stack_name_raise(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"\[live-base\.deploy\.parameters\]: has no stack_name"):
        environments.stack_settings(shop, load(shop, "live"), {})


def test_read_samconfig_missing_or_invalid_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        environments.read_samconfig(tmp_path)
    (tmp_path / "samconfig.toml").write_text("x = [")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        environments.read_samconfig(tmp_path)


def test_disagreements_consistent_files_give_none(shop: Project) -> None:
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
    shop = changed_shop(tmp_path, samconfig_toml=SAMCONFIG.replace(old, new))

    findings = environments.disagreements(shop, environments.read_samconfig(tmp_path))

    assert any(where in finding.where and what in finding.what for finding in findings), findings


def test_disagreements_asked_parameter_needs_a_value_in_a_sandbox_only(tmp_path: Path) -> None:
    shop = changed_shop(
        tmp_path,
        pyproject_toml=PYPROJECT.replace('package = "shop"', 'package = "shop"\nask = ["Owner"]'),
        app_yaml=APP.replace("Parameters:\n", "Parameters:\n  Owner: {Type: String}\n"),
    )

    findings = environments.disagreements(shop, environments.read_samconfig(tmp_path))

    where = "samconfig.toml: [here.deploy.parameters]"
    assert findings == (Finding(where, "Owner of app.yaml has no value", "set it"),)


def test_disagreements_asked_parameter_that_no_template_has_is_found(tmp_path: Path) -> None:
    pyproject = PYPROJECT.replace('package = "shop"', 'package = "shop"\nask = ["Owner", "Url", "Colour"]')
    shop = changed_shop(tmp_path, pyproject_toml=pyproject)

    findings = environments.disagreements(shop, environments.read_samconfig(tmp_path))

    where = "pyproject.toml: [tool.alchemiser] ask"
    assert findings == (Finding(where, "no template has the parameter Owner", "remove it"),)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('account = "123456789012"\n', "", 'consent = "word" needs a pinned account'),
        ('account = "123456789012"\nconsent = "word"\n', "", 'consent = "word" needs a pinned account'),
        ('"123456789012"', '"12"', "account '12' is not an account id of 12 digits"),
    ],
)
def test_disagreements_unpinned_account_is_found(tmp_path: Path, old: str, new: str, what: str) -> None:
    shop = changed_shop(tmp_path, pyproject_toml=PYPROJECT.replace(old, new))

    [finding] = environments.disagreements(shop, environments.read_samconfig(tmp_path))

    assert (finding.where, finding.what) == ("pyproject.toml: [tool.alchemiser.environments.live]", what)
    assert finding.fix.startswith('add account = "123456789012" with')


def test_parameters_by_stack_match_the_settings(shop: Project) -> None:
    parameters = environments.parameters_by_stack(shop, "live", {})

    assert parameters == {"base": {}, "app": {"BaseStack": "shop-live-base"}}
