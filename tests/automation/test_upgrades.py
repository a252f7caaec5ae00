"""`inv lock --upgrade` takes newer versions, and shows what becomes larger, slower or wrong."""

import re
from pathlib import Path

import pytest

from automation import locks, upgrades
from automation.project import model
from automation.project.model import Project
from automation.system.errors import CheckFailedError, UsageError
from automation.upgrades import Move
from tests.automation.building.test_joint_installs import make_wheel
from tests.automation.projects import write_files

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Fuel:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/fuel/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
  Stove:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: functions/stove/, Handler: app.handler, Layers: [!Ref Fuel]}
"""
CODE = "from oil import burn\n\ndef handler(event, context):\n    return burn()\n"
OIL = "def burn():\n    return 1\n"


@pytest.fixture
def stove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A function and a layer of two distributions, whose index is a folder."""
    index = tmp_path / "index"
    settings = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(index), "UV_CACHE_DIR": str(tmp_path / "uv")}
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)
    make_wheel(index, "oil", {"oil/__init__.py": OIL})
    make_wheel(index, "the_wood", {"wood.py": "x = 1\n"})

    root = tmp_path / "stove"
    requirements = {"layers/fuel/requirements.in": "oil\nthe-wood\n", "layers/fuel/requirements.txt": ""}
    write_files(root, {"template.yaml": TEMPLATE, "functions/stove/app.py": CODE, **requirements})
    project = model.load(root)
    locks.lock(project)
    return project


def publish(project: Project, name: str, version: str, text: str) -> None:
    """Put a newer version into the index."""
    path = f"{name}/__init__.py" if name == "oil" else "wood.py"
    make_wheel(project.root.parent / "index", name, {path: text}, version=version)


def locked(project: Project) -> str:
    return (project.root / "layers/fuel/requirements.txt").read_text()


