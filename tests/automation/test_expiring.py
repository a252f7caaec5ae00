"""`inv destroy --expired`: only temporary environments whose time has passed, and a failure keeps no other."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation import destroy, expiring
from automation.deploying.scope import Scope
from automation.system import console, release_table
from automation.system.errors import (
    AutomationError,
    CheckFailedError,
    ConfigurationError,
    DeploymentError,
    Finding,
    UsageError,
)
from automation.system.targets import Target
from tests.automation.projects import make_shop
from tests.automation.release_tables import FakeReleaseTable
from tests.automation.temporary_shop import make_temporary_shop

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PASSED, NOW_TEXT, LATER = "2026-01-02T03:04:04+00:00", NOW.isoformat(), "2026-01-02T03:04:06+00:00"


@dataclass
class Account:
    """An account with tables of releases; `destroyed` are the environments with the options of each."""

    root: Path
    tables: list[FakeReleaseTable] = field(default_factory=list)
    destroyed: list[tuple[str, destroy.Options]] = field(default_factory=list)
    failing: str = ""
    error: AutomationError = field(default_factory=lambda: DeploymentError("AWS does not answer", where="pr-1"))
    asked: list[Scope] = field(default_factory=list)

    def add(self, table: str, expires_at: str = PASSED) -> None:
        self.tables.append(FakeReleaseTable(table, labels={"expires-at": expires_at} if expires_at else {}))

    def run(self, env: str = "", **options: Any) -> None:
        chosen = destroy.Options(**{"yes": True, **options})
        expiring.destroy_expired(
            self.root,
            env,
            variables={},
            options=chosen,
            find_tables=self._tables,
            destroy_one=self._destroy,
            now=lambda: NOW,
        )

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.destroyed]

    def _tables(self, scope: Scope) -> list[FakeReleaseTable]:
        self.asked.append(scope)
        return self.tables

    def _destroy(self, root: Path, name: str, *, variables: object, options: destroy.Options) -> None:
        assert root == self.root
        self.destroyed.append((name, options))
        if name == self.failing:
            raise self.error


@pytest.fixture
def account(tmp_path: Path) -> Account:
    make_temporary_shop(tmp_path)
    return Account(tmp_path)


def test_only_what_has_expired_is_destroyed(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    for name, expires_at in (("1", PASSED), ("2", NOW_TEXT), ("3", LATER), ("4", ""), ("5", "yesterday")):
        account.add(f"shop-pr-{name}-releases", expires_at)

    account.run()

    assert account.names == ["pr-1", "pr-2"]
    assert [options for _, options in account.destroyed] == [
        destroy.Options(yes=True, confirm=name, only_expired=True) for name in account.names
    ]
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "environment expires"
    assert "pr-3 2026-01-02 03:04 UTC" in lines
    assert "pr-4 never" in lines
    assert "2 of 5 temporary environment(s) have expired" in lines


@pytest.mark.parametrize(
    "table",
    [
        "shop-live-releases",
        "shop-here-releases",
        "shop-prod-releases",
        "shop-pr-releases",
        "shop-pr--releases",
        "shop-pr-1-base-releases",
        "other-pr-1-releases",
        "shop-pr-1",
        "pr-1",
        "shop-PR-1-releases",
    ],
)
def test_another_environment_is_never_touched(account: Account, table: str) -> None:
    """Planted fault: its table says that it has expired."""
    account.add(table)
    account.add("shop-pr-7-releases")

    account.run()

    assert account.names == ["pr-7"]


def test_an_environment_with_its_own_table_is_never_touched(account: Account) -> None:
    """Planted fault: prod by another name, which the pattern matches too."""
    pyproject = account.root / "pyproject.toml"
    pyproject.write_text(
        f'{pyproject.read_text()}\n[tool.alchemiser.environments.pr-9]\nregion = "eu-west-1"\nconsent = "none"\n'
    )
    account.add("shop-pr-9-releases")

    with pytest.raises(ConfigurationError, match="the pattern also matches the environment pr-9"):
        account.run()

    assert account.destroyed == []


def test_a_table_that_the_settings_do_not_lead_to_is_not_touched(account: Account) -> None:
    """The stack name has the environment's name twice: what is between start and end is not a name."""
    samconfig = account.root / "samconfig.toml"
    samconfig.write_text(samconfig.read_text().replace('stack_name = "shop-{env}"', 'stack_name = "{env}-shop-{env}"'))
    account.add("pr-1-shop-pr-2-releases")
    account.add("pr-3-shop-pr-3-releases")

    account.run()

    assert account.names == []


