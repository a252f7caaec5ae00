"""The wheel, alone in a clean environment, gives a project of others its tasks. Every system runs these tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automation.system import tools
from tests.automation.projects import write_files

pytestmark = pytest.mark.slow  # builds and installs the wheel

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = "Scripts" if sys.platform == "win32" else "bin"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Good:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: good/, Handler: app.handler}
  Bad:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: bad/, Handler: app.handler}
"""
HANDLER = "import boto3\n\n\ndef handler(event, context): ...\n"
IMPORT_ALL = """
import importlib, pkgutil
import automation
from automation.system import packages

names = [module.name for module in pkgutil.walk_packages(automation.__path__, "automation.")]
names = [name for name in names if not name.endswith(("_worker", "_probe", ".bootstrap"))]
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as cause:
        if (cause.name or "").partition(".")[0] not in packages.EXTRAS:
            raise
print(len(names))
"""
INSTALLING = frozenset({"parity", "security", "validate"})  # a tool of a hundred MB


def run(argv: list[str | Path], cwd: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": os.pathsep.join(filter(None, [path, os.environ["PATH"]])), "PYTHONUTF8": "1"}
    environ.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        argv, cwd=cwd, env=environ, capture_output=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL
    )


def require_success(finished: subprocess.CompletedProcess[str]) -> None:
    assert finished.returncode == 0, finished.stderr


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, and return the folder of the programs."""
    folder, uv = tmp_path_factory.mktemp("wheel"), tools.uv_program()
    environment, dist = folder / "venv", folder / "dist"
    require_success(run([uv, "build", "--wheel", "--python", sys.executable, "--out-dir", dist, REPOSITORY], folder))
    require_success(run([uv, "venv", "--python", sys.executable, environment], folder))
    require_success(run([uv, "pip", "install", "--python", environment, *dist.glob("*.whl")], folder))
    return environment / PROGRAMS


def test_each_module_imports_on_this_system(programs: Path, tmp_path: Path) -> None:
    """A module of an extra may lack its package; workers are programs of their own."""
    imported = run([next(programs.glob("python*")), "-c", IMPORT_ALL], tmp_path)

    assert imported.returncode == 0, imported.stderr
    assert int(imported.stdout) > 150


@pytest.fixture(scope="module")
def first(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Return a project after its `alchemiser init`, and what that printed."""
    root = tmp_path_factory.mktemp("foreign")
    write_files(root, {"template.yaml": TEMPLATE, "good/app.py": HANDLER, "bad/app.py": f"import requests\n{HANDLER}"})
    return root, run([programs / "alchemiser", "init", "--yes"], root, str(programs))


def test_init_finds_the_planted_fault_and_nothing_else(
    first: tuple[Path, subprocess.CompletedProcess[str]], programs: Path
) -> None:
    root, started = first

    assert started.returncode == 3, started.stdout + started.stderr
    assert "written: tasks.py, noxfile.py, pyproject.toml" in started.stdout
    assert "bad/app.py:1" in started.stdout
    assert "good/app.py" not in started.stdout
    assert (root / ".alchemiser" / ".gitignore").read_text() == "*\n"

    proven = run([programs / "alchemiser", "prove", "--json"], root)
    assert proven.returncode == 3, proven.stderr
    faults = json.loads(proven.stdout)["errors"]
    assert [fault["where"] for fault in faults] == ["bad/app.py:1"]


def test_each_task_works_or_names_what_is_missing(
    first: tuple[Path, subprocess.CompletedProcess[str]], programs: Path
) -> None:
    root, _ = first
    listed = run([programs / "inv"], root)
    names = [line.partition(" ")[0] for line in listed.stdout.splitlines()[1:]]

    finished = {name: run([programs / "inv", name], root) for name in names if name not in INSTALLING}

    assert {"affected", "build", "deploy", "dlq.list", "secrets.check", "size"} <= finished.keys()
    assert [name for name, ended in finished.items() if ended.returncode == 1 or "Traceback" in ended.stderr] == []
    for name in ("doctor", "logs"):
        assert 'run: pip install "the-alchemiser[deploy]"' in finished[name].stderr


def test_requirement_that_init_advises_makes_the_fault_go_away(
    first: tuple[Path, subprocess.CompletedProcess[str]], programs: Path
) -> None:
    root, _ = first
    write_files(root, {"bad/requirements.txt": "requests==2.32.5\n"})

    proven = run([programs / "alchemiser", "prove"], root)

    assert proven.returncode == 0, proven.stdout + proven.stderr
