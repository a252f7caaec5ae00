from collections.abc import Sequence
from pathlib import Path

import pytest

from automation.building import engines
from automation.project import model
from automation.project.model import Project
from automation.system import sam
from automation.system.processes import Finished
from tests.automation.projects import write_files


class Sam:
    """Stands in for SAM CLI: keeps the folder and the variables of its last run."""

    folder = Path()
    variables: dict[str, str]

    def run(self, _program: Path, arguments: Sequence[str], *, cwd: Path, variables: dict[str, str]) -> Finished:
        self.folder, self.variables = cwd, variables
        return Finished(tuple(str(word) for word in arguments), 0, "", "", 0.0)


@pytest.fixture
def sam_cli(monkeypatch: pytest.MonkeyPatch) -> Sam:
    stand_in = Sam()
    monkeypatch.setattr(sam, "ensure", lambda root: root / "sam")
    monkeypatch.setattr(sam, "run", stand_in.run)
    return stand_in


def build(root: Path) -> Path:
    """Build the app stack of a shop with SAM; return the folder that only this stack uses."""
    stack = next(stack for stack in model.load(root).stacks if stack.name == "app")
    work = root / ".alchemiser/build/app"
    engines.build_with_sam(stack, root, parameters={}, work=work)
    return work


def test_build_with_sam_works_in_the_folder_of_its_stack(shop: Project, sam_cli: Sam) -> None:
    for folder in ("layers/common/python", "functions/till", "functions/ledger"):
        write_files(shop.root, {f"{folder}/code.py": ""})

    assert build(shop.root) == sam_cli.folder
    assert sam_cli.variables["SAM_CLI_BETA_UV_PACKAGE_MANAGER"] == "1"


def test_build_with_sam_paths_in_requirements_start_at_the_root(shop: Project, sam_cli: Sam) -> None:
    for folder in ("layers/common/python", "functions/till", "functions/ledger"):
        write_files(shop.root, {f"{folder}/code.py": ""})
    write_files(shop.root, {"lib/setup.py": "", "layers/wheels/requirements.txt": "./lib\n"})

    build(shop.root)

    assert sam_cli.folder == shop.root
