"""The keys of `[tool.alchemiser]`: the table that the reference prints is the one that the readers accept."""

from pathlib import Path

import pytest

from automation.project import setting_keys, settings
from automation.project.environments import Consent
from automation.project.setting_keys import Key
from automation.system.errors import ConfigurationError

# For a key of any type: no setting is a date.
WRONG = "2022-03-16"
# The settings whose default is nothing in one of these forms.
NOTHING: tuple[object, ...] = ("", (), None, {})


def default_of(key: Key) -> object:
    """Return what the reader gives for a key that is missing."""
    hooks = settings.Settings().hooks
    return getattr(hooks, key.name) if hasattr(hooks, key.name) else getattr(settings.Settings(), key.name)


@pytest.mark.parametrize("key", setting_keys.PROJECT, ids=lambda key: key.name)
def test_every_key_of_the_project_is_read(key: Key, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.alchemiser]\n{key.name} = {WRONG}\n")

    with pytest.raises(ConfigurationError, match=rf"{key.name} (is not a|must be)"):
        settings.read(tmp_path)


@pytest.mark.parametrize("key", setting_keys.PROJECT, ids=lambda key: key.name)
def test_defaults_are_those_of_the_reader(key: Key) -> None:
    if key.name == "budgets":
        assert settings.Settings().budgets == settings.Budgets()
    elif key.default in {"none", "one stack"}:
        assert default_of(key) in NOTHING
    else:
        assert str(default_of(key)) == key.default


@pytest.mark.parametrize("key", setting_keys.BUDGETS, ids=lambda key: key.name)
def test_every_budget_is_read(key: Key, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.alchemiser.budgets]\n{key.name} = 7\n")

    assert settings.read(tmp_path).budgets != settings.Budgets()


def test_watched_settings_and_secrets_have_exactly_these_keys() -> None:
    assert tuple(key.name for key in setting_keys.WATCHED) == settings.Watched.__match_args__
    assert tuple(key.name for key in setting_keys.SECRET) == settings.Secret.__match_args__


def test_consent_lists_every_kind_and_its_default() -> None:
    consent = next(key for key in setting_keys.ENVIRONMENT if key.name == "consent")

    assert consent.kind == "`none`, `confirm` or `word`"
    assert [kind.value for kind in Consent] == ["none", "confirm", "word"]
    assert consent.default == "`word`"


def test_stacks_have_these_keys_and_defaults() -> None:
    first, second = settings.with_defaults([{"name": "a", "template": "a.yaml"}, {"name": "b", "template": "b.yaml"}])

    assert set(first) == set(second) == setting_keys.names(setting_keys.STACK)
    defaults = {key.name: key.default for key in setting_keys.STACK}
    assert defaults["build_dir"] == f"`{first['build_dir']}`, for others `{second['build_dir'][:-1]}NAME`"
    assert defaults["config_env"] == f"`{first['config_env']}`, for others `{second['config_env'][:-1]}NAME`"


def test_require_known_names_the_nearest_key() -> None:
    setting_keys.require_known({"name": 1}, setting_keys.SECRET, where="here")

    with pytest.raises(ConfigurationError, match=r"^here: unknown key nam; did you mean name\?$"):
        setting_keys.require_known({"name": 1, "nam": 2}, setting_keys.SECRET, where="here")
    with pytest.raises(ConfigurationError, match=r"^here: unknown key x; the keys are fields, name$"):
        setting_keys.require_known({"x": 1}, setting_keys.SECRET, where="here")


def test_with_defaults_refuses_an_unknown_key() -> None:
    with pytest.raises(ConfigurationError, match=r"stacks\]\]: unknown key templat; did you mean template\?"):
        settings.with_defaults([{"name": "a", "templat": "a.yaml"}])