def test_a_failure_does_not_keep_the_others(account: Account) -> None:
    account.failing = "pr-1"
    account.add("shop-pr-1-releases")
    account.add("shop-pr-2-releases")

    with pytest.raises(CheckFailedError, match=r"^destroy --expired: 1 of them could not be destroyed$") as caught:
        account.run()

    assert account.names == ["pr-1", "pr-2"]
    (finding,) = caught.value.findings
    assert (finding.where, finding.what) == ("pr-1", "pr-1: AWS does not answer")
    assert finding.fix == "look at it alone: inv destroy --env pr-1 --dry-run"


def test_a_failed_check_is_reported_with_its_findings(account: Account) -> None:
    reason = Finding("pr-1", "ann has been deploying since 2026-01-02 03:00 UTC", "wait")
    account.error = CheckFailedError("1 finding(s) stop this; nothing was changed", where="pr-1", findings=[reason])
    account.failing = "pr-1"
    account.add("shop-pr-1-releases")

    with pytest.raises(CheckFailedError, match="1 of them could not be destroyed") as caught:
        account.run()

    assert caught.value.findings[1:] == (reason,)


def test_dry_run_is_passed_on_without_a_word(account: Account) -> None:
    account.add("shop-pr-1-releases")

    account.run(yes=False, dry_run=True)

    assert account.destroyed == [("pr-1", destroy.Options(dry_run=True, only_expired=True))]


def test_nothing_that_exists_says_so(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.run()

    assert capsys.readouterr().out == "0 of 0 temporary environment(s) have expired\n"
    assert account.asked[0].target.region == "eu-west-1"


def test_without_a_terminal_needs_yes(account: Account) -> None:
    with pytest.raises(UsageError, match=r"there is no terminal to confirm it on; add --yes$"):
        account.run(yes=False)

    assert account.asked == []


def test_on_a_terminal_each_is_asked_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "is_interactive", lambda: True)
    account.add("shop-pr-1-releases")

    account.run(yes=False)

    assert account.destroyed == [("pr-1", destroy.Options(only_expired=True))]


@pytest.mark.parametrize(
    ("env", "options"),
    [("live", {}), ("pr-1", {}), ("", {"delete_data": ("all",)}), ("", {"data_only": True}), ("", {"confirm": "x"})],
)
def test_options_that_do_not_fit_are_refused(account: Account, env: str, options: dict[str, Any]) -> None:
    with pytest.raises(
        UsageError, match=r"takes no --env, --delete-data, --data-only and --confirm: .* expired environments wholly$"
    ):
        account.run(env, **options)

    assert account.asked == []


def test_project_without_temporary_environments_says_what_to_add(tmp_path: Path) -> None:
    make_shop(tmp_path)

    with pytest.raises(UsageError) as caught:
        Account(tmp_path).run()

    fix = 'add [tool.alchemiser.environments."pr-*"] with ttl = "3d"'
    assert str(caught.value) == f"destroy --expired: no environment is temporary; {fix}"


def test_is_expired_at_its_very_moment() -> None:
    environment = expiring.TemporaryEnvironment("pr-1", NOW)

    assert environment.is_expired(NOW)
    assert not environment.is_expired(NOW - timedelta(microseconds=1))
    assert not expiring.TemporaryEnvironment("pr-1", None).is_expired(NOW)


def test_only_tables_with_names_of_the_pattern_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role of temporary environments may not look at others."""
    make_temporary_shop(tmp_path)
    asked: list[str] = []

    def find_all(_target: Target, *, pattern: str) -> tuple[()]:
        asked.append(pattern)
        return ()

    monkeypatch.setattr(release_table, "find_all", find_all)

    expiring.destroy_expired(tmp_path, variables={}, options=destroy.Options(yes=True))

    assert asked == ["shop-pr-*-releases"]
