from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation import sync
from automation.building import source_copies
from automation.building.source_copies import Drift, Source, SyncPlan, Tree, Write
from automation.project import model
from automation.project.model import Project
from automation.project.skipped import Kind, Skipped
from automation.system.errors import CheckFailedError, ConfigurationError
from tests.automation.projects import APP, make_shop, write_files

TILL = "functions/till/shop/till/handler.py"

names = st.text("abc", min_size=1, max_size=3)
digests = st.sampled_from(["1", "2", "3"])


def test_trees_of_two_stacks_hold_each_target_once(shop: Project) -> None:
    assert source_copies.trees(shop) == (
        Tree("functions/ledger", "ledger"),
        Tree("functions/stock", "stock"),
        Tree("functions/till", "till"),
        Tree("layers/common/python", "common"),
    )


def test_trees_layers_only_leaves_functions_out(shop: Project) -> None:
    assert source_copies.trees(shop, layers_only=True) == (Tree("layers/common/python", "common"),)


@pytest.mark.parametrize("folder", [".", "./", "shop/", "shop/till/", "../shop/", "/", "functions/.."])
def test_trees_folder_that_overlaps_the_source_is_refused(shop: Project, folder: str) -> None:
    template = shop.root / "app.yaml"
    template.write_text(template.read_text().replace("CodeUri: functions/till/", f"CodeUri: {folder}"))

    with pytest.raises(ConfigurationError, match="sync fills and empties this code folder"):
        source_copies.trees(model.load(shop.root))


def test_trees_without_source_package_are_empty(tmp_path: Path) -> None:
    make_shop(tmp_path, pyproject_toml="", samconfig_toml="")
    (tmp_path / "app.yaml").rename(tmp_path / "template.yaml")

    assert source_copies.trees(model.load(tmp_path)) == ()


def test_trees_handler_of_missing_module_is_refused(tmp_path: Path) -> None:
    make_shop(tmp_path, app_yaml=APP.replace("shop.ledger.handler", "shop.legder.handler"))

    with pytest.raises(ConfigurationError, match=r"Ledger.*no folder shop/legder"):
        source_copies.trees(model.load(tmp_path))


def test_trees_two_modules_in_one_folder_are_refused(tmp_path: Path) -> None:
    make_shop(tmp_path, app_yaml=APP.replace("functions/ledger/", "functions/till/"))

    with pytest.raises(ConfigurationError, match="functions/till"):
        source_copies.trees(model.load(tmp_path))


def test_compare_finds_missing_edited_extra_and_unchanged_files() -> None:
    wanted = {"a": Source("s/a", "1"), "b": Source("s/b", "1"), "c": Source("s/c", "1")}

    plan = source_copies.compare(wanted, {"b": "2", "c": "1", "d": "1"})

    assert plan == SyncPlan((Write("a", "s/a", Drift.MISSING), Write("b", "s/b", Drift.EDITED)), ("d",), 1)


@given(st.dictionaries(names, digests), st.dictionaries(names, digests))
def test_compare_after_applying_a_plan_is_empty(source: dict[str, str], present: dict[str, str]) -> None:
    wanted = {path: Source(path, digest) for path, digest in source.items()}
    first = source_copies.compare(wanted, present)
    kept = {path: digest for path, digest in present.items() if path not in first.deletes}
    after = kept | {write.path: wanted[write.path].digest for write in first.writes}

    assert source_copies.compare(wanted, after) == SyncPlan((), (), len(wanted))


def test_sync_fresh_project_copies_modules_under_the_package(shop: Project) -> None:
    plan = source_copies.sync(shop)

    assert len(plan.writes) == 5
    assert (shop.root / TILL).read_text() == "def main(event, context): ...\n"
    assert (shop.root / "layers/common/python/shop/common/data/rates.json").is_file()
    assert not list((shop.root / "functions").rglob("__init__.py"))


def test_sync_second_run_touches_nothing(shop: Project) -> None:
    source_copies.sync(shop)
    before = (shop.root / TILL).stat().st_mtime_ns

    assert source_copies.sync(shop) == SyncPlan((), (), 5)
    assert (shop.root / TILL).stat().st_mtime_ns == before


