"""Compare our real build of a small project with a copy that looks like SAM's, and plant faults in it."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automation import parity
from automation.building import builder, source_copies
from automation.parity import Parity
from automation.project import model
from automation.project.model import Project
from automation.system.errors import CheckFailedError, ConfigurationError
from tests.automation.projects import write_build, write_files

BUILD = ".aws-sam/build"


@pytest.fixture
def built(shop: Project) -> Project:
    source_copies.sync(shop)
    builder.build(shop)
    return model.load(shop.root)


@pytest.fixture
def sams(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build like that of `sam build`: no bytecode, no zips, but requirement files and its own Metadata."""
    out = tmp_path_factory.mktemp("sams") / "out"
    ignored = shutil.ignore_patterns("__pycache__", "zips", "packed.json")
    shutil.copytree(built.root / BUILD, out, ignore=ignored)
    write_files(out, {"Wheels/python/requirements.txt": "\n", "Wheels/python/requirements.in": "\n"})
    template = out / "template.yaml"
    template.write_text(template.read_text().replace("BudgetMB: 0.25", "BudgetMB: 0.25\n      SamResourceId: Till"))
    return out


@pytest.fixture
def compare(built: Project, sams: Path) -> Callable[[], Parity]:
    return lambda: parity.compare_builds(built.stacks[1], built.root, sams)


def unexplained(result: Parity) -> list[str]:
    return [f"{finding.where} {finding.what}" for finding in result.unexplained]


def test_compare_builds_sound_builds_are_explained(compare: Callable[[], Parity]) -> None:
    parity.require_explained(compare())


def test_compare_builds_altered_file_is_a_fault(built: Project, compare: Callable[[], Parity]) -> None:
    module = built.root / BUILD / "Till/shop/till/handler.py"
    module.write_text("def main(event, context): return 1\n")

    assert "app: Till: shop/till/handler.py differs" in unexplained(compare())


def test_compare_builds_missing_file_is_a_fault(built: Project, compare: Callable[[], Parity]) -> None:
    (built.root / BUILD / "Code/python/shop/common/data/rates.json").unlink()

    assert "app: Code: python/shop/common/data/rates.json is only in SAM's artifact" in unexplained(compare())


def test_compare_builds_extra_file_is_a_fault(built: Project, compare: Callable[[], Parity]) -> None:
    write_files(built.root / BUILD, {"Till/key.pem": "secret"})

    assert "app: Till: key.pem is only in our artifact" in unexplained(compare())


def test_compare_builds_bytecode_of_another_module_is_a_fault(built: Project, compare: Callable[[], Parity]) -> None:
    path = "shop/till/__pycache__/handler.cpython-312.pyc"
    wrong = built.root / BUILD / "Ledger/shop/ledger/__pycache__/handler.cpython-312.pyc"
    (built.root / BUILD / "Till" / path).unlink()
    shutil.copyfile(wrong, built.root / BUILD / "Till" / path)

    assert f"app: Till: {path} is bytecode compiled for /var/task/shop/ledger/handler.py" in unexplained(compare())


def test_compare_builds_altered_zip_is_a_fault(built: Project, compare: Callable[[], Parity]) -> None:
    with zipfile.ZipFile(built.root / BUILD / "zips/Till.zip", "a") as archive:
        archive.writestr("stray.py", "")

    assert unexplained(compare()) == ["app: Till: stray.py differs between Till.zip and its folder"]


def test_compare_builds_missing_zip_is_a_fault(built: Project, compare: Callable[[], Parity]) -> None:
    (built.root / BUILD / "zips/Till.zip").unlink()

    assert unexplained(compare()) == ["app: Till Till.zip is missing"]


@pytest.mark.parametrize("name", ["template.yaml", "packed.json"])
def test_compare_builds_altered_template_is_a_fault(built: Project, compare: Callable[[], Parity], name: str) -> None:
    template = built.root / BUILD / name
    template.write_text(template.read_text().replace("shop.till.handler.main", "shop.till.handler.changed"))

    assert unexplained(compare()) == [f"{BUILD}/{name} Resources.Till.Properties.Handler differs from SAM's"]


def test_compare_builds_artifact_on_one_side_is_a_fault(sams: Path, compare: Callable[[], Parity]) -> None:
    shutil.rmtree(sams / "Ledger")

    assert unexplained(compare()) == [f"{BUILD}/template.yaml: Ledger is in only one of the builds"]


def test_require_explained_findings_name_every_file(built: Project, compare: Callable[[], Parity]) -> None:
    write_files(built.root / BUILD, {"Till/one.pem": "", "Ledger/two.pem": ""})

    with pytest.raises(CheckFailedError) as caught:
        parity.require_explained(compare())

    assert {"app: Till: one.pem", "app: Ledger: two.pem"} <= {finding.where for finding in caught.value.findings}


def test_compare_build_by_sam_is_refused(shop: Project) -> None:
    write_build(shop.root, {".aws-sam/base": {"Stock": 1}, BUILD: {"Till": 1}})

    with pytest.raises(ConfigurationError, match="was not built by our own builder; run inv build"):
        parity.compare(shop)


def test_compare_without_a_build_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="run inv build"):
        parity.compare(shop)


def test_show_counts_explained_differences(compare: Callable[[], Parity], capsys: pytest.CaptureFixture[str]) -> None:
    parity.show(compare())

    assert "5 differences explained, 0 unexplained" in capsys.readouterr().out
