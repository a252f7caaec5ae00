"""The note that everything is up to date: a change of anything that a build reads or writes makes it invalid."""

import importlib.util
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import automation
from automation import build
from automation.building import builder, source_copies, up_to_date, wheels
from automation.building.builder import BuildResult
from automation.project import model
from automation.project.model import Project
from automation.system import files, tools
from tests.automation.projects import APP, BASE, PYPROJECT, make_shop, write_files

ARTIFACTS = 6

LONG_AGO = -(10**15)


def make(shop: Project) -> BuildResult:
    loaded = model.load(shop.root)
    source_copies.sync(loaded)
    result = builder.build(loaded)
    builder.note_if_up_to_date(loaded, result)
    return result


def make_and_note(shop: Project) -> BuildResult:
    make(shop)
    return make(shop)


@pytest.fixture
def noted(shop: Project) -> Path:
    make_and_note(shop)
    return shop.root


@pytest.fixture
def aged(shop: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose note has the status of its files, as if they were old."""
    monkeypatch.setattr(up_to_date, "_TICK_NS", LONG_AGO)
    make_and_note(shop)
    assert read_note(shop.root)["status"]
    return shop.root


@pytest.fixture
def copied_automation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, whose modules a test may edit."""
    copy = tmp_path_factory.mktemp("copied") / "automation"
    shutil.copytree(Path(automation.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def load_module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"copied_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rewrite(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n")


def swap(path: Path) -> None:
    """Change the bytes of a file but neither its size nor its time."""
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source file": lambda root: rewrite(root / "shop/till/handler.py"),
    "a source file, its size and time kept": lambda root: swap(root / "shop/common/prices.py"),
    "a new source file": lambda root: write_files(root, {"shop/till/extra.py": ""}),
    "a source file removed": lambda root: (root / "shop/common/data/rates.json").unlink(),
    "a source file made a program": lambda root: (root / "shop/till/handler.py").chmod(0o755),
    "a generated file": lambda root: rewrite(root / "functions/till/shop/till/handler.py"),
    "a folder beside those of functions": lambda root: write_files(root, {"functions/old/shop/old/app.py": ""}),
    "a lock": lambda root: rewrite(root / "layers/wheels/requirements.txt"),
    "a template": lambda root: rewrite(root / "app.yaml"),
    "the settings": lambda root: rewrite(root / "pyproject.toml"),
    "a built file": lambda root: rewrite(root / ".aws-sam/build/Till/shop/till/handler.py"),
    "a built file removed": lambda root: (root / ".aws-sam/build/Till/shop/till/handler.py").unlink(),
    "built bytecode removed": lambda root: next((root / ".aws-sam/build/Till").rglob("*.pyc")).unlink(),
    "a zip": lambda root: (root / ".aws-sam/base/zips/Code.zip").write_bytes(b""),
    "a built template": lambda root: rewrite(root / ".aws-sam/base/template.yaml"),
    "the manifest": lambda root: (root / ".alchemiser/build/app.json").write_text("{}"),
    "a link to a folder": lambda root: (root / "shop/common/more").symlink_to(root / "layers"),
    "a file that was missing": lambda root: write_files(root, {"template.json": "{}"}),
    "the settings of SAM": lambda root: rewrite(root / "samconfig.toml"),
    "the note": lambda root: (root / ".alchemiser/build/up_to_date.json").write_text("{"),
}


def test_count_after_a_build_is_the_number_of_artifacts(noted: Path) -> None:
    assert up_to_date.count(noted) == ARTIFACTS


@pytest.mark.parametrize("change", CHANGES)
def test_count_after_a_change_is_0(noted: Path, change: str) -> None:
    CHANGES[change](noted)

    assert up_to_date.count(noted) == 0


@pytest.mark.parametrize("change", CHANGES)
def test_count_by_status_after_a_change_is_0(aged: Path, change: str) -> None:
    CHANGES[change](aged)

    assert up_to_date.count(aged) == 0


def read_note(root: Path) -> dict[str, Any]:
    note: dict[str, Any] = json.loads((root / ".alchemiser/build/up_to_date.json").read_text())
    return note


def refuse(*_: object) -> str:
    raise AssertionError("the content was read")


def test_count_of_old_files_reads_no_content(aged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "_content_digest", refuse)

    assert up_to_date.count(aged) == ARTIFACTS


def test_count_of_young_files_notes_no_status(noted: Path) -> None:
    """A file that is written twice within one tick of the clock may keep its status."""
    assert up_to_date.count(noted) == ARTIFACTS
    assert read_note(noted)["status"] == ""


def test_count_of_files_that_have_aged_notes_their_status(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "_TICK_NS", LONG_AGO)
    assert up_to_date.count(noted) == ARTIFACTS

    monkeypatch.setattr(up_to_date, "_content_digest", refuse)
    assert up_to_date.count(noted) == ARTIFACTS


def test_count_of_a_touched_file_compares_and_notes_again(aged: Path) -> None:
    before = read_note(aged)

    os.utime(aged / "shop/till/handler.py")

    assert up_to_date.count(aged) == ARTIFACTS
    assert {name for name, value in read_note(aged).items() if value != before[name]} == {"status"}


def test_count_where_nothing_can_be_noted_still_compares(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (noted / ".alchemiser/build/up_to_date.json.clock").mkdir()
    assert up_to_date.count(noted) == ARTIFACTS

    def refuse_writes(*_: object) -> None:
        raise OSError

    (noted / ".alchemiser/build/up_to_date.json.clock").rmdir()
    monkeypatch.setattr(up_to_date, "_TICK_NS", LONG_AGO)
    monkeypatch.setattr(files, "write_atomically", refuse_writes)
    assert up_to_date.count(noted) == ARTIFACTS
    assert read_note(noted)["status"] == ""


def test_count_while_an_output_is_altered_notes_nothing(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "_TICK_NS", LONG_AGO)
    rewrite(noted / ".aws-sam/base/template.yaml")

    assert up_to_date.count(noted) == 0
    assert read_note(noted)["status"] == ""


@pytest.mark.parametrize(("age_s", "is_old"), [(3, True), (1, False)])
def test_status_counts_only_when_the_last_write_is_two_seconds_old(tmp_path: Path, age_s: float, is_old: bool) -> None:
    write_files(tmp_path, {"app.py": "", ".alchemiser/build/app.json": ""})
    ahead_ns = time.time_ns() + int(age_s * 1e9)

    assert bool(up_to_date.status_if_old(tmp_path, ["app.py"], now_ns=ahead_ns)) == is_old


def test_count_sees_the_second_name_of_an_altered_file(tmp_path: Path) -> None:
    """Two artifacts of equal layers are hard links of the same files: a status is asked for once."""
    write_files(tmp_path, {"a/x": "1", "b/y": "2", ".alchemiser/build/app.json": ""})
    (tmp_path / "b/x").hardlink_to(tmp_path / "a/x")
    up_to_date.write_note(tmp_path, read=[], absent=[], built=["a", "b"], artifacts=2, says=["2 layers"])
    assert up_to_date.count(tmp_path) == 2

    (tmp_path / "b/x").unlink()
    write_files(tmp_path, {"b/x": "3"})

    assert up_to_date.count(tmp_path) == 0


def test_count_ignores_caches_in_the_source(noted: Path) -> None:
    write_files(noted, {"shop/till/__pycache__/handler.cpython-312.pyc": "what an import leaves"})

    assert up_to_date.count(noted) == ARTIFACTS


def test_automation_is_the_whole_package() -> None:
    assert Path(up_to_date._AUTOMATION) == Path(automation.__file__).parent


@pytest.mark.parametrize("module", ["build.py", "building/zips.py", "project/model.py", "system/files.py"])
def test_count_after_an_edit_of_automation_is_0(noted: Path, copied_automation: Path, module: str) -> None:
    copied = load_module(copied_automation / "building" / "up_to_date.py")
    facts = {"read": ["pyproject.toml"], "absent": [], "built": [".aws-sam"], "artifacts": ARTIFACTS}
    copied.write_note(noted, **facts, says=["3 functions"])
    assert copied.count(noted) == ARTIFACTS

    rewrite(copied_automation / module)

    assert copied.count(noted) == 0


def test_count_before_any_build_is_0(tmp_path: Path) -> None:
    assert up_to_date.count(tmp_path) == 0


def test_report_if_up_to_date_prints_what_a_build_prints(noted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert up_to_date.report_if_up_to_date(noted)
    reported = capsys.readouterr().out.rpartition(",")[0]

    build.show(builder.build(model.load(noted)))

    assert capsys.readouterr().out.startswith(reported)
    assert reported == f"3 functions: 3 built; 3 layers: 3 built\n0 built, {ARTIFACTS} unchanged"


def test_report_if_up_to_date_without_a_note_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not up_to_date.report_if_up_to_date(tmp_path)
    assert capsys.readouterr().out == ""


def test_note_if_up_to_date_after_a_real_build_writes_nothing(shop: Project) -> None:
    make(shop)

    assert up_to_date.count(shop.root) == 0


@pytest.mark.parametrize("saved", ["shop/till/handler.py", "functions/till/shop/till/handler.py"])
def test_note_if_up_to_date_file_saved_since_removes_the_note(shop: Project, saved: str) -> None:
    make(shop)
    loaded = model.load(shop.root)
    result = builder.build(loaded)

    rewrite(shop.root / saved)
    builder.note_if_up_to_date(loaded, result)

    assert up_to_date.count(shop.root) == 0


def test_note_if_up_to_date_of_a_partial_build_writes_nothing(shop: Project) -> None:
    result = make_and_note(shop)
    (shop.root / ".alchemiser/build/up_to_date.json").unlink()

    builder.note_if_up_to_date(shop, replace(result, not_selected=1))

    assert up_to_date.count(shop.root) == 0


@pytest.mark.parametrize("folder", ["./", "../elsewhere/", "{tmp_path}/elsewhere/"], ids=["root", "beside", "absolute"])
def test_note_if_up_to_date_code_at_the_root_or_outside_prevents_it(tmp_path: Path, folder: str) -> None:
    """The code folder then contains the build and everything else, or a build reads what no note covers."""
    code, root = folder.format(tmp_path=tmp_path), tmp_path / "project"
    template = BASE.replace("layers/common/python/", code).replace("functions/stock/", code)
    make_shop(root, pyproject_toml=PYPROJECT.replace('package = "shop"', ""), base_yaml=template, app_yaml=template)
    write_files(tmp_path, {"elsewhere/app.py": ""})
    loaded = model.load(root)

    for _ in range(2):
        builder.note_if_up_to_date(loaded, builder.build(loaded))

    assert up_to_date.count(root) == 0


def test_note_if_up_to_date_code_of_another_python_prevents_it(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytecode depends on an interpreter that no note covers."""
    result = make_and_note(shop)
    up_to_date.remove_note(shop.root)
    monkeypatch.setattr(tools, "own_python_version", lambda: "3.99")

    builder.note_if_up_to_date(shop, result)

    assert up_to_date.count(shop.root) == 0


@pytest.mark.parametrize(("artifacts", "says", "count"), [(2, ["3 functions"], 2), (0, ["3 functions"], 0), (2, [], 0)])
def test_count_of_an_empty_note_is_0(tmp_path: Path, artifacts: int, says: list[str], count: int) -> None:
    write_files(tmp_path, {".alchemiser/build/app.json": ""})

    up_to_date.write_note(tmp_path, read=[], absent=[], built=[], artifacts=artifacts, says=says)

    assert up_to_date.count(tmp_path) == count


def test_note_if_up_to_date_parameters_in_further_files_prevent_it(tmp_path: Path) -> None:
    samconfig = '[default.build.parameters]\nparameter_overrides = "file://more.yaml"\n'
    make_shop(tmp_path, samconfig_toml=samconfig)
    write_files(tmp_path, {"more.yaml": "Colour: blue\n"})

    make_and_note(model.load(tmp_path))

    assert up_to_date.count(tmp_path) == 0


def test_note_covers_the_lock_and_its_includes(shop: Project) -> None:
    write_files(shop.root, {"locks/more.txt": "\n", "layers/wheels/requirements.txt": "-r ../../locks/more.txt\n"})
    make_and_note(shop)

    read = json.loads((shop.root / ".alchemiser/build/up_to_date.json").read_text())["read"]
    rewrite(shop.root / "locks/more.txt")

    assert "locks/more.txt" in read
    assert up_to_date.count(shop.root) == 0


def test_note_if_up_to_date_what_lies_elsewhere_prevents_it(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note knows neither the code of a folder that requirements name nor the environment."""
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    monkeypatch.setenv("IDNA_VERSION", "3.7")
    source_copies.sync(shop)
    write_files(shop.root, {"lib/setup.py": ""})
    for line in ("./lib\n", "idna==${IDNA_VERSION}\n"):
        write_files(shop.root, {"layers/wheels/requirements.txt": line})
        for _ in range(2):
            builder.note_if_up_to_date(shop, builder.build(shop))

        assert up_to_date.count(shop.root) == 0


def test_note_new_uv_workspace_is_noticed(shop: Project) -> None:
    make_and_note(shop)
    before = up_to_date.count(shop.root)

    write_files(shop.root, {"uv.lock": ""})

    assert (before > 0, up_to_date.count(shop.root)) == (True, 0)


def test_report_if_up_to_date_repeats_what_was_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skipped = "  Raw: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handler: index.main}}\n"
    loaded = model.load(make_shop(tmp_path, app_yaml=APP + skipped))
    make(loaded)
    loaded = model.load(tmp_path)
    builder.note_if_up_to_date(loaded, builder.build(loaded))
    capsys.readouterr()

    assert up_to_date.report_if_up_to_date(tmp_path)

    said = capsys.readouterr()
    assert said.out.startswith("4 functions: 3 built, 1 inline skipped; 3 layers: 3 built\n0 built, 6 unchanged, ")
    assert said.err == "warning: app.yaml: Raw was not built: it has inline code\n"
