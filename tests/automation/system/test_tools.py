from pathlib import Path

import pytest

from automation.system import tools
from automation.system.errors import ConfigurationError, ToolError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose lock asks for nothing, so that making the environment needs no network."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "empty.txt").write_text("")
    return tmp_path


def test_ensure_makes_a_working_environment(root: Path) -> None:
    made = tools.ensure("empty", root=root)

    assert made.path == root / ".tools" / "empty"
    assert made.program("python3.12").exists()


def test_ensure_again_keeps_it(root: Path) -> None:
    made = tools.ensure("empty", root=root)
    (made.path / "kept").touch()

    tools.ensure("empty", root=root)

    assert (made.path / "kept").exists()


def test_ensure_after_the_lock_changed_makes_it_again(root: Path) -> None:
    made = tools.ensure("empty", root=root)
    (made.path / "old").touch()
    (root / "locks" / "empty.txt").write_text("# another\n")

    tools.ensure("empty", root=root)

    assert not (made.path / "old").exists()


def test_ensure_after_an_interrupted_making_makes_it_again(root: Path) -> None:
    half = root / ".tools" / "empty"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").touch()

    made = tools.ensure("empty", root=root)

    assert (made.path / "pyvenv.cfg").is_file()


def test_ensure_of_a_lock_without_hashes_fails_and_leaves_no_finished_environment(root: Path) -> None:
    (root / "locks" / "empty.txt").write_text("requests==2.0\n")

    with pytest.raises(ToolError, match="hash"):
        tools.ensure("empty", root=root)
    with pytest.raises(ToolError, match="hash"):
        tools.ensure("empty", root=root)


def test_ensure_without_lock_is_refused(root: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"locks/nothing\.txt"):
        tools.ensure("nothing", root=root)


def test_program_that_the_lock_does_not_bring_is_refused(root: Path) -> None:
    with pytest.raises(ToolError, match="sam is not in"):
        tools.ensure("empty", root=root).program("sam")


def test_stamp_changes_with_lock_and_python() -> None:
    stamps = {tools.stamp(b"a", "3.12"), tools.stamp(b"b", "3.12"), tools.stamp(b"a", "3.13")}

    assert len(stamps) == 3
