from collections.abc import Sequence
from pathlib import Path

import deflate
import pytest

from automation.building import artifacts, engines
from automation.building.engines import Engine
from automation.project import model
from automation.project.model import Project
from automation.system import files, sam
from automation.system.errors import ToolError
from automation.system.processes import Finished
from tests.automation.projects import write_files


class Sam:
    """Stands in for SAM CLI: keeps the arguments, the folder and the variables of its last run."""

    arguments: list[str]
    folder = Path()
    variables: dict[str, str]
    exit_code = 0

    def run(self, _program: Path, arguments: Sequence[str], *, cwd: Path, variables: dict[str, str]) -> Finished:
        self.arguments, self.folder, self.variables = [str(word) for word in arguments], cwd, variables
        return Finished(tuple(self.arguments), self.exit_code, "", "what SAM says", 0.0)


@pytest.fixture
def sam_cli(shop: Project, monkeypatch: pytest.MonkeyPatch) -> Sam:
    """Return a SAM CLI for a shop whose code folders are there."""
    for folder in ("layers/common/python", "functions/till", "functions/ledger"):
        write_files(shop.root, {f"{folder}/code.py": ""})
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


def test_build_with_sam_works_in_the_folder_of_its_stack(
    shop: Project, sam_cli: Sam, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    work = build(shop.root)

    assert work == sam_cli.folder
    folders = ["--build-dir", str(work / "out"), "--cache-dir", str(work / "cache")]
    assert sam_cli.arguments[:7] == ["build", "--template-file", str(shop.root / "app.yaml"), *folders]
    assert sam_cli.variables == {
        "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1",
        "SAM_CLI_BETA_UV_PACKAGE_MANAGER": "1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_build_with_sam_asks_about_the_region_of_the_environment(
    shop: Project, sam_cli: Sam, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv(name, "eu-west-3")

    build(shop.root)

    assert sam_cli.variables["AWS_DEFAULT_REGION"] == "eu-west-3"


def test_build_with_sam_passes_parameters_and_exclusions(shop: Project, sam_cli: Sam) -> None:
    write_files(shop.root, {"work/out/old.py": ""})
    stack = model.load(shop.root).stacks[1]

    out = engines.build_with_sam(
        stack, shop.root, parameters={"A": "1", "B": "2"}, work=shop.root / "work", excluded=("Till", "Code")
    )

    assert out == shop.root / "work/out"
    assert not out.exists(), "the last build is gone"
    excluded = ["--exclude", "Till", "--exclude", "Code"]
    assert sam_cli.arguments[9:] == ["--parameter-overrides", "A=1", "B=2", *excluded]


def test_build_with_sam_that_fails_shows_its_last_lines(shop: Project, sam_cli: Sam) -> None:
    sam_cli.exit_code = 1

    with pytest.raises(ToolError, match=r"^app\.yaml: sam build failed\nwhat SAM says$"):
        build(shop.root)


def test_identify_names_the_builder_or_the_lock_of_sam(tmp_path: Path) -> None:
    names = [engines.identify(engine, tmp_path) for engine in Engine]
    write_files(tmp_path, {"locks/sam.txt": "aws-sam-cli==1\n"})

    assert [*Engine] == ["uv", "sam"]
    assert names == [f"uv {artifacts.BUILDER}, deflate {deflate.__version__}", "sam on PATH"]
    assert engines.identify(Engine.SAM, tmp_path) == f"sam {files.digest(b'aws-sam-cli==1\n')[:12]}"


@pytest.mark.parametrize("base_dir", ["", "code"])
def test_build_with_sam_takes_code_from_the_base_dir(shop: Project, sam_cli: Sam, base_dir: str) -> None:
    for folder in ("layers/common/python", "functions/till", "functions/ledger", "layers/wheels"):
        write_files(shop.root, {f"{base_dir or '.'}/{folder}/code.py": ""})
    write_files(shop.root, {"samconfig.toml": f'[default.build.parameters]\nbase_dir = "{base_dir}"\n'})

    build(shop.root)

    expected = ["--base-dir", str(shop.root / "code")] if base_dir else []
    assert sam_cli.arguments[7:] == ["--cached", "--parallel", *expected]


def test_build_with_sam_paths_in_requirements_start_at_the_root(shop: Project, sam_cli: Sam) -> None:
    write_files(shop.root, {"lib/setup.py": "", "layers/wheels/requirements.txt": "./lib\n"})

    build(shop.root)

    assert sam_cli.folder == shop.root
