from pathlib import Path

import pytest

from automation.authoring import file_changes
from automation.authoring.file_changes import FileChanges


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "gone.py").write_bytes(b"a\r\n")
    (tmp_path / "script").write_bytes(b"b")
    (tmp_path / "script").chmod(0o755)
    return tmp_path


CHANGES = FileChanges({"old/gone.py": None, "script": "c\r\n", "new/deep/file.py": "d"})


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    paths = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777) for path in paths}


def test_written_writes_and_removes_files(root: Path) -> None:
    with file_changes.written(root, CHANGES):
        pass

    assert snapshot(root) == {"script": (b"c\r\n", 0o755), "new/deep/file.py": (b"d", 0o644)}
    assert not (root / "old").exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_written_puts_everything_back_when_the_block_fails(root: Path, error: type[BaseException]) -> None:
    before = snapshot(root)

    with pytest.raises(error), file_changes.written(root, CHANGES):
        raise error

    assert snapshot(root) == before
    assert not (root / "new").exists()


def test_written_puts_everything_back_when_a_file_cannot_be_written(root: Path) -> None:
    before = snapshot(root)

    with pytest.raises(OSError), file_changes.written(root, FileChanges({"script": "c", "script/x": "d"})):  # noqa: PT011
        pass

    assert snapshot(root) == before
