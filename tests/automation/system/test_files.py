import errno
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.system import files
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import write_files


def test_write_atomically_creates_folders_and_replaces_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"

    files.write_atomically(path, "one")
    files.write_atomically(path, b"two")

    assert path.read_text() == "two"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.txt"]


def test_write_atomically_sets_the_mode(tmp_path: Path) -> None:
    files.write_atomically(tmp_path / "open", "")
    files.write_atomically(tmp_path / "secret", "", mode=0o600)

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("open", "secret")] == [0o644, 0o600]


def test_write_atomically_failure_keeps_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        files.write_atomically(path, "\ud800")

    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_walk_is_sorted_and_skips_excluded_folders(tmp_path: Path) -> None:
    write_files(tmp_path, {"b/x": "", "a": "", "skip/y": ""})
    (tmp_path / "link").symlink_to(tmp_path / "b")

    walked = [path.as_posix() for path in files.walk(tmp_path, keep=lambda path: path.name != "skip")]

    assert walked == ["a", "link", "b/x"]


def test_walk_missing_folder_is_empty(tmp_path: Path) -> None:
    assert list(files.walk(tmp_path / "missing")) == []


def test_digest_tree_identifies_content_and_symlinks(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": "1", "b": "1", "c": "2"})
    (tmp_path / "d").symlink_to("a")

    digests = files.digest_tree(tmp_path)

    assert digests["a"] == digests["b"] != digests["c"]
    assert digests["d"] == files.SYMLINK


@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_digest_of_differs_for_different_sequences(left: list[bytes], right: list[bytes]) -> None:
    assert (files.digest_of(left) == files.digest_of(right)) == (left == right)


def test_signature_changes_with_every_write(tmp_path: Path) -> None:
    """The same size, a time in another folder, a new name: each counts; reading counts for nothing."""
    write_files(tmp_path, {"a": "1", "b/c": "1"})
    signatures = [files.signature(tmp_path)]
    for path in ("a", "b/c"):
        os.utime(tmp_path / path, (1, 1))
        signatures.append(files.signature(tmp_path))
    (tmp_path / "a").rename(tmp_path / "d")
    signatures.append(files.signature(tmp_path))

    assert len(set(signatures)) == 4
    assert files.signature(tmp_path) == signatures[-1]


def test_signature_does_not_follow_links(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/x": "1", "b/y": "1"})
    (tmp_path / "a" / "folder").symlink_to(tmp_path / "b")
    (tmp_path / "a" / "file").symlink_to(tmp_path / "b" / "y")
    before = files.signature(tmp_path / "a")
    write_files(tmp_path, {"b/y": "12"})

    assert files.signature(tmp_path / "a") == before


def test_signature_of_a_file_is_that_of_its_name_size_and_time(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": "12"})
    os.utime(tmp_path / "a", ns=(7, 7))

    assert files.signature(tmp_path / "a") == "a 2 7"
    assert files.signature(tmp_path / "b") == ""


def test_link_tree_gives_every_file_a_second_name(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/x": "1", "a/b/c/y": "2", "new/t/kept": ""})
    (tmp_path / "a/link").symlink_to("x")

    files.link_tree(tmp_path / "a", tmp_path / "new" / "t")
    files.link_tree(tmp_path / "a", tmp_path / "far" / "t")

    assert [path.as_posix() for path in files.walk(tmp_path / "new/t")] == ["kept", "link", "x", "b/c/y"]
    assert (tmp_path / "far/t/b/c/y").stat().st_ino == (tmp_path / "a/b/c/y").stat().st_ino
    assert files.read_link(tmp_path / "far/t/link") == "x"


def test_display_path_is_relative_below_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert files.display_path(tmp_path / "a" / "b") == "a/b"
    assert files.display_path(tmp_path.parent / "c") == str(tmp_path.parent / "c")


def test_size_bytes_counts_every_file(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": "123", "b/c": "45"})

    assert files.size_bytes(tmp_path) == 5


def test_remove_accepts_files_folders_links_and_missing_paths(tmp_path: Path) -> None:
    write_files(tmp_path, {"file": "", "folder/x": "", "kept/x": ""})
    (tmp_path / "link").symlink_to(tmp_path / "kept")

    for name in ("file", "folder", "link", "missing"):
        files.remove(tmp_path / name)

    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "x").exists()


def test_remove_with_empty_parents_stops_at_nonempty_folder(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/b/c/x": "", "a/y": ""})

    files.remove_with_empty_parents(tmp_path / "a/b/c/x", tmp_path)

    assert [path.name for path in (tmp_path / "a").iterdir()] == ["y"]


def test_remove_with_empty_folders_keeps_what_is_not_empty(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/b/c/x": "", "a/b/y": "", "a/z": "", "d/e/f/w": "", "d/e/v": "", "u": ""})

    files.remove_with_empty_folders(tmp_path, ["a/b/c/x", "a/b/y", "d/e/f/w", "u"])

    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["a", "a/z", "d", "d/e", "d/e/v"]


def test_replace_tree_replaces_old_tree_with_new_one(tmp_path: Path) -> None:
    write_files(tmp_path, {"new/x": "new", "out/x": "old", "out/y": "old", ".out.old/z": "left behind"})

    files.replace_tree(tmp_path / "new", tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert files.digest_tree(tmp_path / "out") == {"x": files.digest(b"new")}


def test_uninterrupted_delays_an_interrupt_until_its_end() -> None:
    def work() -> None:
        signal.raise_signal(signal.SIGINT)
        steps.append("after the signal")

    steps: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), files.uninterrupted():
        work()

    assert steps == ["after the signal"]
    assert signal.getsignal(signal.SIGINT) is before


def test_uninterrupted_in_another_thread_does_nothing() -> None:
    def work() -> str:
        with files.uninterrupted():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == "done"


def test_lock_held_by_another_command_raises(tmp_path: Path) -> None:
    path = tmp_path / "state" / "lock"

    with (
        files.lock(path, wait_s=1, doing="building"),
        pytest.raises(ToolError, match=r"lock: another command is building; wait for it to end and try again$"),
        files.lock(path, wait_s=0.05, doing="building"),
    ):
        pass


def test_lock_waits_until_another_command_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def end(seconds: float) -> None:
        waits.append(seconds)
        held.close()

    monkeypatch.setattr(time, "sleep", end)
    held = (tmp_path / "lock").open("a")
    files.try_lock(held)

    with files.lock(tmp_path / "lock", wait_s=60, doing="building"):
        assert waits == [0.05]


def test_lock_that_cannot_be_opened_raises(tmp_path: Path) -> None:
    message = f"^{re.escape(str(tmp_path))}: cannot be locked: Is a directory$"

    with pytest.raises(ConfigurationError, match=message), files.lock(tmp_path, wait_s=0, doing="building"):
        pass


def test_lock_of_a_file_system_without_locks_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files, "try_lock", refuse)
    message = "lock: cannot be locked: No locks available$"

    with pytest.raises(ConfigurationError, match=message), files.lock(tmp_path / "lock", wait_s=0, doing="building"):
        pass


def test_lock_is_released_when_its_block_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), files.lock(tmp_path / "lock", wait_s=1, doing="building"):
        raise OSError(errno.ENOSPC, "full")

    with files.lock(tmp_path / "lock", wait_s=0.05, doing="building"):
        pass


def test_signature_knows_the_second_name_of_a_file(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/x": "1", "b/y": "22"})
    (tmp_path / "b/x").hardlink_to(tmp_path / "a/x")
    known: files.Statuses = {}

    signatures = [files.signature(tmp_path / name, known=known) for name in "ab"]

    assert signatures == [files.signature(tmp_path / name) for name in "ab"]
    assert sorted(status.st_size for status in known.values()) == [1, 2]


def test_read_returns_every_byte(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\n\x1a" * 99_999)

    assert files.read(tmp_path / "file") == files.read(str(tmp_path / "file")) == b"a\r\n\x1a" * 99_999
