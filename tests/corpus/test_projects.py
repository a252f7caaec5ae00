"""Every project of tests/projects, built and proven as its user would, yields exactly what its expected.toml says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import expectations
from tests.corpus.expectations import Expectation

ROOT = Path(__file__).parents[2]
PROJECTS = ROOT / "tests" / "projects"
pytestmark = pytest.mark.slow
TASKS = "from automation import commands, tasks\n\nnamespace = commands.assemble(tasks.collection())\n"
TOOLS = ("runtime", "runtime.lock", "sam", "sam.lock")
FOLDERS = sorted(path.parent for path in PROJECTS.glob(f"*/{expectations.FILE}"))


class Copy:
    """A copy of a project with the tasks beside it."""

    def __init__(self, source: Path, folder: Path) -> None:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(expectations.FILE), symlinks=True)
        (folder / "tasks.py").write_text(TASKS, encoding="utf-8")
        (folder / "locks").symlink_to(ROOT / "locks")
        # One by one: a tool that a project installs itself belongs to its copy, whose path is in the tool's programs.
        (folder / ".tools").mkdir()
        for tool in TOOLS:
            if (ROOT / ".tools" / tool).exists():
                (folder / ".tools" / tool).symlink_to(ROOT / ".tools" / tool)
        self._folder = folder

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run `inv` there, and return its exit code and what it printed."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-m", "invoke", *arguments]
        ran = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
        output = ran.stdout + ran.stderr
        assert "Traceback" not in output, output
        return ran.returncode, output

    def prove(self) -> tuple[int, dict[str, Any]]:
        """Return the exit code of the proof, and the proof as JSON."""
        code, output = self.run("prove", "--json")
        return code, json.loads(output[output.index("{") : output.rindex("}") + 1])

    def write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(faults: list[dict[str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted((fault["rule"], fault["where"], fault["fix"]) for fault in faults))


@pytest.mark.parametrize("source", FOLDERS, ids=lambda folder: folder.name)
def test_project_yields_exactly_what_is_expected(source: Path, tmp_path: Path) -> None:
    expected = expectations.read(source)
    project = Copy(source, tmp_path / source.name)

    code, output = project.run("build")

    assert code == expected.build_exit, output
    for text in expected.build_says:
        assert text in output
    if expected.errors is not None:
        check_proof(project, expected)
    if expected.fixed:
        check_advice(project, expected)


def check_proof(project: Copy, expected: Expectation) -> None:
    code, proof = project.prove()

    assert found(proof["errors"]) == expected.errors
    assert found(proof["warnings"]) == expected.warnings
    assert code == expected.prove_exit
    if expected.summary:
        assert proof["counts"] == expected.summary
    if expected.prove_says:
        printed = project.run("prove")[1]
        assert [text for text in expected.prove_says if text not in printed] == []


def check_advice(project: Copy, expected: Expectation) -> None:
    for name, text in expected.fixed.items():
        project.write(name, text)

    code, output = project.run("build")
    assert code == 0, output
    code, proof = project.prove()
    assert (found(proof["errors"]), code) == ((), 0)


def test_half_of_the_projects_are_sound() -> None:
    read = [expectations.read(folder) for folder in FOLDERS]
    sound = [project.name for project in read if not (project.build_exit or project.errors or project.warnings)]

    assert len(read) >= 40
    assert len(sound) * 2 >= len(read)
