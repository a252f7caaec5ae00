"""The typed settings of pyproject.toml."""

from pathlib import Path

import pytest

from automation.project import settings
from automation.project.settings import Budgets, Secret, Settings
from automation.system.errors import ConfigurationError

EVERYTHING = """
[dependency-groups]
tool = ["idna"]

[tool.pytest.ini_options]
testpaths = ["checks"]

[tool.alchemiser]
package = "shop"
messages = "shop.routes:ROUTES"
smoke = { health = true }
senders = ["Sender"]
ask = ["Sender", "Owner"]
keep_releases = 30

[[tool.alchemiser.stacks]]
name = "only"

[tool.alchemiser.budgets]
function_mb = 1.5
layer_mb = 60
cold_start_ms = 400

[tool.alchemiser.environments.live]
region = "eu-west-1"

[[tool.alchemiser.secrets]]
name = "/shop/{env}/till"
fields = ["key", "pin"]

[[tool.alchemiser.secrets]]
name = "/shop/word"
"""


def read(root: Path, text: str) -> Settings:
    (root / "pyproject.toml").write_text(text)
    return settings.read(root)


def test_read_gives_every_setting_its_type(tmp_path: Path) -> None:
    assert read(tmp_path, EVERYTHING) == Settings(
        package="shop",
        messages="shop.routes:ROUTES",
        smoke={"health": True},
        stacks=({"name": "only"},),
        budgets=Budgets(function_bytes=1_500_000, layer_bytes=60_000_000, cold_start_ms=400),
        environments={"live": {"region": "eu-west-1"}},
        secrets=(Secret("/shop/{env}/till", ("key", "pin")), Secret("/shop/word")),
        senders=("Sender",),
        ask=("Sender", "Owner"),
        keep_releases=30,
        dependency_groups=frozenset({"tool"}),
        pytest_options={"testpaths": ["checks"]},
    )


def test_read_without_pyproject_or_tables_gives_defaults(tmp_path: Path) -> None:
    assert settings.read(tmp_path) == Settings()
    assert read(tmp_path, "[project]\nname = 'bakery'\n") == Settings()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("package = 3", r"\[tool.alchemiser\]: package is not a string"),
        ("messages = ['a:B']", r"\[tool.alchemiser\]: messages is not a string"),
        ("smoke = true", r"smoke is not a table, as in smoke = \{ health = true \}"),
        ("stacks = 'one'", "stacks is not a list of tables"),
        ("stacks = ['one']", "stacks is not a list of tables"),
        ("budgets = 3", "budgets is not a table"),
        ("budgets = { function_mb = 0 }", "function_mb: 0 is not a positive number of MB"),
        ("budgets = { layer_mb = true }", "layer_mb: True is not a positive number of MB"),
        ("budgets = { cold_start_ms = '4' }", "cold_start_ms: '4' is not a positive number of milliseconds"),
        ("environments = { live = 3 }", "live is not a table"),
        ("senders = 'Sender'", r'senders is not a list of names, as in senders = \["a", "b"\]'),
        ("senders = ['']", r"\[tool.alchemiser\]: senders is not a list of names"),
        ("ask = 'Owner'", r'ask is not a list of names, as in ask = \["a", "b"\]'),
        ("keep_releases = 19", r"\[tool.alchemiser\]: keep_releases must be at least 20, got 19"),
        ("keep_releases = true", "keep_releases must be at least 20, got True"),
        ("keep_releases = '30'", "keep_releases must be at least 20, got '30'"),
        ("senders = [3]", "senders is not a list of names"),
        (
            "secrets = [{ fields = ['a'] }]",
            r"\[\[tool.alchemiser.secrets\]\]: needs a name, and fields when it is JSON",
        ),
        ("secrets = [{ name = '' }]", r"needs a name, .* as in name = \"/\{env\}/broker\"; got \{'name': ''\}"),
        ("secrets = [{ name = 3 }]", "needs a name"),
        ("secrets = [{ name = 'a', field = 'b' }]", "needs a name"),
        ("secrets = [{ name = 'a', fields = 'b' }]", r"\[\[tool.alchemiser.secrets\]\]: fields is not a list of names"),
        ("package =", "pyproject.toml: is not valid TOML"),
        ("gaurds = ['a:b']", r"\[tool.alchemiser\]: unknown key gaurds; did you mean guards\?"),
        ("colour = 'red'", "unknown key colour; the keys are ask, bootstrap, budgets, "),
        ("budgets = { function = 3 }", r"\[tool.alchemiser.budgets\]: unknown key function; did you mean function_mb"),
    ],
)
def test_read_wrong_type_names_the_setting(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, f"[tool.alchemiser]\n{line}\n")


def test_name_in_replaces_the_environment() -> None:
    assert Secret("/shop/{env}/{env}-till").name_in("live") == "/shop/live/live-till"
    assert Secret("/shop/till").name_in("live") == "/shop/till"


def test_read_keeps_the_least_number_of_releases(tmp_path: Path) -> None:
    assert read(tmp_path, "[tool.alchemiser]\nkeep_releases = 20\n").keep_releases == 20
