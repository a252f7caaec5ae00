"""actionlint and zizmor find nothing in the workflows, and find planted faults.

Slow, because both programs are installed; `nox -s security` includes it.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from automation.system import tools
from automation.system.tools import ToolEnvironment
from tests.workflows.reading import FOLDER, ROOT

pytestmark = pytest.mark.slow

INJECTED = """
      - run: .venv/bin/inv diff --env ${{ github.event.pull_request.title }} --comment
"""


@pytest.fixture(scope="module")
def programs() -> ToolEnvironment:
    return tools.ensure("workflows", root=ROOT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return the folder of a copy of the workflows."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return Path(shutil.copytree(FOLDER, tmp_path / ".github" / "workflows"))


def zizmor(programs: ToolEnvironment, folder: Path) -> set[tuple[str, str]]:
    """Return the rules and the files of zizmor's findings; it sends nothing."""
    words: list[str | Path] = [
        programs.program("zizmor"),
        "--offline",
        "--no-config",
        "--persona",
        "pedantic",
        "--format",
        "json-v1",
        folder,
    ]
    finished = subprocess.run(words, capture_output=True, text=True, check=False)
    assert finished.stdout, finished.stderr
    findings = json.loads(finished.stdout)
    return {
        (finding["ident"], Path(finding["locations"][0]["symbolic"]["key"]["Local"]["verbatim_path"]).name)
        for finding in findings
    }


def actionlint(programs: ToolEnvironment, folder: Path) -> list[str]:
    """Return actionlint's findings, one line each."""
    options = ("-oneline", "-no-color", "-shellcheck=", "-pyflakes=")
    words: list[str | Path] = [programs.program("actionlint"), *options, *sorted(folder.glob("*.yml"))]
    finished = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode in {0, 1}, finished.stderr
    return list(finished.stdout.splitlines())


def test_zizmor_finds_nothing(programs: ToolEnvironment) -> None:
    assert zizmor(programs, FOLDER) == set()


def test_actionlint_finds_nothing(programs: ToolEnvironment) -> None:
    assert actionlint(programs, FOLDER) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("staging.yml", "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        ("staging.yml", "          persist-credentials: false\n", "", "artipacked"),
        ("staging.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("pull-request.yml", "  pull_request:", "  pull_request_target:", "dangerous-triggers"),
    ],
)
def test_zizmor_finds_planted_faults(
    programs: ToolEnvironment, copy: Path, file: str, old: str, new: str, rule: str
) -> None:
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))

    assert (rule, file) in zizmor(programs, copy)


def test_both_find_an_injected_title(programs: ToolEnvironment, copy: Path) -> None:
    """Planted fault: the author of a pull request would choose what the shell runs."""
    path = copy / "pull-request.yml"
    path.write_text(f"{path.read_text().rstrip()}{INJECTED}")

    assert ("template-injection", "pull-request.yml") in zizmor(programs, copy)
    (finding,) = actionlint(programs, copy)
    assert '"github.event.pull_request.title" is potentially untrusted' in finding


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ubuntu-24.04", "ubuntu-24.40", "ubuntu-24.40"),
        ("needs: check", "needs: chek", "chek"),
        ("vars.DEPLOYMENTS", "var.DEPLOYMENTS", 'undefined variable "var"'),
        ("timeout-minutes", "timeout-minute", "timeout-minute"),
    ],
)
def test_actionlint_finds_planted_faults(
    programs: ToolEnvironment, copy: Path, old: str, new: str, message: str
) -> None:
    path = copy / "staging.yml"
    path.write_text(path.read_text().replace(old, new))

    assert any(message in finding for finding in actionlint(programs, copy))
