import os
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from automation.building import store, wheels
from automation.building.artifacts import Artifact
from automation.building.shared_cache import SharedCache
from automation.system import packages
from automation.system.errors import AutomationError
from tests.automation.projects import write_files


@pytest.fixture
def layer(tmp_path: Path) -> Artifact:
    write_files(tmp_path, {"common/shared.py": "x = 1\n", "common/__pycache__/stale.pyc": "stale"})
    return Artifact("main", "Common", tmp_path / "common", "common", "python3.12", "x86_64", is_layer=True)


def modified_times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def names(path: Path) -> list[str]:
    return sorted(zipfile.ZipFile(path).namelist())


def test_build_missing_nests_layers_and_adds_bytecode(layer: Artifact, tmp_path: Path) -> None:
    artifacts = store.build_missing({"a": layer, "b": replace(layer, is_layer=False)}, tmp_path / "store")

    assert names(artifacts["a"].zip) == ["python/__pycache__/shared.cpython-312.pyc", "python/shared.py"]
    assert names(artifacts["b"].zip) == ["__pycache__/shared.cpython-312.pyc", "shared.py"]


def test_build_missing_layer_zipped_as_is_is_not_nested(layer: Artifact, tmp_path: Path) -> None:
    write_files(layer.source, {"python/inner.py": "", "bin/tool": ""})

    artifact = store.build_missing({"a": replace(layer, is_zipped_as_is=True)}, tmp_path / "store")["a"]

    assert names(artifact.zip) == [
        "__pycache__/shared.cpython-312.pyc",
        "bin/tool",
        "python/__pycache__/inner.cpython-312.pyc",
        "python/inner.py",
        "shared.py",
    ]


def test_build_missing_reports_new_artifacts_and_touches_no_other(layer: Artifact, tmp_path: Path) -> None:
    built: list[str] = []
    store.build_missing({"a": layer}, tmp_path / "store", on_built=built.append)
    before = modified_times(tmp_path / "store")
    os.utime(tmp_path / "store/a", (0, 0))

    store.build_missing({"a": layer}, tmp_path / "store", on_built=built.append)

    assert built == ["Common"]
    assert (tmp_path / "store/a").stat().st_mtime > 0, "it is marked as used"
    assert modified_times(tmp_path / "store") == before


@pytest.mark.parametrize(("count", "lines"), [(3, 0), (4, 4)])
def test_build_missing_of_many_says_in_a_log_how_far_it_is(
    layer: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, lines: int
) -> None:
    store.build_missing({str(number): layer for number in range(count)}, tmp_path / "store")

    said = capsys.readouterr()
    assert said.err.splitlines() == [f"installed {number} of {count}: Common" for number in range(1, lines + 1)]
    assert said.out == ""


@pytest.mark.parametrize("name", ["tree/python/shared.py", "artifact.zip", "seal.json"])
def test_build_missing_altered_artifact_is_built_again(layer: Artifact, tmp_path: Path, name: str) -> None:
    artifact = store.build_missing({"a": layer}, tmp_path / "store")["a"]
    before = artifact.zip.read_bytes()
    (tmp_path / "store" / "a" / name).write_text("damage")

    store.build_missing({"a": layer}, tmp_path / "store")

    assert artifact.zip.read_bytes() == before
    assert (artifact.tree / "python" / "shared.py").read_text() == "x = 1\n"


def test_build_missing_failure_leaves_the_store_as_it_was(layer: Artifact, tmp_path: Path) -> None:
    store.build_missing({"a": layer}, tmp_path / "store")
    bad = replace(layer, source=tmp_path / "bad", folder="bad")
    write_files(tmp_path, {"bad/requirements.in": "idna\n", "bad/requirements.txt": "idna==3.10\nb --hash=sha256:0\n"})

    with pytest.raises(AutomationError, match="has no hash"):
        store.build_missing({"a": layer, "b": bad, "c": replace(layer, is_layer=False)}, tmp_path / "store")

    assert [path.name for path in (tmp_path / "store").iterdir()] == ["a"]


def test_build_missing_failure_that_is_taken_stops_no_other(layer: Artifact, tmp_path: Path) -> None:
    write_files(tmp_path, {"bad/requirements.txt": "idna==3.10\nb --hash=sha256:0\n"})
    failures: dict[str, AutomationError] = {}
    wanted = {"bad": replace(layer, source=tmp_path / "bad", folder="bad"), "good": layer}

    artifacts = store.build_missing(wanted, tmp_path / "store", on_failure=failures.__setitem__)

    assert ([*failures], artifacts) == (["bad"], {"good": store.locate(tmp_path / "store", "good")})
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["good"]


