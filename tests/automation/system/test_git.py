from pathlib import Path

import pytest

from automation.system import git
from automation.system.errors import ConfigurationError
from automation.system.git import WorkTree
from tests.automation import repositories
from tests.automation.projects import write_files


def push(repository: Path, remote: Path) -> None:
    """Create a remote that has every commit."""
    remote.mkdir()
    repositories.git(remote, "init", "-q", "--bare")
    repositories.git(repository, "remote", "add", "origin", str(remote))
    repositories.git(repository, "push", "-q", "origin", "main")


def test_repository_root_of_subfolder_is_top_folder(tmp_path: Path) -> None:
    repositories.make_plain_repository(tmp_path)

    assert git.repository_root(tmp_path / "common", where="size") == tmp_path.resolve()


def test_read_work_tree_of_a_pushed_commit(tmp_path: Path) -> None:
    repository = repositories.make_plain_repository(tmp_path / "repository")
    push(repository, tmp_path / "remote")
    commit = git.find_commit(repository, "HEAD")

    assert git.read_work_tree(repository) == WorkTree(
        commit=commit, description=commit[:7], is_dirty=False, has_remote=True, is_pushed=True
    )


def test_read_work_tree_of_a_new_commit_is_not_pushed(tmp_path: Path) -> None:
    repository = repositories.make_plain_repository(tmp_path / "repository")
    push(repository, tmp_path / "remote")
    repositories.append(repository, "README.md")
    repositories.commit(repository)
    repositories.git(repository, "tag", "v2")

    tree = git.read_work_tree(repository)

    assert tree is not None
    assert (tree.description, tree.is_dirty, tree.has_remote, tree.is_pushed) == ("v2", False, True, False)


def test_read_work_tree_without_remote_is_not_pushed(tmp_path: Path) -> None:
    tree = git.read_work_tree(repositories.make_plain_repository(tmp_path))

    assert tree is not None
    assert (tree.has_remote, tree.is_pushed) == (False, False)


def test_origin_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git.origin(tmp_path) == ""
    repository = repositories.make_plain_repository(tmp_path / "repository")
    assert git.origin(repository) == ""

    repositories.git(repository, "remote", "add", "origin", "git@github.com:octocat/shop.git")

    assert git.origin(repository) == "git@github.com:octocat/shop.git"


@pytest.mark.parametrize("path", ["README.md", "new.txt"])
def test_is_dirty_changed_or_new_file(tmp_path: Path, path: str) -> None:
    repositories.make_plain_repository(tmp_path)
    write_files(tmp_path, {path: "changed"})

    assert git.is_dirty(tmp_path)


def test_is_dirty_ignored_file_and_files_elsewhere_do_not_count(tmp_path: Path) -> None:
    repositories.make_plain_repository(tmp_path)
    write_files(tmp_path, {"common/my.secret": "x", "new.txt": "x"})

    assert not git.is_dirty(tmp_path / "common")


def test_read_work_tree_without_commit_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert git.read_work_tree(tmp_path) is None
    repositories.git(tmp_path, "init", "-q")
    assert git.read_work_tree(tmp_path) is None


def test_read_work_tree_without_git_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repositories.make_plain_repository(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert git.read_work_tree(tmp_path) is None


def test_repository_root_outside_repository_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(ConfigurationError, match=r"size: needs a git repository: .*; run git init"):
        git.repository_root(tmp_path, where="size")


@pytest.mark.parametrize("name", ["missing", "--help", ""])
def test_find_commit_unknown_revision_is_empty(tmp_path: Path, name: str) -> None:
    repositories.make_plain_repository(tmp_path)

    assert git.find_commit(tmp_path, name) == ""


def test_check_out_writes_committed_files(tmp_path: Path) -> None:
    repository = repositories.make_plain_repository(tmp_path / "repository")
    write_files(repository, {"README.md": "# Changed\n"})

    git.check_out(git.find_commit(repository, "HEAD"), repository, tmp_path / "tree")

    assert (tmp_path / "tree/README.md").read_text() == "# Plain\n"
    assert (repository / "README.md").read_text() == "# Changed\n"


def test_tags_are_listed_by_commit_in_the_order_of_versions(tmp_path: Path) -> None:
    repositories.make_plain_repository(tmp_path)
    first = git.find_commit(tmp_path, "HEAD")
    for name in ("v1.10", "v1.9"):
        repositories.git(tmp_path, "tag", name)
    repositories.append(tmp_path, "README.md")
    repositories.commit(tmp_path)
    repositories.git(tmp_path, "tag", "-a", "v2", "-m", "annotated")

    assert git.tags(tmp_path) == {first: ("v1.9", "v1.10"), git.find_commit(tmp_path, "HEAD"): ("v2",)}


def test_tags_outside_a_repository_or_without_tags_are_empty(tmp_path: Path) -> None:
    assert git.tags(tmp_path) == {}
    assert git.tags(repositories.make_plain_repository(tmp_path / "repository")) == {}


def test_uncommitted_are_the_files_that_no_commit_has(tmp_path: Path) -> None:
    write_files(tmp_path, {"kept.py": "1", "changed.py": "1"})
    repositories.commit_all(tmp_path)
    write_files(tmp_path, {"changed.py": "2", "new/ä.py": "3"})

    paths = ("kept.py", "changed.py", "new/ä.py", "missing.py")

    assert git.uncommitted(tmp_path, paths) == ("changed.py", "new/ä.py")
    assert git.uncommitted(tmp_path, ()) == ()


def test_uncommitted_outside_a_repository_are_all_files(tmp_path: Path) -> None:
    assert git.uncommitted(tmp_path, ("a", "b")) == ("a", "b")


def test_mentions_are_lines_of_tracked_files_with_a_whole_word(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.md": "x\nsee risk.\nrisks\n", "b.md": "Risk\nother\n"})
    repositories.commit_all(tmp_path)
    write_files(tmp_path, {"new.md": "risk\n"})

    assert git.mentions(tmp_path, ("risk", "other")) == ("a.md:2:see risk.", "b.md:2:other")
    assert git.mentions(tmp_path, ("nobody",)) == ()


def test_mentions_outside_a_repository_are_none(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.md": "risk\n"})

    assert git.mentions(tmp_path, ("risk",)) == ()
