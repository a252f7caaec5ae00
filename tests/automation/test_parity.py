"""Our real build of a small project against one as SAM leaves it, with faults planted by hand."""

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
    """What `sam build` leaves of the same sources: no bytecode, no zips, requirement files, its own Metadata."""
    out = tmp_path_factory.mktemp("sams") / "out"
    kept = shutil.ignore_patterns("__pycache__", "zips", "packed.json")
    shutil.copytree(built.root / BUILD, out, ignore=kept)
    write_files(out, {"Wheels/python/requirements.txt": "\n", "Wheels/python/requirements.in": "\n"})
    template = out / "template.yaml"
    template.write_text(template.read_text().replace("BudgetMB: 0.25", "BudgetMB: 0.25\n      SamResourceId: Till"))
    return out


@pytest.fixture
def compare(built: Project, sams: Path) -> Callable[[], Parity]:
    return lambda: parity.compare_builds(built.stacks[1], built.root, sams)


def unexplained(found: Parity) -> list[str]:
    return [f"{one.where} {one.what}" for one in found.unexplained]


def test_compare_builds_sound_builds_are_all_explained(compare: Callable[[], Parity]) -> None:
    parity.require_explained(compare())


def test_compare_builds_artifact_of_ours_altered_is_named(built: Project, compare: Callable[[], Parity]) -> None:
    module = built.root / BUILD / "Till/shop/till/handler.py"
    module.write_text("def main(event, context): return 1\n")

    assert "app: Till: shop/till/handler.py differs" in unexplained(compare())


def test_compare_builds_file_of_ours_missing_is_named(built: Project, compare: Callable[[], Parity]) -> None:
    (built.root / BUILD / "Code/python/shop/common/data/rates.json").unlink()

    assert "app: Code: python/shop/common/data/rates.json is in SAM's artifact alone" in unexplained(compare())


def test_compare_builds_file_of_ours_extra_is_named(built: Project, compare: Callable[[], Parity]) -> None:
    write_files(built.root / BUILD, {"Till/key.pem": "secret"})

    assert "app: Till: key.pem is in our artifact alone" in unexplained(compare())


def test_compare_builds_bytecode_altered_is_named(built: Project, compare: Callable[[], Parity]) -> None:
    path = "Till/shop/till/__pycache__/handler.cpython-312.pyc"
    other = built.root / BUILD / "Ledger/shop/ledger/__pycache__/handler.cpython-312.pyc"
    (built.root / BUILD / path).unlink()
    shutil.copyfile(other, built.root / BUILD / path)

    assert "app: Till: shop/till/__pycache__/handler.cpython-312.pyc is bytecode of /var/task" in " ".join(
        unexplained(compare())
    )


def test_compare_builds_zip_altered_is_named(built: Project, compare: Callable[[], Parity]) -> None:
    with zipfile.ZipFile(built.root / BUILD / "zips/Till.zip", "a") as archive:
        archive.writestr("stray.py", "")

    assert unexplained(compare()) == ["app: Till: stray.py is not in Till.zip as in its folder"]


def test_compare_builds_zip_missing_is_named(built: Project, compare: Callable[[], Parity]) -> None:
    (built.root / BUILD / "zips/Till.zip").unlink()

    assert unexplained(compare()) == ["app: Till Till.zip is absent"]


@pytest.mark.parametrize("name", ["template.yaml", "packed.json"])
def test_compare_builds_template_altered_is_named(built: Project, compare: Callable[[], Parity], name: str) -> None:
    template = built.root / BUILD / name
    template.write_text(template.read_text().replace("shop.till.handler.main", "shop.till.handler.other"))

    assert unexplained(compare()) == [f"{BUILD}/{name} Resources.Till.Properties.Handler is not as in SAM's"]


def test_compare_builds_artifact_of_one_side_alone_is_named(sams: Path, compare: Callable[[], Parity]) -> None:
    shutil.rmtree(sams / "Ledger")

    assert unexplained(compare()) == [f"{BUILD}/template.yaml: Ledger is in one of the builds alone"]


def test_require_explained_names_every_file(built: Project, compare: Callable[[], Parity]) -> None:
    write_files(built.root / BUILD, {"Till/one.pem": "", "Ledger/two.pem": ""})

    with pytest.raises(CheckFailedError) as caught:
        parity.require_explained(compare())

    assert {"app: Till: one.pem", "app: Ledger: two.pem"} <= {one.where for one in caught.value.findings}


def test_compare_build_of_sams_own_is_refused(shop: Project) -> None:
    write_build(shop.root, {".aws-sam/base": {"Stock": 1}, BUILD: {"Till": 1}})

    with pytest.raises(ConfigurationError, match="is no build of our own builder's; run inv build"):
        parity.compare(shop)


def test_compare_without_a_build_says_so(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="run inv build"):
        parity.compare(shop)


def test_show_counts_what_is_explained(compare: Callable[[], Parity], capsys: pytest.CaptureFixture[str]) -> None:
    parity.show(compare())

    assert "5 differences explained, 0 not" in capsys.readouterr().out
