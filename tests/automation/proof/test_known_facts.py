"""Facts that are known are not read again, and nothing that is different passes for known."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from automation.proof import known_facts, reading
from automation.proof.module_facts import Module, ModuleFacts
from automation.proof.scan import SourceCache

CODE = b"""
import sys, os, subprocess, ctypes
from .parts import *
sys.path.append("/opt/lib")
subprocess.run(["/opt/bin/tool"])
KEY = os.environ["KEY"]
def main(event, context):
    import pandas
    return open("/opt/data.json")
"""
MODULE = Module("shop.app", PurePosixPath("/var/task/shop/app.py"), is_package=False, handler="main", minor=12)
FILE = ".alchemiser/facts.pickle"


def test_read_returns_the_facts_that_were_written(tmp_path: Path) -> None:
    facts = {"a": reading.read(CODE, MODULE), "b": reading.read(b"def", MODULE)}

    known_facts.write(tmp_path, {}, facts)

    assert known_facts.read(tmp_path) == facts
    assert facts["a"].ran
    assert facts["a"].opened
    assert facts["a"].added_folders


@pytest.mark.parametrize(
    "changed",
    [
        replace(MODULE, name="shop.other"),
        replace(MODULE, file=PurePosixPath("/opt/python/shop/app.py")),
        replace(MODULE, is_package=True),
        replace(MODULE, handler="other"),
        replace(MODULE, minor=13),
    ],
)
def test_key_follows_the_identity_of_the_module(changed: Module) -> None:
    assert known_facts.key(CODE, changed) != known_facts.key(CODE, MODULE)


def test_key_follows_the_code() -> None:
    assert known_facts.key(CODE + b"#", MODULE) != known_facts.key(CODE, MODULE)
    assert known_facts.key(CODE, MODULE) == known_facts.key(CODE, replace(MODULE))


def test_read_by_another_python_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known_facts.write(tmp_path, {}, {"a": ModuleFacts()})
    monkeypatch.setattr(sys, "version", "3.13")

    assert known_facts.read(tmp_path) == {}


def test_read_by_other_rules_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known_facts.write(tmp_path, {}, {"a": ModuleFacts()})
    (tmp_path / "reading.py").write_text("# another reader")
    monkeypatch.setattr(known_facts, "__file__", str(tmp_path / "known_facts.py"))

    assert known_facts.read(tmp_path) == {}


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:-9], lambda data: data[:70] + b"x" + data[70:]])
def test_read_of_a_damaged_file_is_empty(tmp_path: Path, damage: Any) -> None:
    known_facts.write(tmp_path, {}, {"a": ModuleFacts()})
    file = tmp_path / FILE
    file.write_bytes(damage(file.read_bytes()))

    assert known_facts.read(tmp_path) == {}


@pytest.mark.parametrize("planted", [pickle.dumps(print), pickle.dumps(["a"])])
def test_read_of_anything_but_facts_is_empty(tmp_path: Path, planted: bytes) -> None:
    known_facts.write(tmp_path, {}, {"a": ModuleFacts()})
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes().split(b"\n", 1)[0] + b"\n" + planted)

    assert known_facts.read(tmp_path) == {}


def test_write_keeps_what_other_functions_use(tmp_path: Path) -> None:
    known_facts.write(tmp_path, {"a": ModuleFacts()}, {"b": ModuleFacts(changes_path=True)})

    assert known_facts.read(tmp_path) == {"a": ModuleFacts(), "b": ModuleFacts(changes_path=True)}


def test_write_without_anything_new_writes_nothing(tmp_path: Path) -> None:
    known_facts.write(tmp_path, {"a": ModuleFacts(), "b": ModuleFacts()}, {"a": ModuleFacts()})

    assert not (tmp_path / FILE).exists()


def test_write_keeps_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_facts, "_MOST", 2)

    known_facts.write(tmp_path, {"a": ModuleFacts(), "b": ModuleFacts()}, {"a": ModuleFacts(), "c": ModuleFacts()})

    assert list(known_facts.read(tmp_path)) == ["a", "c"]


def test_source_cache_takes_known_facts_and_notes_what_it_used(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(CODE)
    planted = {known_facts.key(CODE, MODULE): ModuleFacts(changes_path=True)}
    cache = SourceCache(planted)

    assert cache.read(file, MODULE) == ModuleFacts(changes_path=True)
    assert cache.used == planted


def test_source_cache_reads_a_source_that_changed(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(CODE + b"# changed")
    cache = SourceCache({known_facts.key(CODE, MODULE): ModuleFacts(changes_path=True)})

    assert cache.read(file, MODULE) == reading.read(CODE, MODULE)
    assert list(cache.used) == [known_facts.key(CODE + b"# changed", MODULE)]
