"""`inv security`: planted faults are red, a new finding and a stale reason too, and a reason makes it green."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from invoke.program import Program

from automation import commands, security, tasks
from automation.scanning.model import SecurityFinding
from automation.scanning.reasons import FILE
from automation.scanning.scanned_stacks import ScannedStack
from automation.scanning.scanners import Scanned
from automation.system.errors import CheckFailedError, Finding, UsageError
from tests.automation.projects import write_files

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Ref Stage}
"""
PYPROJECT = """
[tool.alchemiser.environments.live]
region = "eu-west-1"
account = "123456789012"
"""
SAMCONFIG = '[live.deploy.parameters]\nstack_name = "shop"\nparameter_overrides = "Stage=live"\n'
REASON = '[[reasons]]\nrules = ["inv:log-retention"]\nresources = ["Logs"]\nreason = "An archive."\n'
CHECKOV = SecurityFinding("template.yaml", 5, "Logs", "checkov", "CKV_AWS_66", "Ensure retention", "see A")
OWN = SecurityFinding(
    "template.yaml",
    5,
    "Logs",
    "inv",
    "log-retention",
    "keeps its logs for ever, because it has no RetentionInDays",
    "add RetentionInDays",
)


class FakeScanners:
    """Finds what it is given."""

    def __init__(self, *findings: SecurityFinding, missing: tuple[str, ...] = ()) -> None:
        self.findings = findings
        self.missing = missing
        self.stacks: tuple[ScannedStack, ...] = ()

    def __call__(self, root: Path, stacks: Sequence[ScannedStack]) -> Scanned:
        self.stacks = tuple(stacks)
        return Scanned(self.findings, ("checkov",), self.missing)


def scan(root: Path, *findings: SecurityFinding, reasons: str = "", **more: Any) -> security.Scan:
    write_files(root, {"template.yaml": TEMPLATE, **({FILE: reasons} if reasons else {})})
    return security.scan(root, variables={}, run_scanners=FakeScanners(*findings, **more))


def test_scan_without_a_reasons_file_finds_what_scanners_and_own_rules_find(tmp_path: Path) -> None:
    """As beside somebody else's project."""
    result = scan(tmp_path, CHECKOV, CHECKOV)

    assert result.judgement.unexplained == (CHECKOV, OWN)
    assert result.tools == ("checkov", "inv")


def test_scan_finding_with_a_reason_passes(tmp_path: Path) -> None:
    result = scan(tmp_path, reasons=REASON)

    security.require_clean(result)
    assert security.summary(result) == "findings: checkov 0, inv 1; 1 accepted for 1 reason(s)"


def test_scan_new_finding_fails(tmp_path: Path) -> None:
    result = scan(tmp_path, CHECKOV, reasons=REASON)

    message = "1 security finding(s) without a reason, 0 fault(s) in security-reasons.toml"
    with pytest.raises(CheckFailedError) as caught:
        security.require_clean(result)
    assert (str(caught.value), caught.value.exit_code) == (message, 3)


def test_scan_stale_reason_fails(tmp_path: Path) -> None:
    stale = REASON.replace("log-retention", "wildcard-grant").replace("Logs", "Orders")

    result = scan(tmp_path, reasons=f"{REASON}\n{stale}")

    with pytest.raises(CheckFailedError, match=r"^0 security finding\(s\) without a reason, 2 fault\(s\) in"):
        security.require_clean(result)


def test_scan_ended_reason_fails(tmp_path: Path) -> None:
    result = scan(tmp_path, reasons=f"{REASON}until = 2020-01-31\n")

    assert [fault.what for fault in result.judgement.faults] == ["the reason for inv:log-retention ended on 2020-01-31"]


