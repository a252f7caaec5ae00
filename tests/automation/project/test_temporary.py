"""Temporary environments: what a pattern stands for, its ttl, its sections of samconfig.toml, and what is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from automation.project import environments, temporary
from automation.project.model import Project
from automation.system.errors import ConfigurationError, Finding, UsageError
from tests.automation.projects import SAMCONFIG
from tests.automation.temporary_shop import SECTIONS, TABLE
from tests.automation.temporary_shop import make_temporary_shop as make

WHERE = 'pyproject.toml: [tool.alchemiser.environments."pr-*"]'
GUARDS = {"ttl": "3d"}


def load(project: Project, name: str) -> environments.Environment:
    return environments.load(project, name, variables={}, machine="x86_64")


def settings(project: Project, name: str) -> tuple[environments.StackSettings, ...]:
    return environments.stack_settings(project, load(project, name), environments.read_samconfig(project.root))


@pytest.mark.parametrize("name", ["pr-1", "pr-12", "pr-a9", f"pr-{'1' * 20}"])
def test_matches_what_a_pattern_stands_for(name: str) -> None:
    assert temporary.matches("pr-*", name)
    assert temporary.find({"prod": {}, "pr-*": GUARDS}, name) == ("pr-*", GUARDS)


@pytest.mark.parametrize(
    "name", ["prod", "dev", "pr-", "pr", "pr-1-data", "pr-A", "xpr-1", "pr-*", f"pr-{'1' * 21}", ""]
)
def test_matches_nothing_else(name: str) -> None:
    assert not temporary.matches("pr-*", name)
    assert temporary.find({"pr-*": GUARDS}, name) is None


@pytest.mark.parametrize("pattern", ["*", "p*", "pr*", "*-pr", "pr-*-x", "-*", "Pr-*", "pr-**"])
def test_matches_needs_a_name_with_a_hyphen_and_a_star(pattern: str) -> None:
    """Planted fault: these would stand for prod, or for a stack of another environment."""
    assert not any(temporary.matches(pattern, name) for name in ("prod", "pr-1", "prod-data", "p", "pr"))


def test_find_takes_the_table_of_a_name_first() -> None:
    named = {"region": "x"}

    assert temporary.find({"pr-*": GUARDS, "pr-1": named}, "pr-1") == ("pr-1", named)
    assert temporary.find({}, "pr-1") is None


@pytest.mark.parametrize(
    ("text", "hours"), [("1h", 1), ("12h", 12), ("1d", 24), ("3d", 72), ("90d", 2160), ("2160h", 2160)]
)
def test_parse_ttl(text: str, hours: int) -> None:
    assert temporary.parse_ttl(text, where="--ttl") == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "0h", "3", "d", "-1d", "1.5d", "3 d", "91d", "2161h", "3w", "03d", "1h2d"])
def test_parse_ttl_in_another_form_raises(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        temporary.parse_ttl(text, where="--ttl")

    assert str(caught.value) == f"--ttl: ttl must be hours or days, as in 12h or 3d, and at most 90d; got {text!r}"


def test_load_of_a_temporary_environment(tmp_path: Path) -> None:
    environment = load(make(tmp_path), "pr-12")

    assert (environment.name, environment.pattern, environment.key) == ("pr-12", "pr-*", "pr-*")
    assert (environment.region, environment.consent, environment.ttl) == ("eu-west-1", "none", timedelta(hours=36))
    assert (environment.is_temporary, environment.needs_people, environment.is_sandbox) == (True, False, False)


@pytest.mark.parametrize(("name", "needs_people"), [("live", True), ("here", False)])
def test_load_of_any_other_environment_never_expires(tmp_path: Path, name: str, needs_people: bool) -> None:
    environment = load(make(tmp_path), name)

    assert (environment.pattern, environment.key, environment.ttl) == ("", name, None)
    assert (environment.is_temporary, environment.needs_people) == (False, needs_people)


def test_stack_settings_have_the_name_in_every_value(tmp_path: Path) -> None:
    base, app = settings(make(tmp_path), "pr-12")

    assert (base.stack_name, base.config_env, base.parameters) == ("shop-pr-12-base", "pr-*-base", {})
    assert (app.stack_name, app.config_env, app.parameters) == (
        "shop-pr-12",
        "pr-*",
        {"BaseStack": "shop-pr-12-base"},
    )
    assert app.section["tags"] == {"owner": "pr-12", "team": ["shop", "pr-12"], "size": 1}


def test_load_of_the_pattern_itself_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(make(tmp_path), "pr-*")

    what = "pr-* stands for many environments; name one, such as pr-1"
    assert str(caught.value) == f"--env: {what}; the environments are: here, live, pr-*"


def test_stack_of_another_environment_is_refused(tmp_path: Path) -> None:
    """Planted fault: the data of live would go with a pull request."""
    faulty = SECTIONS.replace('stack_name = "shop-{env}-base"', 'stack_name = "shop-{env}e"')
    project = make(
        tmp_path,
        TABLE.replace("pr-*", "x-*"),
        faulty.replace("pr-*", "x-*"),
        SAMCONFIG.replace("shop-live-base", "shop-x-live"),
    )

    with pytest.raises(ConfigurationError) as caught:
        settings(project, "x-liv")

    where = "samconfig.toml: [x-*-base.deploy.parameters]"
    assert str(caught.value) == f"{where}: shop-x-live is a stack of the environment live"
    assert settings(project, "x-1")[0].stack_name == "shop-x-1e"


def test_stack_name_without_the_environment_is_refused(tmp_path: Path) -> None:
    """Planted fault: two pull requests would have one stack."""
    project = make(tmp_path, sections=SECTIONS.replace('stack_name = "shop-{env}"', 'stack_name = "shop-pr"'))
    what = "stack_name lacks {env}, so all temporary environments would be one"

    with pytest.raises(ConfigurationError, match=what):
        settings(project, "pr-1")
    assert environments.disagreements(project, environments.read_samconfig(tmp_path)) == (
        Finding("samconfig.toml: [pr-*.deploy.parameters]", what, "write {env} in it"),
    )


@pytest.mark.parametrize(
    ("table", "finding"),
    [
        (TABLE, None),
        (
            TABLE.replace('ttl = "36h"\n', ""),
            (WHERE, "ttl must be hours or days, as in 12h or 3d, and at most 90d; got ''", 'write ttl = "3d"'),
        ),
        (
            f'{TABLE}\n[tool.alchemiser.environments.pr-1]\nregion = "x"\nconsent = "none"\n',
            (WHERE, "the pattern also matches the environment pr-1", "rename one of them"),
        ),
        (
            TABLE.replace("pr-*", "pr*"),
            (
                WHERE.replace("pr-*", "pr*"),
                "a pattern is a name with -* at its end",
                'rename it, as in environments."pr-*"',
            ),
        ),
        (
            f'{TABLE}\n[tool.alchemiser.environments.dev]\nregion = "x"\nconsent = "none"\nttl = "1d"\n',
            (WHERE.replace('"pr-*"', "dev"), "only a temporary environment has a ttl", "remove it"),
        ),
    ],
)
def test_disagreements_about_temporary_environments(
    tmp_path: Path, table: str, finding: tuple[str, str, str] | None
) -> None:
    project = make(tmp_path, table)
    found = environments.disagreements(project, environments.read_samconfig(tmp_path))
    about_tables = [entry for entry in found if entry.where.startswith("pyproject.toml")]

    assert about_tables == ([Finding(*finding)] if finding else [])


@pytest.mark.parametrize(("old", "new"), [('ttl = "36h"', 'ttl = "0h"'), ('ttl = "36h"', "")])
def test_load_without_a_usable_ttl_raises(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(ConfigurationError, match=r'ttl must be hours or days.*; write ttl = "3d"'):
        load(make(tmp_path, TABLE.replace(old, new)), "pr-1")


def test_pattern_itself_is_loaded_where_that_is_asked_for(tmp_path: Path) -> None:
    project = make(tmp_path)

    environment = environments.load(project, "pr-*", variables={}, machine="x86_64", takes_pattern=True)

    assert (environment.name, environment.pattern, environment.is_pattern) == ("pr-*", "pr-*", True)
    assert (load(project, "pr-1").is_pattern, load(project, "live").is_pattern) == (False, False)
    stacks = environments.stack_settings(project, environment, environments.read_samconfig(tmp_path))
    assert [stack.stack_name for stack in stacks] == ["shop-pr-*-base", "shop-pr-*"]
    assert stacks[1].parameters["BaseStack"] == "shop-pr-*-base"


def test_stack_settings_know_what_the_names_of_a_pattern_fit(tmp_path: Path) -> None:
    project = make(tmp_path)

    assert [stack.name_pattern for stack in settings(project, "pr-1")] == ["shop-pr-*-base", "shop-pr-*"]
    assert [stack.name_pattern for stack in settings(project, "live")] == ["", ""]


def test_other_stacks_are_those_of_every_other_table(tmp_path: Path) -> None:
    project = make(tmp_path)

    stacks = environments.other_stacks(project, environments.read_samconfig(tmp_path))

    assert [entry for entry in stacks if entry[0] in {"live", "pr-*"}] == [
        ("live", "shop-live-base"),
        ("live", "shop-live"),
        ("pr-*", "shop-pr-1-base"),
        ("pr-*", "shop-pr-1"),
    ]
    others = environments.other_stacks(project, environments.read_samconfig(tmp_path), apart_from="pr-*")
    assert others == [entry for entry in stacks if entry[0] != "pr-*"]
