"""The contracts of import-linter fail on planted imports; `nox -s lint` checks that the real code keeps them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("the_alchemiser", "automation", "sandbox", "desk")
PLANTED = {
    "the_alchemiser/execution_v2/orders.py": "import the_alchemiser.portfolio_v2.rebalance",
    "the_alchemiser/shared/ledger/lots.py": "import the_alchemiser.shared.messaging.messages",
    "automation/project/model.py": "import automation.building.store",
    "automation/system/console.py": "import automation.project.settings",
    "sandbox/settings.py": "import desk.report",
}


def lint_imports(root: Path) -> tuple[int, str]:
    program = Path(sys.executable).with_name("lint-imports")
    finished = subprocess.run([program, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    return finished.returncode, finished.stdout


@pytest.fixture
def copied_sources(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "history"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_lint_imports_planted_imports_break_every_contract(copied_sources: Path) -> None:
    for path, line in PLANTED.items():
        with (copied_sources / path).open("a") as module:
            module.write(f"\n{line}\n")

    exit_code, output = lint_imports(copied_sources)

    assert exit_code == 1
    for contract in (
        "The desk above the sandbox, the sandbox above automation and product BROKEN",
        "A module of the product imports itself and shared, never a sibling BROKEN",
        "The floors of shared BROKEN",
        "The floors of automation BROKEN",
        "No package imports a package that imports it BROKEN",
    ):
        assert contract in output


def test_lint_imports_unknown_folder_breaks_the_floors(copied_sources: Path) -> None:
    (copied_sources / "automation" / "helpers").mkdir()
    (copied_sources / "automation" / "helpers" / "__init__.py").touch()

    exit_code, output = lint_imports(copied_sources)

    assert exit_code == 1
    assert "helpers" in output
