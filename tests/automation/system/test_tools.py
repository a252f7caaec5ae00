from pathlib import Path

import pytest

from automation.system import tools
from automation.system.errors import ConfigurationError, ToolError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with an empty lock, so that creating the environment needs no network."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "empty.txt").write_text("")
    return tmp_path


def test_ensure_creates_working_environment(root: Path) -> None:
    environment = tools.ensure("empty", root=root)

    assert environment.path == root / ".tools" / "empty"
    assert environment.program("python3.12").exists()


def test_ensure_again_keeps_the_environment(root: Path) -> None:
    environment = tools.ensure("empty", root=root)
    (environment.path / "kept").touch()

    tools.ensure("empty", root=root)

    assert (environment.path / "kept").exists()


def test_ensure_after_lock_change_recreates_the_environment(root: Path) -> None:
    environment = tools.ensure("empty", root=root)
    (environment.path / "old").touch()
    (root / "locks" / "empty.txt").write_text("# another\n")

    tools.ensure("empty", root=root)

    assert not (environment.path / "old").exists()


def test_ensure_after_interruption_recreates_the_environment(root: Path) -> None:
    unfinished = root / ".tools" / "empty"
    (unfinished / "bin").mkdir(parents=True)
    (unfinished / "bin" / "python").touch()

    environment = tools.ensure("empty", root=root)

    assert (environment.path / "pyvenv.cfg").is_file()


def test_ensure_lock_without_hashes_raises_every_time(root: Path) -> None:
    (root / "locks" / "empty.txt").write_text("requests==2.0\n")

    with pytest.raises(ToolError, match="hash"):
        tools.ensure("empty", root=root)
    with pytest.raises(ToolError, match="hash"):
        tools.ensure("empty", root=root)


def test_ensure_without_lock_raises(root: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"locks/nothing\.txt"):
        tools.ensure("nothing", root=root)


def test_program_missing_from_environment_raises(root: Path) -> None:
    with pytest.raises(ToolError, match="sam is not in"):
        tools.ensure("empty", root=root).program("sam")


def test_stamp_changes_with_lock_and_python() -> None:
    stamps = {tools.stamp(b"a", "3.12"), tools.stamp(b"b", "3.12"), tools.stamp(b"a", "3.13")}

    assert len(stamps) == 3
