import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from automation.building import store
from automation.building.artifacts import Artifact
from automation.system.errors import AutomationError
from tests.automation.projects import write_files


@pytest.fixture
def layer(tmp_path: Path) -> Artifact:
    write_files(tmp_path, {"common/shared.py": "x = 1\n", "common/__pycache__/stale.pyc": "stale"})
    return Artifact("main", "Common", tmp_path / "common", "common", "python3.12", "x86_64", is_layer=True)


def stats(place: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}


def names(path: Path) -> list[str]:
    return sorted(zipfile.ZipFile(path).namelist())


def test_make_all_puts_layers_under_python_with_bytecode_and_nothing_stale(layer: Artifact, tmp_path: Path) -> None:
    made = store.make_all({"a": layer, "b": replace(layer, is_layer=False)}, tmp_path / "store")

    assert names(made["a"].zip) == ["python/__pycache__/shared.cpython-312.pyc", "python/shared.py"]
    assert names(made["b"].zip) == ["__pycache__/shared.cpython-312.pyc", "shared.py"]


def test_make_all_layer_as_it_stands_is_not_nested(layer: Artifact, tmp_path: Path) -> None:
    write_files(layer.source, {"python/inner.py": "", "bin/tool": ""})

    made = store.make_all({"a": replace(layer, is_as_it_stands=True)}, tmp_path / "store")["a"]

    assert names(made.zip) == [
        "__pycache__/shared.cpython-312.pyc",
        "bin/tool",
        "python/__pycache__/inner.cpython-312.pyc",
        "python/inner.py",
        "shared.py",
    ]


def test_make_all_tells_each_that_is_ready_and_touches_none_that_is_there(layer: Artifact, tmp_path: Path) -> None:
    told: list[str] = []
    store.make_all({"a": layer}, tmp_path / "store", advance=told.append)
    before = stats(tmp_path / "store")

    store.make_all({"a": layer}, tmp_path / "store", advance=told.append)

    assert told == ["Common"]
    assert stats(tmp_path / "store") == before


@pytest.mark.parametrize("name", ["tree/python/shared.py", "artifact.zip", "seal.json"])
def test_make_all_artifact_that_was_written_to_is_made_again(layer: Artifact, tmp_path: Path, name: str) -> None:
    made = store.make_all({"a": layer}, tmp_path / "store")["a"]
    before = made.zip.read_bytes()
    (tmp_path / "store" / "a" / name).write_text("damage")

    store.make_all({"a": layer}, tmp_path / "store")

    assert made.zip.read_bytes() == before
    assert (made.tree / "python" / "shared.py").read_text() == "x = 1\n"


def test_make_all_that_fails_leaves_nothing_of_its_own_and_all_that_was(layer: Artifact, tmp_path: Path) -> None:
    store.make_all({"a": layer}, tmp_path / "store")
    bad = replace(layer, source=tmp_path / "bad", called="bad")
    write_files(tmp_path, {"bad/requirements.in": "idna\n", "bad/requirements.txt": "idna==3.10\n"})

    with pytest.raises(AutomationError, match="has no hash"):
        store.make_all({"a": layer, "b": bad, "c": replace(layer, is_layer=False)}, tmp_path / "store")

    assert [path.name for path in (tmp_path / "store").iterdir()] == ["a"]


def test_forget_keeps_what_is_used_or_young(layer: Artifact, tmp_path: Path) -> None:
    place = tmp_path / "store"
    store.make_all({"old": layer, "used": replace(layer, is_layer=False), "young": replace(layer, runtime="")}, place)
    (place / ".halves.new").mkdir()
    long_ago = time.time() - 15 * 86_400
    for name in ("old", "used"):
        os.utime(place / name, (long_ago, long_ago))

    store.forget(place, keep=["used"])

    assert sorted(path.name for path in place.iterdir()) == ["used", "young"]


def test_make_all_lends_bytecode_of_a_whole_artifact_alone(layer: Artifact, tmp_path: Path) -> None:
    store.make_all({"last": layer}, tmp_path / "store")
    pyc = store.at(tmp_path / "store", "last").tree / "python/__pycache__/shared.cpython-312.pyc"
    whole = store.make_all({"a": layer}, tmp_path / "store", like={"a": "last"})["a"]
    lent = (whole.tree / pyc.relative_to(store.at(tmp_path / "store", "last").tree)).stat().st_ino

    pyc.write_bytes(b"somebody wrote here")
    made = store.make_all({"b": layer}, tmp_path / "store", like={"b": "last"})["b"]

    assert lent == pyc.stat().st_ino
    assert b"somebody" not in (made.tree / "python/__pycache__/shared.cpython-312.pyc").read_bytes()
