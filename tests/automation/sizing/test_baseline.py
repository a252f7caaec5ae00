import subprocess
from pathlib import Path

import pytest

from automation import sizes
from automation.building import builder, source_copies
from automation.project import model
from automation.project.model import Project
from automation.sizing import baseline
from automation.sizing.changes import ChangeStatus
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import write_build, write_files

FIRST = {".aws-sam/base": {"Code": 1_000, "Stock": 100}, ".aws-sam/build": {"Code": 1_000, "Till": 10}}
HANDLER = "shop/till/handler.py"


def git(root: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    finished = subprocess.run(["git", *author, *words], cwd=root, check=True, capture_output=True, text=True)
    return finished.stdout.strip()


@pytest.fixture
def committed(shop: Project) -> Project:
    """Put the shop in a git repository, without requirements to install."""
    (shop.root / "layers/wheels/requirements.txt").unlink()
    write_files(shop.root, {".gitignore": ".alchemiser\n.aws-sam\nfunctions\nlayers/common\n"})
    git(shop.root, "init", "--quiet")
    git(shop.root, "add", ".")
    git(shop.root, "commit", "--quiet", "-m", "first")
    return shop


def sync_and_build(shop: Project) -> Project:
    loaded = model.load(shop.root)
    source_copies.sync(loaded)
    builder.build(loaded)
    return loaded


def test_compare_with_a_revision_builds_it_and_finds_the_change(committed: Project) -> None:
    write_files(committed.root, {HANDLER: "def main(event, context):\n    return 'more'\n"})
    current = sync_and_build(committed)

    comparison = sizes.compare(sizes.measure(current), "HEAD", current)

    assert [change.logical_id for change in comparison.changed] == ["Till"]
    assert comparison.changed[0].bytes > 0
    assert comparison.label == f"HEAD ({git(committed.root, 'rev-parse', 'HEAD')[:9]})"


def test_compare_function_missing_from_the_revision_is_new(committed: Project) -> None:
    more = "\n  Fresh:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: fresh/, Handler: a.main}\n"
    write_files(
        committed.root, {"app.yaml": (committed.root / "app.yaml").read_text() + more, "fresh/a.py": "main=1\n"}
    )
    current = sync_and_build(committed)

    comparison = sizes.compare(sizes.measure(current), "HEAD", current)

    assert {change.logical_id: change.status for change in comparison.changed} == {"Fresh": ChangeStatus.NEW}


def test_load_revision_leaves_working_copy_and_build_unchanged(committed: Project) -> None:
    write_files(committed.root, {HANDLER: "changed = 1\n"})
    git(committed.root, "add", HANDLER)
    current = sync_and_build(committed)
    before = git(committed.root, "status", "--porcelain"), sizes.measure(current)

    baseline.load("HEAD", current)

    assert (git(committed.root, "status", "--porcelain"), sizes.measure(current)) == before
    assert not (committed.root / ".alchemiser/baseline").exists()


def test_load_revision_builds_no_unchanged_artifact_again(committed: Project) -> None:
    current = sync_and_build(committed)
    before = {path: path.stat().st_ino for path in (committed.root / ".alchemiser/artifacts").glob("*/*")}

    baseline.load("HEAD", current)

    after = {path: path.stat().st_ino for path in (committed.root / ".alchemiser/artifacts").glob("*/*")}
    assert after == before


def test_load_revision_that_cannot_be_built_is_refused(committed: Project) -> None:
    write_files(committed.root, {"app.yaml": "Resources: ["})
    git(committed.root, "commit", "--quiet", "-am", "broken")

    with pytest.raises(ConfigurationError, match=r"HEAD \(.*could not be built: app.yaml:2: is not valid YAML"):
        baseline.load("HEAD", committed)

    assert not (committed.root / ".alchemiser/baseline").exists()


def test_load_revision_of_a_project_in_a_subfolder_is_measured(committed: Project, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for path in ("app.yaml", "base.yaml", "pyproject.toml", "shop", "layers", "functions"):
        if (committed.root / path).exists():
            (committed.root / path).rename(inner / path)
    git(committed.root, "add", ".")
    git(committed.root, "commit", "--quiet", "-m", "moved")

    measured = baseline.load("HEAD", model.load(inner)).sizes

    assert [function.logical_id for function in measured.functions] == ["Stock", "Till", "Ledger"]


def test_load_after_a_killed_run_ignores_its_remains(committed: Project) -> None:
    current = sync_and_build(committed)
    write_files(committed.root, {".alchemiser/baseline/tree/app.yaml": "rubbish", ".alchemiser/baseline/index": "x"})

    assert len(baseline.load("HEAD", current).sizes.functions) == 3


def test_load_with_a_build_by_sam_adds_a_note(committed: Project) -> None:
    write_build(committed.root, FIRST)

    assert "part of the change is bytecode and pruning" in baseline.load("HEAD", committed).notes[0]


@pytest.mark.parametrize("reference", ["missing.json", "no-such-branch", "--help", ""])
def test_load_neither_file_nor_revision_is_refused(committed: Project, reference: str) -> None:
    with pytest.raises(UsageError, match="neither a file that inv size --json wrote nor a git revision"):
        baseline.load(reference, committed)


def test_load_outside_a_repository_is_refused(shop: Project) -> None:
    with pytest.raises(UsageError, match="nor a git revision"):
        baseline.load("HEAD", shop)