def test_build_missing_over_what_a_killed_build_left_starts_anew(layer: Artifact, tmp_path: Path) -> None:
    write_files(tmp_path, {"store/.a.new/tree/python/half.py": ""})

    artifacts = store.build_missing({"a": layer}, tmp_path / "store")

    assert "python/half.py" not in names(artifacts["a"].zip)


def test_build_missing_installs_and_prunes_before_own_files_arrive(
    layer: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(lock: Path, target: Path, *, root: Path, version: str, architecture: str) -> None:
        assert (lock, root, version, architecture) == (layer.source / "requirements.txt", tmp_path, "3.12", "x86_64")
        write_files(target, {"pkg/a.py": "", "pkg/tests/test_a.py": "1234"})

    monkeypatch.setattr(wheels, "install", install)
    write_files(tmp_path, {"common/requirements.txt": "pkg\n", "common/own/tests/test_own.py": ""})
    function = replace(layer, is_layer=False, root=tmp_path, package_folder="src", has_bytecode=False)

    artifacts = store.build_missing({"a": function}, tmp_path / "store")

    assert names(artifacts["a"].zip) == ["pkg/a.py", "src/own/tests/test_own.py", "src/shared.py"]
    assert store.pruned_bytes(tmp_path / "store", "a") == 4


def test_remove_unused_keeps_what_is_used_or_young(layer: Artifact, tmp_path: Path) -> None:
    store_dir = tmp_path / "store"
    store.build_missing(
        {"old": layer, "used": replace(layer, is_layer=False), "young": replace(layer, runtime="")}, store_dir
    )
    (store_dir / ".halves.new").mkdir()
    two_weeks_ago = time.time() - 14 * 86_400
    for name, seconds in (("old", -10), ("used", -10), ("young", 3_600)):
        os.utime(store_dir / name, (two_weeks_ago + seconds, two_weeks_ago + seconds))

    store.remove_unused(store_dir, keep=["used"])

    assert sorted(path.name for path in store_dir.iterdir()) == ["used", "young"]


def test_build_missing_forced_builds_again_and_lends_nothing(layer: Artifact, tmp_path: Path) -> None:
    built: list[str] = []
    tree = store.build_missing({"a": layer}, tmp_path / "store")["a"].tree
    pyc = tree / "python/__pycache__/shared.cpython-312.pyc"
    before = pyc.stat().st_ino

    store.build_missing({"a": layer}, tmp_path / "store", force=True, similar={"a": "a"}, on_built=built.append)

    assert built == ["Common"]
    assert pyc.stat().st_ino != before


def test_build_missing_reuses_bytecode_of_an_unaltered_artifact(layer: Artifact, tmp_path: Path) -> None:
    store.build_missing({"last": layer}, tmp_path / "store")
    pyc = store.locate(tmp_path / "store", "last").tree / "python/__pycache__/shared.cpython-312.pyc"
    unaltered = store.build_missing({"a": layer}, tmp_path / "store", similar={"a": "last"})["a"]
    lent = (unaltered.tree / pyc.relative_to(store.locate(tmp_path / "store", "last").tree)).stat().st_ino

    pyc.write_bytes(b"somebody wrote here")
    artifact = store.build_missing({"b": layer}, tmp_path / "store", similar={"b": "last"})["b"]

    assert lent == pyc.stat().st_ino
    assert b"somebody" not in (artifact.tree / "python/__pycache__/shared.cpython-312.pyc").read_bytes()


@pytest.mark.parametrize(
    ("room_bytes", "has_bytecode"),
    [(-1, True), (0, False), (1, False), (10_000, True)],
    ids=["never", "just", "a bit", "yes"],
)
def test_build_missing_bytecode_over_the_limit_is_dropped_if_that_helps(
    layer: Artifact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    room_bytes: int,
    has_bytecode: bool,
) -> None:
    monkeypatch.setattr(store, "LAMBDA_LIMIT_BYTES", len("x = 1\n") + room_bytes)

    artifact = store.build_missing({"a": layer}, tmp_path / "store")["a"]

    expected = ["python/__pycache__/shared.cpython-312.pyc"] if has_bytecode else []
    assert names(artifact.zip) == [*expected, "python/shared.py"]
    why = r"6 bytes, and [1-9]\d+ bytes of bytecode would put it over Lambda's limit"
    warning = rf"warning: Common: has {why}; it is built without bytecode and starts slower\n"
    assert re.fullmatch("" if has_bytecode else warning, capsys.readouterr().err)


def test_build_missing_shares_nothing_that_got_a_warning(
    layer: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone that took it from the cache would not see the warning."""
    monkeypatch.setattr(store, "LAMBDA_LIMIT_BYTES", len("x = 1\n"))

    store.build_missing({"a": layer}, tmp_path / "store", shared=SharedCache(tmp_path / "cache"))

    assert not (tmp_path / "cache").exists()


def test_build_missing_artifact_that_wants_no_bytecode_gets_none(layer: Artifact, tmp_path: Path) -> None:
    artifact = store.build_missing({"a": replace(layer, has_bytecode=False)}, tmp_path / "store")["a"]

    assert names(artifact.zip) == ["python/shared.py"]


def test_pruned_bytes_are_those_that_the_build_noted(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/pruned.json": '{"pkg/tests": 40, "*.pyi": 2}', "b/pruned.json": "damage"})

    assert [store.pruned_bytes(tmp_path, name) for name in ("a", "b", "c")] == [42, 0, 0]


def test_build_missing_requirements_that_nothing_reads_are_a_warning(
    layer: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"common/Pipfile.lock": ""})

    store.build_missing({"a": layer}, tmp_path / "store")
    store.build_missing({"b": replace(layer, is_zipped_as_is=True)}, tmp_path / "store")

    assert capsys.readouterr().err.count("common: Pipfile.lock is not read, by sam build neither; ") == 1


LOCKED = "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"


@pytest.fixture
def shared(tmp_path: Path) -> SharedCache:
    return SharedCache(tmp_path / "cache")


def test_build_missing_takes_what_another_clone_has_built(layer: Artifact, tmp_path: Path, shared: SharedCache) -> None:
    built: list[str] = []
    first = store.build_missing({"a": layer}, tmp_path / "store", shared=shared)["a"]
    write_files(tmp_path, {"common/shared.py": "x = 2\n"})  # to see that nothing is read again

    second = store.build_missing({"a": layer}, tmp_path / "other", shared=shared, on_built=built.append)["a"]

    assert built == ["Common"]
    assert second.zip.read_bytes() == first.zip.read_bytes()
    assert (second.tree / "python/shared.py").read_text() == "x = 1\n"
    assert store.pruned_bytes(tmp_path / "other", "a") == 0


def test_build_missing_damaged_entry_of_the_cache_is_built_again(
    layer: Artifact, tmp_path: Path, shared: SharedCache
) -> None:
    first = store.build_missing({"a": layer}, tmp_path / "store", shared=shared)["a"]
    [archive] = (tmp_path / "cache").glob("*/artifact.zip")
    archive.unlink()
    archive.write_bytes(b"damaged")

    second = store.build_missing({"a": layer}, tmp_path / "other", shared=shared)["a"]

    assert second.zip.read_bytes() == first.zip.read_bytes() == archive.read_bytes()


def test_build_missing_by_force_neither_takes_nor_gives(layer: Artifact, tmp_path: Path, shared: SharedCache) -> None:
    store.build_missing({"a": layer}, tmp_path / "store", shared=shared, force=True)

    assert not (tmp_path / "cache").exists()


def test_build_missing_of_another_automation_takes_nothing(
    layer: Artifact, tmp_path: Path, shared: SharedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.build_missing({"a": layer}, tmp_path / "store", shared=shared)
    monkeypatch.setattr(packages, "own_code", lambda: "another")
    write_files(tmp_path, {"common/shared.py": "x = 2\n"})

    artifact = store.build_missing({"a": layer}, tmp_path / "other", shared=shared)["a"]

    assert (artifact.tree / "python/shared.py").read_text() == "x = 2\n"


@pytest.mark.parametrize(
    ("files", "is_shared"),
    [
        ({"common/requirements.txt": LOCKED}, True),
        ({"common/requirements.txt": "# nothing\n"}, True),
        ({"common/requirements.txt": "six==1.17.0\n"}, False),
        ({"common/requirements.txt": f"{LOCKED}./lib\n", "common/lib/setup.py": ""}, False),
        ({"common/requirements.txt": f"{LOCKED}idna==3.10\n"}, False),
        ({"common/requirements.txt": "--no-such-thing\n-r missing.txt\n"}, False),
        ({"common/pylock.toml": "lock-version = '1.0'\n"}, False),
        ({"common/Pipfile.lock": "{}"}, False),
        ({}, True),
    ],
)
def test_artifact_is_shared_when_its_locks_decide_every_byte(
    layer: Artifact, tmp_path: Path, files: dict[str, str], *, is_shared: bool
) -> None:
    write_files(tmp_path, files)

    assert store._is_shareable(replace(layer, root=tmp_path)) is is_shared


def test_artifact_zipped_as_is_is_shared_whatever_its_folder_lists(layer: Artifact, tmp_path: Path) -> None:
    write_files(tmp_path, {"common/Pipfile.lock": "{}"})

    assert store._is_shareable(replace(layer, root=tmp_path, is_zipped_as_is=True))
