"""Which folders and files `inv watch` looks at."""

from pathlib import Path

import pytest

from automation.building import watched_files
from automation.project import model
from automation.project.model import Project
from tests.automation.projects import write_files

_PLAIN = """
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: %s, Handler: app.main, Runtime: python3.12}
"""


def names(project: Project) -> list[str]:
    root = project.root.resolve()
    return [folder.relative_to(root).as_posix() for folder in watched_files.folders(project)]


def plain(root: Path, code_uri: str) -> Project:
    """Return a project without a package, with folders of tools beside its code."""
    write_files(root, {"template.yaml": _PLAIN % code_uri, "src/app.py": "", "src/lib/b.py": "", "app.py": ""})
    write_files(root, {".venv/pyvenv.cfg": "", "env/pyvenv.cfg": "", ".git/x": "", "node_modules/y": ""})
    return model.load(root)


def test_folders_are_the_source_and_what_sync_does_not_generate(shop: Project) -> None:
    (shop.root / "functions/till/shop").mkdir(parents=True)

    assert names(shop) == ["layers/wheels", "shop"]


@pytest.mark.parametrize("code_uri", ["src/", ".", "src/app.py"])
def test_folders_of_a_project_without_a_package_are_its_code(tmp_path: Path, code_uri: str) -> None:
    """Of code that is the whole project, the folders of tools are left out; one file is watched with its folder."""
    assert names(plain(tmp_path, code_uri)) == ["src"]


@pytest.mark.parametrize(
    ("name", "is_of_interest"),
    [
        ("src/app.py", True),
        ("src/data.json", True),
        ("src/__pycache__/app.cpython-312.pyc", False),
        ("src/__pycache__/other", False),
        ("src/app.pyc", False),
        ("src/app.pyo", False),
        ("src/.app.py.swp", False),
        ("src/app.py~", False),
        ("src/.#app.py", False),
        ("src/4913", False),
        ("src/x.tmp", False),
        (".git/index", False),
        ("src/.mypy_cache/x.json", False),
    ],
)
def test_is_of_interest_leaves_out_caches_and_files_of_editors(tmp_path: Path, name: str, is_of_interest: bool) -> None:
    """The project itself may lie in a folder with the name of a cache."""
    root = tmp_path / ".cache/project"
    root.mkdir(parents=True)

    assert watched_files.is_of_interest(root.resolve() / name, root) is is_of_interest


def test_is_of_interest_counts_a_file_outside_of_the_project(tmp_path: Path) -> None:
    assert watched_files.is_of_interest(tmp_path.resolve() / "lib/a.py", tmp_path / "project")


@pytest.mark.parametrize("name", ["app.yaml", "base.yaml", "pyproject.toml", "samconfig.toml"])
def test_settings_change_with_each_of_these_files(shop: Project, name: str) -> None:
    before = watched_files.settings(shop)

    (shop.root / name).write_text(f"{(shop.root / name).read_text()}\n")

    after = watched_files.settings(shop)
    assert {file for file in after if after[file] != before.get(file)} == {name}


def test_settings_have_templates_and_locks_but_no_code(shop: Project) -> None:
    templates = {"app.yaml", "base.yaml"}
    assert set(watched_files.settings(shop)) == {
        *templates,
        *("layers/wheels/requirements.txt", "pyproject.toml", "samconfig.toml"),
    }


def test_settings_of_code_that_is_the_project_have_its_files(tmp_path: Path) -> None:
    assert set(watched_files.settings(plain(tmp_path, "."))) == {"app.py", "template.yaml"}


def test_settings_with_an_unreadable_lock_still_have_it(shop: Project) -> None:
    (shop.root / "layers/wheels/requirements.txt").write_text("-r missing.txt\n")

    assert "layers/wheels/requirements.txt" in watched_files.settings(shop)
