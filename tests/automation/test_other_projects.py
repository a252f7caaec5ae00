"""`automation/`, copied beside other templates, works with the tasks.py that docs/other-projects.md shows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.automation.projects import write_files

REPOSITORY = Path(__file__).parents[2]
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
x-defaults: &defaults {Runtime: python3.12, Timeout: 10}
Parameters:
  Machine: {Type: String, Default: x86_64}
  Folder: {Type: String, Default: mail}
Conditions:
  IsArm: !Equals [!Ref Machine, arm64]
Globals:
  Function:
    Architectures: [!If [IsArm, arm64, x86_64]]
    Environment: {Variables: {TABLE: !Ref Table}}
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, DefinitionUri: api.json}
  Orders:
    Type: AWS::Serverless::Function
    Properties: {<<: *defaults, CodeUri: src/orders/, Handler: app.handler}
  Mail:
    Type: AWS::Serverless::Function
    Properties: {<<: *defaults, CodeUri: !Sub "src/${Folder}/", Handler: main.run}
  Page:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, InlineCode: "exports.handler = 1", Handler: index.handler}
"""
SOURCES = {
    "template.yml": TEMPLATE,
    "api.json": "{}",
    "src/orders/app.py": "import os\nimport money\n\n\ndef handler(event, context):\n    return os.environ['TABLE']\n",
    "src/orders/money.py": "",
    "src/mail/main.py": "import boto3\n\n\ndef run(event, context): ...\n",
}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(REPOSITORY / "automation", root / "automation", ignore=shutil.ignore_patterns("__pycache__"))
    document = (REPOSITORY / "docs" / "other-projects.md").read_text()
    block = re.search(r"```python\n(.*?)```", document, re.DOTALL)
    assert block
    write_files(root, {**SOURCES, "tasks.py": block[1]})
    return root


def inv(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "invoke", *words]
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False, timeout=120)


def test_tasks_of_the_document_are_five_lines(elsewhere: Path) -> None:
    assert len((elsewhere / "tasks.py").read_text().splitlines()) == 5


def test_build_prove_and_size_work_beside_another_project(elsewhere: Path) -> None:
    built, proven, sized = inv(elsewhere, "build"), inv(elsewhere, "prove", "--json"), inv(elsewhere, "size", "--json")

    assert built.returncode == 0, built.stderr
    assert "2 built, 0 unchanged" in built.stdout
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert {function["name"]: function["how"] for function in json.loads(proven.stdout)["functions"]} == {
        "Orders": "imported",
        "Mail": "imported",
    }
    assert sized.returncode == 0, sized.stderr
    assert [function["name"] for function in json.loads(sized.stdout)["functions"]] == ["Orders", "Mail"]


def test_build_for_arm_reads_the_architecture_through_a_condition(elsewhere: Path) -> None:
    built = inv(elsewhere, "build", "--arch", "arm64", "--explain")

    assert "architecture: x86_64 -> arm64" in built.stdout
    assert inv(elsewhere, "build").returncode == 0


def test_prove_fault_of_another_project_exits_3(elsewhere: Path) -> None:
    (elsewhere / "src/orders/money.py").unlink()
    inv(elsewhere, "build")

    proven = inv(elsewhere, "prove")

    assert proven.returncode == 3
    assert "money" in proven.stdout
    assert "import-fails" in proven.stdout or "undeclared-import" in proven.stdout
