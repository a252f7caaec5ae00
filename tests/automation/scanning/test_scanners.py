import json
import sys
from pathlib import Path

import pytest

from automation.scanning import scanners
from automation.system import tools
from tests.automation.scanning.small_stacks import allow, resource, role, stack

CHECK = {
    "check_id": "CKV_1",
    "check_name": "Ensure",
    "check_result": {},
    "file_path": "/0.json",
    "resource": "AWS::IAM::Role.WorkerRole",
}
MATCH = {
    "Filename": "1.json",
    "Location": {"Path": ["Resources", "Orders"]},
    "Message": "Orders is odd",
    "Rule": {"Id": "E1"},
}
STACKS = (stack("app", WorkerRole=role(allow("a:b", "*"))), stack("base", Orders=resource("SQS::Queue")))


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is PATH, and beside which no program lies."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "python"))
    return folder


def write_program(folder: Path, name: str, answer: object) -> Path:
    """Write a program that prints JSON if the templates that it is given can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    lines = "import json, sys\n[json.load(open(word)) for word in sys.argv if word.endswith('.json')]"
    program.write_text(f"#!{sys._base_executable}\n{lines}\nprint('''{json.dumps(answer)}''')\n")  # type: ignore[attr-defined]
    program.chmod(0o755)
    return program


def test_scan_without_scanners_says_which_are_missing(tmp_path: Path) -> None:
    scanned = scanners.scan(tmp_path, STACKS)

    assert scanned.findings == ()
    assert scanned.tools == ()
    assert scanned.missing == ("checkov", "cfn-lint", "parliament", "cfn-lint-serverless")


def test_scan_joins_the_findings_of_the_scanners_on_path(tmp_path: Path, programs: Path) -> None:
    write_program(programs, "checkov", {"results": {"failed_checks": [CHECK]}})
    write_program(programs, "cfn-lint", [MATCH])

    scanned = scanners.scan(tmp_path, STACKS)

    assert [(finding.rule_name, finding.resource) for finding in scanned.findings] == [
        ("checkov:CKV_1", "WorkerRole"),
        ("cfn-lint:E1", "Orders"),
    ]
    assert scanned.tools == ("checkov", "cfn-lint")
    assert scanned.missing == ("parliament", "cfn-lint-serverless")


def test_scan_runs_parliament_with_the_python_of_its_script(tmp_path: Path, programs: Path) -> None:
    python = programs / "python3"
    answer = [[{"rule": "RESOURCE_STAR", "title": "star", "detail": "", "description": ""}]]
    python.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    python.chmod(0o755)
    (programs / "parliament").write_text(f"#!{python}\n")
    (programs / "parliament").chmod(0o755)

    scanned = scanners.scan(tmp_path, STACKS)

    assert [finding.rule_name for finding in scanned.findings] == ["parliament:RESOURCE_STAR"]
    assert scanned.tools == ("parliament",)


def test_scan_with_serverless_rules_names_them_as_a_tool(tmp_path: Path, programs: Path) -> None:
    write_program(programs, "cfn-lint", [])
    (tmp_path / "lib/python3.12/site-packages/cfn_lint_serverless").mkdir(parents=True)

    scanned = scanners.scan(tmp_path, STACKS)

    assert scanned.tools == ("cfn-lint", "cfn-lint-serverless")


def test_find_program_prefers_the_one_beside_our_python(tmp_path: Path, programs: Path) -> None:
    write_program(programs, "checkov", {})
    beside = write_program(tmp_path / "python", "checkov", {})

    assert tools.find_program(tmp_path, "checkov") == beside
    assert tools.find_program(tmp_path, "cfn-lint") is None


def test_find_program_prefers_the_locked_one(tmp_path: Path, programs: Path) -> None:
    write_program(programs, "checkov", {})
    locked = write_program(tmp_path / ".tools" / "checkov" / "bin", "checkov", {})
    (locked.parent / "python").touch()
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "checkov.txt").write_text("checkov==1")
    (locked.parent.parent / "made-from").write_text(tools.stamp(b"checkov==1", tools.own_python_version()))

    assert tools.find_program(tmp_path, "checkov") == locked
