"""Real edits of real files, as editors and git make them."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automation.system import edits
from automation.system.errors import ToolError

_LOOKS = 60  # each takes half a second at most


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "code"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.py").write_text("1")
    return folder


def begin(folder: Path) -> Iterator[frozenset[Path]]:
    """Watch a folder, and pass over what the fixture has made."""
    bursts = edits.watch([folder], is_of_interest=lambda path: path.suffix == ".py")
    assert any(not next(bursts) for _ in range(_LOOKS))
    return bursts


def seen(bursts: Iterator[frozenset[Path]], *wanted: Path) -> frozenset[Path]:
    """Return what the next looks show, until all that is wanted was there."""
    shown: frozenset[Path] = frozenset()
    for _ in range(_LOOKS):
        shown |= next(bursts)
        if shown >= set(wanted):
            break
    return shown


def save_by_rename(folder: Path) -> None:
    (folder / ".a.py.new").write_text("2")
    (folder / ".a.py.new").replace(folder / "a.py")


def delete_and_create(folder: Path) -> None:
    (folder / "a.py").unlink()
    (folder / "a.py").write_text("3")


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (lambda folder: (folder / "a.py").write_text("2"), "a.py"),
        (save_by_rename, "a.py"),
        (delete_and_create, "a.py"),
        (lambda folder: (folder / "a.py").unlink(), "a.py"),
        (lambda folder: (folder / "inner/b.py").write_text("1"), "inner/b.py"),
        (lambda folder: (folder / "a.py").rename(folder / "inner/c.py"), "inner/c.py"),
    ],
    ids=["write", "rename-over", "recreate", "delete", "subfolder", "move"],
)
def test_watch_shows_an_edit(folder: Path, edit: Callable[[Path], object], name: str) -> None:
    bursts = begin(folder)

    edit(folder)

    assert folder / name in seen(bursts, folder / name)


def test_watch_shows_files_of_a_new_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "branch").mkdir()
    bursts = begin(folder)
    shutil.move(tmp_path / "branch", folder / "branch")
    (folder / "a.py").write_text("2")
    seen(bursts, folder / "a.py")

    (folder / "branch/m.py").write_text("2")

    assert folder / "branch/m.py" in seen(bursts, folder / "branch/m.py")


def test_watch_shows_what_happened_while_the_caller_worked(folder: Path) -> None:
    bursts = begin(folder)
    (folder / "a.py").write_text("2")
    assert seen(bursts, folder / "a.py")

    (folder / "b.py").write_text("1")
    (folder / "a.py").write_text("3")

    assert seen(bursts, folder / "a.py", folder / "b.py") == {folder / "a.py", folder / "b.py"}


def test_watch_leaves_out_what_is_of_no_interest(folder: Path) -> None:
    bursts = begin(folder)

    (folder / "notes.txt").write_text("1")
    (folder / "a.py").write_text("2")

    assert seen(bursts, folder / "a.py") == {folder / "a.py"}


def test_watch_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="its files cannot be watched"):
        next(edits.watch([tmp_path / "missing"], is_of_interest=lambda _: True))


def test_watch_without_its_package_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)

    with pytest.raises(ToolError, match="watchfiles is not installed; run: pip install"):
        next(edits.watch([tmp_path], is_of_interest=lambda _: True))
