"""The note that everything stands: whatever a build reads or makes, a change of it is left to the builder."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automation import build
from automation.building import builder, source_copies, up_to_date
from automation.building.builder import Built
from automation.project import model
from automation.project.model import Project
from tests.automation.projects import BASE, PYPROJECT, make_shop, write_files

BUILT = 6


def make(shop: Project) -> Built:
    loaded = model.load(shop.root)
    source_copies.sync(loaded)
    found = builder.build(loaded)
    builder.note_if_up_to_date(loaded, found)
    return found


def make_and_note(shop: Project) -> Built:
    make(shop)
    return make(shop)


@pytest.fixture
def noted(shop: Project) -> Path:
    make_and_note(shop)
    return shop.root


def rewrite(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n")


def swap(path: Path) -> None:
    """Other bytes, as many, under the same time: what is read is known by its bytes."""
    look, content = path.stat(), path.read_bytes()
    path.write_bytes(content[::-1])
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source file": lambda root: rewrite(root / "shop/till/handler.py"),
    "a source file, its size and time kept": lambda root: swap(root / "shop/common/prices.py"),
    "a new source file": lambda root: write_files(root, {"shop/till/extra.py": ""}),
    "a source file removed": lambda root: (root / "shop/common/data/rates.json").unlink(),
    "a source file made a program": lambda root: (root / "shop/till/handler.py").chmod(0o755),
    "a generated file": lambda root: rewrite(root / "functions/till/shop/till/handler.py"),
    "a folder beside those of functions": lambda root: write_files(root, {"functions/gone/shop/gone/old.py": ""}),
    "a lock": lambda root: rewrite(root / "layers/wheels/requirements.txt"),
    "a template": lambda root: rewrite(root / "app.yaml"),
    "the settings": lambda root: rewrite(root / "pyproject.toml"),
    "a built file": lambda root: rewrite(root / ".aws-sam/build/Till/shop/till/handler.py"),
    "a built file removed": lambda root: (root / ".aws-sam/build/Till/shop/till/handler.py").unlink(),
    "built bytecode removed": lambda root: next((root / ".aws-sam/build/Till").rglob("*.pyc")).unlink(),
    "a zip": lambda root: (root / ".aws-sam/base/zips/Code.zip").write_bytes(b""),
    "a built template": lambda root: rewrite(root / ".aws-sam/base/template.yaml"),
    "what was built last": lambda root: (root / ".alchemiser/build/app.json").write_text("{}"),
    "a link to a folder": lambda root: (root / "shop/common/more").symlink_to(root / "layers"),
    "the note": lambda root: (root / ".alchemiser/build/up_to_date.json").write_text("{"),
}


def test_count_after_a_build_of_everything_is_of_all_artifacts(noted: Path) -> None:
    assert up_to_date.count(noted) == BUILT


@pytest.mark.parametrize("change", CHANGES)
def test_count_after_a_change_is_0(noted: Path, change: str) -> None:
    CHANGES[change](noted)

    assert up_to_date.count(noted) == 0


def test_count_of_caches_in_the_source_is_of_all_artifacts(noted: Path) -> None:
    write_files(noted, {"shop/till/__pycache__/handler.cpython-312.pyc": "what an import leaves"})

    assert up_to_date.count(noted) == BUILT


def test_count_by_another_automation_is_0(noted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"automation/build.py": "# another release\n"})
    monkeypatch.setattr(up_to_date, "_AUTOMATION", str(tmp_path / "automation"))

    assert up_to_date.count(noted) == 0


def test_count_before_any_build_is_0(tmp_path: Path) -> None:
    assert up_to_date.count(tmp_path) == 0


def test_told_prints_what_a_build_of_nothing_prints(noted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert up_to_date.report_if_up_to_date(noted)
    ours = capsys.readouterr().out.rpartition(",")[0]

    build.show(builder.build(model.load(noted)))

    assert capsys.readouterr().out.startswith(ours)
    assert ours == f"0 built, {BUILT} unchanged"


def test_told_without_a_note_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not up_to_date.report_if_up_to_date(tmp_path)
    assert capsys.readouterr().out == ""


def test_note_if_up_to_date_of_a_build_that_made_something_is_left_to_the_next(shop: Project) -> None:
    make(shop)

    assert up_to_date.count(shop.root) == 0


@pytest.mark.parametrize("saved", ["shop/till/handler.py", "functions/till/shop/till/handler.py"])
def test_note_if_up_to_date_of_a_file_saved_since_the_build_is_not_kept(shop: Project, saved: str) -> None:
    make(shop)
    loaded = model.load(shop.root)
    found = builder.build(loaded)

    rewrite(shop.root / saved)
    builder.note_if_up_to_date(loaded, found)

    assert up_to_date.count(shop.root) == 0


def test_note_if_up_to_date_of_a_build_of_some_is_not_written(shop: Project) -> None:
    found = make_and_note(shop)
    (shop.root / ".alchemiser/build/up_to_date.json").unlink()

    builder.note_if_up_to_date(shop, replace(found, left=1))

    assert up_to_date.count(shop.root) == 0


def test_note_if_up_to_date_of_code_at_the_root_is_not_written(tmp_path: Path) -> None:
    """Its folder holds the build, and whatever else there is."""
    template = BASE.replace("layers/common/python/", "./").replace("functions/stock/", "./")
    make_shop(tmp_path, pyproject_toml=PYPROJECT.replace('package = "shop"', ""), base_yaml=template, app_yaml=template)
    loaded = model.load(tmp_path)

    for _ in range(2):
        builder.note_if_up_to_date(loaded, builder.build(loaded))

    assert up_to_date.count(tmp_path) == 0


def test_note_is_of_the_lock_and_of_what_it_includes(shop: Project) -> None:
    write_files(shop.root, {"locks/more.txt": "\n", "layers/wheels/requirements.txt": "-r ../../locks/more.txt\n"})
    make_and_note(shop)

    read = json.loads((shop.root / ".alchemiser/build/up_to_date.json").read_text())["read"]
    rewrite(shop.root / "locks/more.txt")

    assert "locks/more.txt" in read
    assert up_to_date.count(shop.root) == 0
