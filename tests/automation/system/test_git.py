from pathlib import Path

import pytest

from automation.system import git
from automation.system.errors import ConfigurationError
from tests.automation import repositories
from tests.automation.projects import write_files


def test_repository_root_of_subfolder_is_top_folder(tmp_path: Path) -> None:
    repositories.make_plain_repository(tmp_path)

    assert git.repository_root(tmp_path / "common", where="size") == tmp_path.resolve()


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
