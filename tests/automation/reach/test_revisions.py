import shutil
from pathlib import Path

import pytest

from automation import affected
from automation.reach.model import Effect
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import write_files
from tests.automation.repositories import append, commit, git, make_plain_repository, make_shop_repository


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop_repository(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make_plain_repository(tmp_path)


def test_find_ignored_file_is_not_a_change(plain: Path) -> None:
    write_files(plain, {"hello-world/key.secret": "a\n"})

    assert affected.find(plain).changes == ()


def test_find_leaves_the_working_copy_unchanged(shop: Path) -> None:
    append(shop, "shop/common/tax.py")
    before = {path for path in shop.rglob("*") if ".git" not in path.parts}

    affected.find(shop)

    own = {shop / ".alchemiser", shop / ".alchemiser" / ".gitignore"}
    assert {path for path in shop.rglob("*") if ".git" not in path.parts} - before == own


def test_find_on_a_branch_compares_with_its_fork_point(shop: Path) -> None:
    git(shop, "checkout", "-q", "-b", "topic")
    append(shop, "shop/till/handler.py")
    commit(shop)
    append(shop, "shop/ledger/handler.py")

    assert affected.find(shop).rebuilt == {("app", "Till"), ("app", "Ledger")}


def test_find_since_compares_with_that_revision(shop: Path) -> None:
    append(shop, "shop/till/handler.py")
    commit(shop)

    assert affected.find(shop, since="HEAD~1").rebuilt == {("app", "Till")}


def test_find_project_in_a_subfolder_uses_its_own_paths(tmp_path: Path) -> None:
    inner = make_plain_repository(tmp_path / "repository" / "inner")
    shutil.rmtree(inner / ".git")
    git(tmp_path / "repository", "init", "-q", "-b", "main")
    commit(tmp_path / "repository")
    append(inner, "hello-world/app.py")

    report = affected.find(inner)

    assert ([change.path for change in report.changes], report.rebuilt) == (
        ["hello-world/app.py"],
        frozenset({("main", "Hello")}),
    )


def test_find_unreadable_revision_makes_everything_new(plain: Path) -> None:
    write_files(plain, {"template.yaml": "Resources: [\n"})
    commit(plain)
    git(plain, "checkout", "-q", "HEAD~1", "--", "template.yaml")

    report = affected.find(plain)

    assert {redeployment.effect for redeployment in report.redeployments} == {Effect.ADDED}


def test_find_outside_a_repository_is_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(ConfigurationError, match="git init"):
        affected.find(tmp_path)


def test_find_repository_without_a_commit_is_a_configuration_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    with pytest.raises(ConfigurationError, match="no commit"):
        affected.find(tmp_path)


def test_find_unknown_revision_is_a_usage_error(plain: Path) -> None:
    with pytest.raises(UsageError, match="unknown revision 'nonsense'"):
        affected.find(plain, since="nonsense")
