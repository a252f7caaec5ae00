"""What to edit or to run so that a tree gets another distribution."""

from pathlib import Path

import pytest

from automation.proof import requirement_files
from automation.proof.requirement_files import RequirementFile
from tests.faults.bakery import put


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        (["requirements.txt"], "add a and b<2 to src/requirements.txt and run inv build"),
        (
            ["requirements.txt", "requirements.in"],
            "add a and b<2 to src/requirements.in and run inv lock and inv build",
        ),
        (["requirements.in"], "add a and b<2 to src/requirements.in and run inv lock and inv build"),
        (["uv.lock", "pyproject.toml"], "run uv add --directory src a 'b<2', then inv build"),
        (["poetry.lock", "pyproject.toml"], "run poetry add -C src a 'b<2', then inv build"),
        (["pylock.toml"], "add a and b<2 to what src/pylock.toml is made from and make it again, then run inv build"),
        (["requirements.txt", "uv.lock", "pyproject.toml"], "add a and b<2 to src/requirements.txt and run inv build"),
    ],
)
def test_of_folder_adds_where_the_build_reads(tmp_path: Path, files: list[str], advice: str) -> None:
    for name in files:
        put(tmp_path / "src" / name, "")

    file = requirement_files.of_folder("src/", tmp_path)

    assert file is not None
    assert file.add("a", "b<2") == advice


def test_of_folder_without_requirements_is_none(tmp_path: Path) -> None:
    put(tmp_path / "src" / "app.py", "")

    assert requirement_files.of_folder("src", tmp_path) is None
    assert requirement_files.to_write("src/") == RequirementFile("src/requirements.txt", "src/")


def test_advice_to_change_or_remove_suits_the_program() -> None:
    by_hand, by_uv = RequirementFile("src/requirements.txt"), RequirementFile("src/uv.lock", "src", "uv")

    assert by_hand.require("a>1") == "require a>1 in src/requirements.txt and run inv build"
    assert by_hand.remove("a") == "remove a from src/requirements.txt and run inv build"
    assert by_hand.remove("a", "b", "c") == "remove a, b and c from src/requirements.txt and run inv build"
    assert by_uv.require("a>1") == "run uv add --directory src 'a>1', then inv build"
    assert by_uv.remove("a", "b") == "run uv remove --directory src a b, then inv build"
