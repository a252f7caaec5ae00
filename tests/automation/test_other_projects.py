"""`automation/`, copied beside other templates, works with the tasks.py that docs/other-projects.md shows."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from automation.system import sam
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


def inv(root: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "invoke", *words]
    environ = {**os.environ, **variables}
    return subprocess.run(argv, cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=120)


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


@pytest.mark.parametrize(
    ("before", "after", "exit_code", "verdict"),
    [
        ("Folder: mail", "Folder: mail", 0, "nothing to do"),
        ("Timeout: 10", "Timeout: 20", 7, "safe"),
        ("{Type: AWS::Serverless::SimpleTable}", "{Type: AWS::SQS::Queue}", 3, "forbidden"),
    ],
)
def test_diff_against_a_file_needs_no_settings_and_no_credentials(
    elsewhere: Path, before: str, after: str, exit_code: int, verdict: str
) -> None:
    """SAM CLI is the one on PATH, because the project pins none."""
    write_files(elsewhere, {"earlier.yml": TEMPLATE, "template.yml": TEMPLATE.replace(before, after)})
    path = f"{sam.ensure(REPOSITORY).parent}{os.pathsep}{os.environ['PATH']}"

    compared = inv(elsewhere, "diff", "--against", "earlier.yml", "--json", PATH=path)

    write_files(elsewhere, {"template.yml": TEMPLATE})
    assert compared.returncode == exit_code, compared.stderr
    assert json.loads(compared.stdout)["verdict"] == verdict


@pytest.mark.slow  # cfn-lint, which lies beside our Python, takes seconds to load
def test_security_needs_neither_reasons_nor_locks(elsewhere: Path) -> None:
    """It finds what SAM adds: each function's implicit role has a managed policy."""
    path = f"{sam.ensure(REPOSITORY).parent}{os.pathsep}{os.environ['PATH']}"

    scanned = inv(elsewhere, "security", "--json", PATH=path)

    assert scanned.returncode == 3, scanned.stderr
    answer = json.loads(scanned.stdout)
    own = {(finding["resource"], finding["rule"]) for finding in answer["findings"] if finding["tool"] == "inv"}
    assert {("OrdersRole", "managed-policy"), ("Orders", "no-log-group")} < own
    assert answer["faults"] == []
    assert {"cfn-lint", "inv"} <= set(answer["tools"])


@pytest.mark.parametrize("command", ["deploy", "diff", "rollback", "releases", "status", "doctor", "secrets.check"])
def test_commands_without_an_environment_say_what_to_add(elsewhere: Path, command: str) -> None:
    finished = inv(elsewhere, command, "--env", "live")

    message = "--env: there is no environment 'live'; the environments are: none; add"
    assert finished.returncode == 2
    assert finished.stderr == f"error: {message} [tool.alchemiser.environments.<name>] to pyproject.toml\n"


def test_diff_against_a_revision_without_git_says_so(elsewhere: Path) -> None:
    compared = inv(elsewhere, "diff", "--against", "main", GIT_CEILING_DIRECTORIES=str(elsewhere.parent))

    assert compared.returncode == 4
    assert compared.stderr.startswith("error: diff --against: needs a git repository: ")
    assert compared.stderr.endswith("; run git init and commit\n")


def test_prove_fault_of_another_project_exits_3(elsewhere: Path) -> None:
    (elsewhere / "src/orders/money.py").unlink()
    inv(elsewhere, "build")

    proven = inv(elsewhere, "prove")

    assert proven.returncode == 3
    assert "money" in proven.stdout
    assert "import-fails" in proven.stdout or "undeclared-import" in proven.stdout
