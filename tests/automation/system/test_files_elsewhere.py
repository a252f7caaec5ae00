"""What `files` does on Windows and on file systems with fewer abilities, by the platform's flags and fakes."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from automation.system import files
from automation.system.files import WINDOWS
from tests.automation.projects import write_files


@pytest.fixture
def junctions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the junctions that a fake of Windows creates."""
    created: list[tuple[str, str]] = []
    module = SimpleNamespace(CreateJunction=lambda source, target: created.append((source, target)))
    monkeypatch.setitem(sys.modules, "_winapi", module)
    return created


def locking(problem: OSError | None, calls: list[tuple[int, int, int]]) -> SimpleNamespace:
    def lock(descriptor: int, mode: int, count: int) -> None:
        calls.append((descriptor, mode, count))
        if problem:
            raise problem

    return SimpleNamespace(LK_NBLCK=2, locking=lock)


def test_show_at_is_a_symbolic_link(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/x": "1"})

    files.show_at(tmp_path / "a", tmp_path / "b")

    assert (tmp_path / "b").readlink() == tmp_path / "a"


def test_show_at_folder_on_windows_is_a_junction(tmp_path: Path, junctions: list[tuple[str, str]]) -> None:
    write_files(tmp_path, {"a/x": "1"})

    files.show_at(tmp_path / "a" / ".." / "a", tmp_path / "b", platform=WINDOWS)

    assert junctions == [(str(tmp_path.resolve() / "a"), str(tmp_path / "b"))]


def test_show_at_file_on_windows_is_a_hard_link(tmp_path: Path, junctions: list[tuple[str, str]]) -> None:
    write_files(tmp_path, {"x": "1"})

    files.show_at(tmp_path / "x", tmp_path / "y", platform=WINDOWS)

    assert junctions == []
    assert (tmp_path / "y").stat().st_ino == (tmp_path / "x").stat().st_ino
    assert not (tmp_path / "y").is_symlink()


@pytest.mark.parametrize(("mode", "is_program"), [(0o644, False), (0o744, True), (0o654, True), (0o645, True)])
def test_is_program_reads_the_run_bits(tmp_path: Path, mode: int, is_program: bool) -> None:
    (tmp_path / "x").write_text("#!/bin/sh\n")
    (tmp_path / "x").chmod(mode)

    assert files.is_program(tmp_path / "x") is is_program


@pytest.mark.parametrize(
    ("content", "is_program"),
    [(b"#!/bin/sh\n", True), (b"\x7fELF\x02", True), (b"\x7fEL", False), (b"# text", False), (b"", False)],
)
def test_is_program_on_windows_reads_the_first_bytes(tmp_path: Path, content: bytes, is_program: bool) -> None:
    (tmp_path / "x").write_bytes(content)

    assert files.is_program(tmp_path / "x", platform=WINDOWS) is is_program


def test_is_program_on_windows_is_false_for_a_module(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(b"#!/usr/bin/env python\n")

    assert files.is_program(tmp_path / "x.py", platform=WINDOWS) is False


def test_try_lock_on_windows_locks_one_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int, int]] = []
    monkeypatch.setitem(sys.modules, "msvcrt", locking(None, calls))

    with (tmp_path / "lock").open("a") as file:
        files.try_lock(file, platform=WINDOWS)
        assert calls == [(file.fileno(), 2, 1)]


def test_try_lock_on_windows_held_lock_is_blocking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = locking(PermissionError(errno.EACCES, "denied"), [])
    monkeypatch.setitem(sys.modules, "msvcrt", module)

    with (tmp_path / "lock").open("a") as file, pytest.raises(BlockingIOError, match="denied"):
        files.try_lock(file, platform=WINDOWS)


def test_try_lock_held_by_another_file_is_blocking(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a") as file, (tmp_path / "lock").open("a") as again:
        files.try_lock(file)

        with pytest.raises(BlockingIOError):
            files.try_lock(again)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EINVAL])
def test_link_where_links_are_impossible_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    write_files(tmp_path, {"x": "1"})
    monkeypatch.setattr(os, "link", refusing(code))

    files.link(tmp_path / "x", tmp_path / "y")

    assert (tmp_path / "y").read_text() == "1"


def test_link_other_problem_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"x": "1"})
    monkeypatch.setattr(os, "link", refusing(errno.ENOSPC))

    with pytest.raises(OSError, match="full"):
        files.link(tmp_path / "x", tmp_path / "y")


def test_link_gives_options_only_where_the_system_knows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_options: list[dict[str, bool]] = []

    def link(_source: Path, _target: Path, **options: bool) -> None:
        given_options.append(options)

    monkeypatch.setattr(os, "link", link)
    files.link(tmp_path / "x", tmp_path / "y")
    monkeypatch.setattr(os, "supports_follow_symlinks", {link})
    files.link(tmp_path / "x", tmp_path / "y")

    assert given_options == [{}, {"follow_symlinks": False}]


def test_remove_junction_keeps_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A symbolic link that says it is a junction: both are unlinked, and rmtree refuses both."""
    write_files(tmp_path, {"kept/x": ""})
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    monkeypatch.setattr(Path, "is_symlink", lambda _path: False)
    monkeypatch.setattr(Path, "is_junction", lambda path: path.name == "link")

    files.remove(tmp_path / "link")

    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "x").exists()


@pytest.mark.parametrize("own", [".alchemiser", ".tools"])
def test_make_folder_of_the_automation_ignores_itself_in_git(tmp_path: Path, own: str) -> None:
    files.make_folder(tmp_path / own / "a" / "b")
    files.make_folder(tmp_path / own / "a" / "b")

    assert (tmp_path / own / "a" / "b").is_dir()
    assert [path.name for path in tmp_path.rglob(".gitignore")] == [".gitignore"]
    assert (tmp_path / own / ".gitignore").read_text() == "*\n"


def test_make_folder_keeps_what_somebody_wrote(tmp_path: Path) -> None:
    write_files(tmp_path, {".alchemiser/.gitignore": "own\n"})

    files.make_folder(tmp_path / ".alchemiser")

    assert (tmp_path / ".alchemiser" / ".gitignore").read_text() == "own\n"


def test_make_folder_elsewhere_writes_nothing(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "a" / "b")

    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_write_atomically_hides_the_folder_of_the_automation(tmp_path: Path) -> None:
    files.write_atomically(tmp_path / ".alchemiser" / "x", "1")

    assert (tmp_path / ".alchemiser" / ".gitignore").exists()


def test_lock_hides_the_folder_of_the_automation(tmp_path: Path) -> None:
    with files.lock(tmp_path / ".alchemiser" / "x", wait_s=0, doing="testing"):
        assert (tmp_path / ".alchemiser" / ".gitignore").exists()


def refusing(code: int) -> Callable[..., None]:
    def link(_source: Path, _target: Path, **_options: bool) -> None:
        raise OSError(code, "full" if code == errno.ENOSPC else "no")

    return link