def test_sync_caches_tests_and_hidden_files_are_not_copied(shop: Project) -> None:
    unwanted = {"shop/till/__pycache__/handler.pyc": "", "shop/till/tests/test_x.py": "", "shop/till/.notes": ""}
    write_files(shop.root, unwanted)

    assert {write.path for write in source_copies.make_plan(shop).writes if "till" in write.path} == {TILL}


def test_sync_removed_source_removes_its_folder(shop: Project) -> None:
    write_files(shop.root, {"shop/till/deep/er/x.py": ""})
    source_copies.sync(shop)
    (shop.root / "shop/till/deep/er/x.py").unlink()

    plan = source_copies.sync(shop)

    assert plan.deletes == ("functions/till/shop/till/deep/er/x.py",)
    assert not (shop.root / "functions/till/shop/till/deep").exists()


def test_sync_removed_function_removes_its_tree(shop: Project) -> None:
    write_files(shop.root, {"functions/old/shop/old/handler.py": "", "functions/README.md": ""})

    plan = source_copies.sync(shop)

    assert plan.deletes == ("functions/old/shop/old/handler.py",)
    assert not (shop.root / "functions/old").exists()
    assert (shop.root / "functions/README.md").exists()


def test_sync_keeps_what_a_template_that_cannot_be_read_may_name(shop: Project) -> None:
    write_files(shop.root, {"functions/old/shop/old/handler.py": ""})
    fault = Skipped("In", Kind.APPLICATION, "has no template", "missing", is_fault=True)
    with_fault = replace(shop, stacks=(replace(shop.stacks[0], faults=(fault,)), *shop.stacks[1:]))
    without_stack = replace(shop, unread={"old": ConfigurationError("is not valid YAML")})

    for project in (with_fault, without_stack):
        assert source_copies.sync(project).deletes == ()


def test_sync_symlink_in_the_target_is_replaced_by_a_file(shop: Project) -> None:
    target = shop.root / TILL
    target.parent.mkdir(parents=True)
    target.symlink_to(shop.root / "shop/till/handler.py")

    source_copies.sync(shop)

    assert not target.is_symlink()
    assert (shop.root / "shop/till/handler.py").is_file()


def test_sync_folder_with_the_name_of_a_file_is_replaced(shop: Project) -> None:
    write_files(shop.root, {f"{TILL}/inside": ""})

    source_copies.sync(shop)

    assert (shop.root / TILL).is_file()


def test_sync_package_with_root_init_is_refused(shop: Project) -> None:
    write_files(shop.root, {"shop/__init__.py": ""})

    with pytest.raises(ConfigurationError, match=r"shop/__init__\.py"):
        source_copies.sync(shop)


def test_check_edited_missing_and_extra_files_are_findings(shop: Project) -> None:
    source_copies.sync(shop)
    (shop.root / TILL).write_text("edited")
    (shop.root / "functions/stock/shop/stock/handler.py").unlink()
    write_files(shop.root, {"functions/ledger/notes.txt": ""})

    with pytest.raises(CheckFailedError) as caught:
        sync.check(shop)

    assert caught.value.exit_code == 3
    assert [(finding.where, finding.what.split()[0]) for finding in caught.value.findings] == [
        ("functions/ledger/notes.txt", "extra"),
        ("functions/stock/shop/stock/handler.py", "missing"),
        (TILL, "edited"),
    ]
    assert (shop.root / TILL).read_text() == "edited"


def test_check_after_sync_passes(shop: Project) -> None:
    source_copies.sync(shop)

    assert sync.check(shop).is_empty


def test_show_prints_what_was_done(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    sync.show(source_copies.sync(shop))
    sync.show(source_copies.sync(shop))

    assert capsys.readouterr().out.splitlines() == [
        "synced: 5 written, 0 deleted, 0 unchanged",
        "5 files already up to date",
    ]


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o755), (0o755, 0o644)])
def test_sync_changed_run_bit_is_copied(shop: Project, before: int, after: int) -> None:
    write_files(shop.root, {"shop/till/tool.sh": "#!/bin/sh\n"})
    source, copy = shop.root / "shop/till/tool.sh", shop.root / "functions/till/shop/till/tool.sh"
    source.chmod(before)
    source_copies.sync(shop)
    assert copy.stat().st_mode & 0o777 == before
    source.chmod(after)

    assert [write.path for write in source_copies.sync(shop).writes] == ["functions/till/shop/till/tool.sh"]
    assert copy.stat().st_mode & 0o777 == after
    assert source_copies.make_plan(shop).is_empty