def test_upgrade_without_newer_versions_says_so(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    before = locked(stove)

    upgrades.upgrade(stove)

    assert locked(stove) == before
    out = capsys.readouterr().out
    assert out == "every lock has the newest versions that pyproject.toml and requirements.in allow\n"


def test_upgrade_shows_versions_bytes_imports_and_the_proof(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    publish(stove, "oil", "2", f"{OIL}{'# a longer module\n' * 500}")
    publish(stove, "the_wood", "1.5", "x = 2\n")

    upgrades.upgrade(stove)

    assert re.findall(r"^([a-z-]+)==(\S+)", locked(stove), re.MULTILINE) == [("oil", "2"), ("the-wood", "1.5")]
    out = capsys.readouterr().out
    assert re.search(r"layers/fuel/requirements.txt +oil +1 +2 *\n", out)
    assert re.search(r"layers/fuel/requirements.txt +the-wood +1 +1.5 *\n", out)
    assert re.search(r"\nFuel +\S+ k?B +\+\S+ B +\S+ kB +\+\d\S* kB\n", out)
    assert re.search(r"\nStove +\d+ ms +\d+ ms +[+-]\d+ ms\n", out)
    assert "proof: 0 error(s), 0 warning(s)\n" in out
    assert out.splitlines()[-2:] == [
        'tests: not run; write the command into pyproject.toml: [tool.alchemiser], such as tests = "nox -s tests"',
        "to go back: git checkout -- layers/fuel/requirements.txt",
    ]


def with_tests(stove: Project, code: str) -> Project:
    """Return the project with tests that are a Python text, and with a newer version of a distribution."""
    write_files(stove.root, {"check.py": code, "pyproject.toml": '[tool.alchemiser]\ntests = "python check.py oil"\n'})
    publish(stove, "oil", "2", OIL)
    return model.load(stove.root)


def test_upgrade_runs_the_tests_with_the_new_versions(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import pathlib, sys\nassert f'{sys.argv[1]}==2' in pathlib.Path('layers/fuel/requirements.txt').read_text()\n"
    )

    upgrades.upgrade(with_tests(stove, code))

    assert re.search(r"\ntests: python check.py oil passed in \d+ s\n", capsys.readouterr().out)


def test_upgrade_that_fails_the_tests_shows_their_end(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailedError, match=r"the tests fail .*: python check.py oil ended with 4\n2 failed"):
        upgrades.upgrade(with_tests(stove, "print('2 failed')\nraise SystemExit(4)\n"))

    assert capsys.readouterr().out.splitlines()[-1] == "to go back: git checkout -- layers/fuel/requirements.txt"


def test_upgrade_without_tests_runs_none(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    upgrades.upgrade(with_tests(stove, "raise SystemExit(4)\n"), is_tested=False)

    assert "tests:" not in capsys.readouterr().out


def test_upgrade_of_one_distribution_leaves_the_others(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    publish(stove, "oil", "2", OIL)
    publish(stove, "the_wood", "1.5", "x = 2\n")

    upgrades.upgrade(stove, ["The_Wood"])

    assert re.findall(r"^([a-z-]+)==(\S+)", locked(stove), re.MULTILINE) == [("oil", "1"), ("the-wood", "1.5")]
    assert "oil" not in capsys.readouterr().out


def test_upgrade_to_a_version_that_breaks_an_import_fails(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    publish(stove, "oil", "2", "def heat():\n    return 1\n")

    with pytest.raises(CheckFailedError, match=r"the new versions do not pass: 1 error\(s\) of the proof, 0") as caught:
        upgrades.upgrade(stove)

    assert "cannot import name 'burn'" in caught.value.findings[0].what
    out = capsys.readouterr().out
    assert "proof: 1 error(s)" in out
    assert out.splitlines()[-1] == "to go back: git checkout -- layers/fuel/requirements.txt"


def test_upgrade_to_a_version_over_a_budget_fails(stove: Project) -> None:
    template = stove.root / "template.yaml"
    budget = "Metadata: {BuildMethod: python3.12, Alchemiser: {BudgetMB: 0.01}}"
    template.write_text(TEMPLATE.replace("Metadata: {BuildMethod: python3.12}", budget))
    publish(stove, "oil", "2", f"{OIL}{'# a longer module\n' * 5000}")

    with pytest.raises(CheckFailedError, match=r"0 error\(s\) of the proof, 1 size budget\(s\)") as caught:
        upgrades.upgrade(model.load(stove.root))

    assert "Fuel" in caught.value.findings[0].where


@pytest.mark.parametrize("name", ["coal", "--upgrade", ""])
def test_upgrade_of_what_no_lock_has_is_refused(stove: Project, name: str) -> None:
    before = locked(stove)

    with pytest.raises(UsageError, match=rf"no lock has the distribution '{name}'"):
        upgrades.upgrade(stove, ["oil", name])

    assert locked(stove) == before


def test_upgrade_of_what_is_pinned_says_where(stove: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(
        stove.root, {"layers/fuel/requirements.in": "# fuel\noil==1  # liquid\nthe_wood[dry]==1;python_version>'3'\n"}
    )
    group = '[dependency-groups]\ndev = ["Oil==1", "oil-lamp==3", "coil==1"]\n'
    write_files(stove.root, {"pyproject.toml": group})
    publish(stove, "oil", "2", OIL)

    upgrades.upgrade(model.load(stove.root), ["oil"])

    assert capsys.readouterr().out.splitlines()[1:] == [
        "pyproject.toml:2 pins Oil==1; write another version there to move it",
        "layers/fuel/requirements.in:2 pins oil==1; write another version there to move it",
    ]
    wood = upgrades.pins(stove, ["the-wood"])
    assert wood == (("layers/fuel/requirements.in:3", "the_wood[dry]==1"),)


def test_moves_are_new_changed_and_removed_distributions_of_each_lock() -> None:
    before = {"a.txt": {"same": "1", "old": "1", "moved": "1"}, "gone.txt": {"x": "3"}}
    after = {"a.txt": {"same": "1", "new": "1", "moved": "2"}, "b.txt": {"y": "4"}}

    assert upgrades.moves(before, after) == (
        Move("a.txt", "moved", "1", "2"),
        Move("a.txt", "new", "", "1"),
        Move("a.txt", "old", "1", ""),
        Move("b.txt", "y", "", "4"),
        Move("gone.txt", "x", "3", ""),
    )


def test_lock_with_names_and_without_upgrade_says_what_to_type() -> None:
    with pytest.raises(UsageError, match="lock: locks are written as a whole; to upgrade: inv lock --upgrade numpy a"):
        locks.require_no_names(["numpy", "a"])
    locks.require_no_names([])
