"""What every deployment checks before it knows what changes, and what it does not check again."""

import shutil
from pathlib import Path

import pytest

from automation import preparing, prove, sizes, validate
from automation.deploying import scope
from automation.system.errors import CheckFailedError
from tests.automation.deployable_shop import pass_lint


@pytest.fixture
def root(prepared_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of a project that has been prepared, in which neither proof nor sizes are made again."""
    monkeypatch.setattr(validate, "lint", pass_lint)
    monkeypatch.setattr(prove, "prove_once", lambda _project: refuse("proven"))
    monkeypatch.setattr(sizes, "measure", lambda _project: refuse("measured"))
    return shutil.copytree(prepared_shop, tmp_path / "shop", symlinks=True)


class _AgainError(Exception):
    """Something was checked."""


def refuse(what: str) -> None:
    raise _AgainError(what)


def prepare(root: Path) -> None:
    preparing.prepare(scope.read(root, "live", variables={}))


def test_prepare_of_the_same_state_checks_nothing_again(root: Path) -> None:
    prepare(root)


@pytest.mark.parametrize("path", ["shop/till/handler.py", "app.yaml", "pyproject.toml", "samconfig.toml"])
def test_prepare_after_a_change_proves_again(root: Path, path: str) -> None:
    with (root / path).open("a") as file:
        file.write("\n# changed\n")

    with pytest.raises(_AgainError, match="proven"):
        prepare(root)


def test_prepare_measures_what_was_only_proven(root: Path) -> None:
    (root / ".alchemiser/within_limits").unlink()

    with pytest.raises(_AgainError, match="measured"):
        prepare(root)


def test_prepare_after_a_lower_budget_fails_each_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(validate, "lint", pass_lint)
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("function_mb = 1,", "function_mb = 0.0001,"))

    for _ in range(2):
        with pytest.raises(CheckFailedError, match=r"size budget\(s\) exceeded"):
            prepare(root)
