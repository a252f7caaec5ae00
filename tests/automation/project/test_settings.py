"""The typed settings of pyproject.toml."""

from pathlib import Path

import pytest

from automation.project import settings
from automation.project.settings import Budgets, Settings
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

[[tool.alchemiser.stacks]]
name = "only"

[tool.alchemiser.budgets]
function_mb = 1.5
layer_mb = 60
cold_start_ms = 400

[tool.alchemiser.environments.live]
region = "eu-west-1"
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
        ("package =", "pyproject.toml: is not valid TOML"),
    ],
)
def test_read_wrong_type_names_the_setting(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, f"[tool.alchemiser]\n{line}\n")