def test_scan_of_an_environment_uses_its_parameters_and_region(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": TEMPLATE, "pyproject.toml": PYPROJECT, "samconfig.toml": SAMCONFIG})
    scanners = FakeScanners()

    security.scan(tmp_path, "live", variables={}, run_scanners=scanners)

    [stack] = scanners.stacks
    assert stack.resources["Logs"]["Properties"] == {"LogGroupName": "live"}
    assert stack.template["Parameters"]["Stage"]["Default"] == "live"


def test_scan_of_an_unknown_environment_names_those_that_exist(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": TEMPLATE, "pyproject.toml": PYPROJECT})

    with pytest.raises(UsageError, match="there is no environment 'test'; the environments are: live"):
        security.scan(tmp_path, "test", variables={}, run_scanners=FakeScanners())


def test_show_prints_findings_entries_and_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    security.show(scan(tmp_path, CHECKOV, missing=("parliament",)))

    assert capsys.readouterr().out == (
        "template.yaml:5: Logs: checkov:CKV_AWS_66: Ensure retention; see A\n"
        "template.yaml:5: Logs: inv:log-retention: keeps its logs for ever, because it has no RetentionInDays;"
        " add RetentionInDays\n"
        "\n"
        "to accept them instead, say why and append to security-reasons.toml:\n"
        "\n"
        '[[reasons]]\nrules = ["checkov:CKV_AWS_66"]\nresources = ["Logs"]\nreason = "say why this is accepted"\n'
        "\n"
        '[[reasons]]\nrules = ["inv:log-retention"]\nresources = ["Logs"]\nreason = "say why this is accepted"\n'
        "\n"
        "findings: checkov 1, inv 1; 0 accepted for 0 reason(s)\n"
        "not run: parliament; pin them in locks/ or install them (docs/security.md)\n"
    )


def test_show_without_findings_prints_the_summary_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    security.show(scan(tmp_path, reasons=REASON))

    assert capsys.readouterr().out == "findings: checkov 0, inv 1; 1 accepted for 1 reason(s)\n"


def test_show_prints_the_faults_of_the_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    security.show(scan(tmp_path, reasons=REASON.replace('"Logs"', '"Logs", "Old"')))

    assert "security-reasons.toml: reason 1: Old matches no finding; remove it\n" in capsys.readouterr().out


def test_show_json_has_every_finding_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = REASON.replace('"Logs"', '"Logs", "Old"')

    security.show_json(scan(tmp_path, CHECKOV, reasons=stale, missing=("parliament",)))

    place = {"template": "template.yaml", "line": 5, "resource": "Logs"}
    assert json.loads(capsys.readouterr().out) == {
        "format": 1,
        "findings": [
            {
                **place,
                "tool": "checkov",
                "rule": "CKV_AWS_66",
                "sentence": "Ensure retention",
                "fix": "see A",
                "reason": None,
            },
            {
                **place,
                "tool": "inv",
                "rule": "log-retention",
                "sentence": OWN.sentence,
                "fix": "add RetentionInDays",
                "reason": "An archive.",
            },
        ],
        "faults": [{"where": "security-reasons.toml: reason 1", "what": "Old matches no finding", "fix": "remove it"}],
        "tools": ["checkov", "inv"],
        "missing": ["parliament"],
    }


def test_as_finding_about_a_template_names_no_resource() -> None:
    finding = security.as_finding(SecurityFinding("t.yaml", 1, "", "inv", "x", "is odd", "change it"))

    assert finding == Finding("t.yaml:1", "inv:x: is odd", "change it")


def test_as_finding_shortens_a_long_sentence() -> None:
    finding = security.as_finding(SecurityFinding("t.yaml", 1, "A", "inv", "x", "word " * 100))

    assert len(finding.what) <= len("inv:x: ") + 240
    assert finding.what.endswith("word …")


@pytest.mark.parametrize(("words", "start"), [((), "template.yaml:5: Logs: "), (("--json",), "{\n")])
def test_inv_security_prints_in_the_chosen_form_and_exits_3(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    start: str,
) -> None:
    result = scan(tmp_path)
    environments: list[str] = []

    def fake_scan(root: Path, environment: str, *, variables: Mapping[str, str]) -> security.Scan:
        environments.append(environment)
        return result

    monkeypatch.setattr(security, "scan", fake_scan)

    with pytest.raises(SystemExit) as ended:
        Program(namespace=commands.assemble(tasks.collection())).run(["inv", "security", "--env", "live", *words])

    assert (ended.value.code, environments) == (3, ["live"])
    assert capsys.readouterr().out.startswith(start)
