import pytest

from automation import cleaning
from automation.building import source_copies
from automation.project import model
from automation.project.model import Project
from automation.system.errors import ConfigurationError
from tests.automation.projects import PYPROJECT, make_shop, write_files


def test_clean_removes_only_generated_trees_and_artifacts(shop: Project) -> None:
    source_copies.sync(shop)
    kept = {".tools/sam/x": "", ".sandbox/state": "", ".mypy_cache/x": "", ".nox/lint/x": ""}
    write_files(shop.root, {".aws-sam/build/template.yaml": "", **kept})

    removed = cleaning.clean(shop)

    assert set(removed) == {
        ".alchemiser",
        ".aws-sam",
        "functions/ledger",
        "functions/stock",
        "functions/till",
        "layers/common/python",
    }
    assert all((shop.root / name).exists() for name in kept)
    assert (shop.root / "layers/wheels/requirements.in").exists()


def test_clean_everything_removes_caches_and_keeps_tools(shop: Project) -> None:
    write_files(shop.root, {".tools/x": "", ".nox/x": "", ".ruff_cache/x": "", "shop/till/__pycache__/x.pyc": ""})

    removed = cleaning.clean(shop, everything=True)

    assert set(removed) == {".nox", ".ruff_cache"}
    assert not (shop.root / "shop/till/__pycache__").exists()
    assert (shop.root / ".tools/x").exists()


def test_clean_keeps_the_messages_that_were_dropped(shop: Project) -> None:
    write_files(shop.root, {".alchemiser/dropped/a.jsonl": "", ".alchemiser/parsed/x.json": "", ".alchemiser/lock": ""})

    (shop.root / ".alchemiser/.gitignore").write_text("*")

    assert cleaning.clean(shop) == (".alchemiser/lock", ".alchemiser/parsed")
    assert (shop.root / ".alchemiser/dropped/a.jsonl").exists()
    assert (shop.root / ".alchemiser/.gitignore").exists()
    assert cleaning.clean(shop, everything=True) == ()


def test_clean_twice_removes_nothing(shop: Project) -> None:
    source_copies.sync(shop)
    cleaning.clean(shop)

    assert cleaning.clean(shop) == ()


@pytest.mark.parametrize("folder", ["../elsewhere", ".", ".aws-sam/..", "/"])
def test_clean_build_folder_not_inside_the_project_is_refused(shop: Project, folder: str) -> None:
    make_shop(shop.root, pyproject_toml=PYPROJECT.replace(".aws-sam/base", folder))

    with pytest.raises(ConfigurationError, match="is not a folder inside the project"):
        cleaning.clean(model.load(shop.root))
