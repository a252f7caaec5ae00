"""What checkov, cfn-lint and parliament answer, as findings of one shape."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from automation.scanning import cfn_lint, checkov, parliament
from automation.scanning.model import SecurityFinding, without_duplicates
from automation.scanning.policy_documents import PolicyDocument
from automation.system.errors import ToolError
from tests.automation.scanning.small_stacks import allow, resource, role, stack

STACK = stack(Orders=resource("DynamoDB::Table"), Codea1b2c3d4e5=resource("Lambda::LayerVersion"))
TEMPLATES = {"0.json": STACK}
CHECK: dict[str, Any] = {
    "check_id": "CKV_AWS_28",
    "check_name": "Ensure backup",
    "check_result": {"evaluated_keys": ["Properties/B/C", "Properties/A", "Properties/A"]},
    "file_path": "/0.json",
    "resource": "AWS::DynamoDB::Table.Orders",
}
MATCH: dict[str, Any] = {
    "Filename": "0.json",
    "Location": {"Path": ["Resources", "Orders", "Properties"]},
    "Message": "Orders should be better.",
    "Rule": {"Id": "ES6000", "Source": "https://example.com"},
}


def report(*checks: Any, errors: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"results": {"failed_checks": list(checks), "parsing_errors": list(errors)}}


def script(folder: Path, lines: str) -> Path:
    """Write a program of these Python lines."""
    program = folder / "program"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys\n{lines}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("answer", [report(CHECK), [report(CHECK)], [report(), report(CHECK)]])
def test_checkov_finding_has_resource_line_and_property(answer: Any) -> None:
    fix = "see Properties.A, Properties.B.C"

    assert list(checkov.findings(json.dumps(answer), TEMPLATES)) == [
        SecurityFinding("template.yaml", 10, "Orders", "checkov", "CKV_AWS_28", "Ensure backup", fix)
    ]


@pytest.mark.parametrize("result", [{}, {"evaluated_keys": None}, {"evaluated_keys": []}])
def test_checkov_finding_without_properties_has_no_fix(result: Any) -> None:
    [finding] = checkov.findings(json.dumps(report({**CHECK, "check_result": result})), TEMPLATES)

    assert finding.fix == ""


def test_checkov_finding_about_a_layer_has_no_hash() -> None:
    check = {**CHECK, "resource": "AWS::Lambda::LayerVersion.Codea1b2c3d4e5"}

    [finding] = checkov.findings(json.dumps(report(check)), TEMPLATES)

    assert finding.resource == "Code"


def test_checkov_without_resources_answers_with_a_summary_only() -> None:
    assert list(checkov.findings('{"passed": 0, "failed": 0}', TEMPLATES)) == []


def test_checkov_template_that_it_cannot_read_is_a_tool_error() -> None:
    with pytest.raises(ToolError, match=r"^checkov: cannot read a\.json, b\.json$"):
        list(checkov.findings(json.dumps(report(errors=("a.json", "b.json"))), TEMPLATES))


def test_checkov_answer_that_is_not_json_is_a_tool_error() -> None:
    with pytest.raises(ToolError, match=r"^checkov: did not answer in JSON\nTraceback$"):
        list(checkov.findings("Traceback", TEMPLATES))


def test_checkov_runs_offline_and_reads_the_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BC_API_KEY", "a-key")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    answer = json.dumps(report(CHECK))
    names = '("BC_SKIP_MAPPING", "BC_API_KEY", "HOME", "PYTHONDONTWRITEBYTECODE")'
    record = f"json.dump([sys.argv[1:], [os.environ.get(name) for name in {names}]], open('seen.json', 'w'))"

    findings = checkov.scan(script(tmp_path, f"{record}\nprint('''{answer}''')"), TEMPLATES, folder=tmp_path)

    arguments, variables = json.loads((tmp_path / "seen.json").read_text())
    assert [finding.rule for finding in findings] == ["CKV_AWS_28"]
    assert variables == ["TRUE", None, str(tmp_path), None]
    assert {"--skip-download", "--soft-fail"} < set(arguments)
    assert arguments[-2:] == ["--file", "0.json"]


def test_checkov_that_fails_is_a_tool_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"--framework .*: failed with exit code 2\nbroken$"):
        checkov.scan(script(tmp_path, "sys.exit(print('broken', file=sys.stderr) or 2)"), TEMPLATES, folder=tmp_path)


@pytest.mark.parametrize(
    ("rule", "tool"),
    [
        ("ES6000", "cfn-lint-serverless"),
        ("WS1000", "cfn-lint-serverless"),
        ("E3045", "cfn-lint"),
        ("I3011", "cfn-lint"),
    ],
)
def test_cfn_lint_finding_belongs_to_the_tool_of_its_rule(rule: str, tool: str) -> None:
    match = {**MATCH, "Rule": {"Id": rule, "Source": "https://example.com"}}

    assert list(cfn_lint.findings(json.dumps([match]), TEMPLATES)) == [
        SecurityFinding("template.yaml", 10, "Orders", tool, rule, "Orders should be better", "https://example.com")
    ]


@pytest.mark.parametrize("path", [None, [], ["Resources"], ["Parameters", "Orders"]])
def test_cfn_lint_finding_about_a_template_has_no_resource(path: Any) -> None:
    match = {**MATCH, "Location": {"Path": path}, "Rule": {"Id": "W1"}}

    [finding] = cfn_lint.findings(json.dumps([match]), TEMPLATES)

    assert (finding.resource, finding.line, finding.fix) == ("", 1, "")


def test_cfn_lint_without_findings_prints_nothing() -> None:
    assert list(cfn_lint.findings("", TEMPLATES)) == []


@pytest.mark.parametrize(("problem", "shown"), [("Traceback", "Traceback"), ("", "oops")])
def test_cfn_lint_that_broke_is_a_tool_error(problem: str, shown: str) -> None:
    with pytest.raises(ToolError, match=f"^cfn-lint: failed\n{shown}$"):
        list(cfn_lint.findings("oops", TEMPLATES, problem=problem))


@pytest.mark.parametrize(
    ("with_serverless", "more"), [(True, ["--append-rules", "cfn_lint_serverless.rules"]), (False, [])]
)
def test_cfn_lint_runs_with_informational_rules(tmp_path: Path, with_serverless: bool, more: list[str]) -> None:
    record = "json.dump([sys.argv[1:], os.environ['HOME']], open('seen.json', 'w'))"
    program = script(tmp_path, f"{record}\nprint('''{json.dumps([MATCH])}''')\nsys.exit(2)")

    findings = cfn_lint.scan(program, TEMPLATES, folder=tmp_path, with_serverless=with_serverless)

    arguments, home = json.loads((tmp_path / "seen.json").read_text())
    assert home == str(tmp_path)
    assert [finding.rule for finding in findings] == ["ES6000"]
    assert arguments == [*more, "--include-checks", "I", "--format", "json", "--", "0.json"]


def test_cfn_lint_has_serverless_rules_that_are_installed_beside_it(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "cfn-lint"
    assert not cfn_lint.has_serverless_rules(program)

    (tmp_path / "lib/python3.12/site-packages/cfn_lint_serverless").mkdir(parents=True)

    assert cfn_lint.has_serverless_rules(program)


def test_parliament_finding_is_about_the_resource_of_its_policy() -> None:
    policies = [(STACK, PolicyDocument("Orders", {})), (STACK, PolicyDocument("Code", {}))]
    answer = {"rule": "RESOURCE_STAR", "title": "Unnecessary star. ", "detail": '["a:b"]', "description": "say why"}

    assert list(parliament.findings([[answer], [{**answer, "detail": ""}]], policies)) == [
        SecurityFinding(
            "template.yaml", 10, "Orders", "parliament", "RESOURCE_STAR", 'Unnecessary star: ["a:b"]', "say why"
        ),
        SecurityFinding("template.yaml", 1, "Code", "parliament", "RESOURCE_STAR", "Unnecessary star", "say why"),
    ]


def test_parliament_that_fails_is_a_tool_error(tmp_path: Path) -> None:
    """The worker cannot import parliament in our own environment."""
    with pytest.raises(ToolError, match=r": failed with exit code 1\n(.|\n)*No module named 'parliament'"):
        parliament.scan(Path(sys.executable), [stack(WorkerRole=role(allow("a:b", "*")))], folder=tmp_path)


def test_findings_that_a_tool_repeats_are_shown_once_in_order() -> None:
    later, earlier = (SecurityFinding("t.yaml", line, "A", "inv", "x", "s") for line in (9, 3))

    assert without_duplicates([later, earlier, later]) == (earlier, later)
