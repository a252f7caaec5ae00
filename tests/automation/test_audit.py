"""`inv audit`: a vulnerability fails, a reason accepts it, and a source that does not answer is exit 5, never green."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from automation import audit, checking_tasks
from automation.audit import Audit
from automation.scanning.locked_versions import Pin
from automation.scanning.pip_audit import Advisory, Answers
from automation.scanning.reasons import FILE
from automation.system.errors import CheckFailedError, ConfigurationError, ToolError
from tests.automation.projects import make_shop, write_files
from tests.automation.scanning.test_pip_audit import CLEAN, Program, dependencies
from tests.automation.test_tasks import inv

SIX, TOML = Pin("six", "1.17.0"), Pin("tomlkit", "0.13.3")
BAD = Advisory(SIX, "PYSEC-1", ("CVE-7", "GHSA-3"), ("1.18.0", "2.0"), "Reads too much.")
WHERE = "layers/wheels/requirements.txt (layer Wheels of Till); locks/dev.txt (does not ship)"
REASON = '[[reasons]]\nrules = ["pip-audit:PYSEC-1"]\nresources = ["six"]\nreason = "Not reachable."\n'
SILENT = Answers(unreached=(SIX, TOML), failure="503 Server Error")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_shop(tmp_path)
    locked = {"layers/wheels/requirements.txt": "six==1.17.0\n", "locks/dev.txt": "tomlkit==0.13.3\nsix==1.17.0\n"}
    write_files(tmp_path, locked)
    return tmp_path


def run(root: Path, answers: Answers, reasons: str = "") -> Audit:
    write_files(root, {FILE: reasons} if reasons else {})
    return audit.audit(root, ask=lambda _root, _pins: answers)


def test_audit_asks_about_each_version_once(root: Path) -> None:
    asked: list[tuple[Path, Sequence[Pin]]] = []

    def ask(place: Path, pins: Sequence[Pin]) -> Answers:
        asked.append((place, pins))
        return Answers()

    result = audit.audit(root, ask=ask)

    assert asked == [(root, [SIX, TOML])]
    assert audit.summary(result) == "2 of 2 versions of 2 locks checked: 0 finding(s), 0 accepted"
    audit.require_clean(result)


def test_audit_vulnerability_names_version_advisory_fixes_locks_and_what_ships_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(root, Answers(advisories=(BAD,)))
    audit.show(result)

    assert capsys.readouterr().out == (
        "layers/wheels/requirements.txt:1: six: pip-audit:PYSEC-1: six 1.17.0 has the vulnerability PYSEC-1, also known"
        f" as CVE-7, GHSA-3; locked in {WHERE}: Reads too much.; fixed in 1.18.0, 2.0: raise it in pyproject.toml or"
        " requirements.in, run inv lock\n"
        "\n"
        "to accept them instead, say why and append to security-reasons.toml:\n"
        "\n"
        '[[reasons]]\nrules = ["pip-audit:PYSEC-1"]\nresources = ["six"]\nreason = "say why this is accepted"\n'
        "\n"
        "2 of 2 versions of 2 locks checked: 1 finding(s), 0 accepted\n"
    )
    with pytest.raises(CheckFailedError, match=r"audit: 1 finding\(s\) without a reason, 0 fault\(s\) in security-rea"):
        audit.require_clean(result)


def test_audit_vulnerability_of_a_tool_is_in_the_line_of_its_lock(root: Path) -> None:
    [finding] = run(root, Answers(advisories=(Advisory(TOML, "GHSA-2", (), (), ""),))).judgement.unexplained

    assert (finding.template, finding.line) == ("locks/dev.txt", 1)
    assert finding.sentence == ("tomlkit 0.13.3 has the vulnerability GHSA-2; locked in locks/dev.txt (does not ship)")
    assert finding.fix == "no version fixes it yet; use another distribution, or accept it with a reason that ends"


def test_audit_vulnerability_names_all_that_ship_one_lock(root: Path) -> None:
    app = (root / "app.yaml").read_text()
    (root / "app.yaml").write_text(app.replace("CodeUri: functions/ledger/", "CodeUri: functions/till/"))
    write_files(root, {"functions/till/requirements.txt": "rich==1.0\n"})

    [finding] = run(root, Answers(advisories=(Advisory(Pin("rich", "1.0"), "A-1", (), (), ""),))).judgement.unexplained

    assert finding.sentence.endswith("; locked in functions/till/requirements.txt (function Till, function Ledger)")


def test_audit_vulnerability_with_a_reason_is_accepted(root: Path) -> None:
    result = run(root, Answers(advisories=(BAD,)), REASON)

    audit.require_clean(result)
    assert audit.summary(result) == "2 of 2 versions of 2 locks checked: 0 finding(s), 1 accepted"


def test_audit_ended_reason_fails(root: Path) -> None:
    result = run(root, Answers(advisories=(BAD,)), f"{REASON}until = 2020-01-31\n")

    with pytest.raises(CheckFailedError, match=r"1 finding\(s\) without a reason, 1 fault\(s\)"):
        audit.require_clean(result)


def test_audit_stale_reason_fails_and_those_of_other_tools_are_left_alone(root: Path) -> None:
    result = run(root, Answers(), f'{REASON}\n[[reasons]]\nrules = ["checkov:A"]\nresources = ["B"]\nreason = "C"\n')

    assert [fault.what for fault in result.judgement.faults] == [
        "pip-audit:PYSEC-1 matches no finding",
        "six matches no finding",
    ]


def test_audit_reason_is_not_stale_when_not_everything_was_checked(root: Path) -> None:
    assert run(root, SILENT, REASON).judgement.faults == ()


def test_audit_source_that_does_not_answer_is_exit_5(root: Path) -> None:
    result = run(root, SILENT)

    assert audit.summary(result) == ("0 of 2 versions of 2 locks checked (503 Server Error): 0 finding(s), 0 accepted")
    with pytest.raises(ToolError) as raised:
        audit.require_clean(result)
    assert raised.value.exit_code == 5
    assert str(raised.value) == (
        "audit: 2 of 2 versions are not checked: the index of Python packages gave no advisories (503 Server Error);"
        " run inv audit where it can be reached"
    )


def test_audit_vulnerability_is_exit_3_although_the_source_failed_later(root: Path) -> None:
    result = run(root, Answers(advisories=(BAD,), unreached=(TOML,), failure="late"))

    with pytest.raises(CheckFailedError):
        audit.require_clean(result)


def test_audit_version_that_the_index_does_not_have_is_a_finding(root: Path) -> None:
    [finding] = run(root, Answers(unknown=(SIX,))).judgement.unexplained

    assert (finding.rule_name, finding.fix) == ("pip-audit:not-in-index", "check its name and version")
    what = "six 1.17.0 is not in the index, so nobody lists its vulnerabilities"
    assert finding.sentence == f"{what}; locked in {WHERE}"


def test_audit_requirement_without_a_version_is_a_finding(root: Path) -> None:
    write_files(root, {"functions/till/requirements.txt": "tomlkit>=1\n"})

    [finding] = run(root, Answers()).judgement.unexplained

    assert (finding.template, finding.line, finding.resource) == ("functions/till/requirements.txt", 1, "tomlkit>=1")
    assert (finding.rule_name, finding.fix) == ("pip-audit:not-pinned", "lock it: inv lock")
    assert finding.sentence == "tomlkit>=1 is not one version of the index, so its vulnerabilities are unknown"


def test_audit_project_without_locks_asks_nobody(tmp_path: Path) -> None:
    write_files(tmp_path, {"template.yaml": "Resources: {}\n"})

    result = audit.audit(tmp_path, ask=lambda _root, _pins: pytest.fail("asked"))

    audit.require_clean(result)
    assert audit.summary(result) == "no lock and no requirements.txt has a version, so nothing was checked"


def test_show_json_has_findings_locks_and_what_was_not_checked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit.show_json(run(root, Answers(advisories=(BAD,), unreached=(TOML,), failure="late")))

    printed = json.loads(capsys.readouterr().out)
    assert [finding["rule"] for finding in printed.pop("findings")] == ["PYSEC-1"]
    assert printed == {
        "format": 1,
        "faults": [],
        "locks": [
            {"path": "layers/wheels/requirements.txt", "owners": ["layer Wheels of Till"], "versions": 1},
            {"path": "locks/dev.txt", "owners": [], "versions": 2},
        ],
        "not checked": ["tomlkit==0.13.3"],
        "failure": "late",
    }


def test_show_json_complete_audit_has_no_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit.show_json(run(root, Answers()))

    printed = json.loads(capsys.readouterr().out)
    assert (printed["not checked"], printed["failure"]) == ([], None)


def test_ask_source_without_pip_audit_says_how_to_install_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))

    with pytest.raises(ConfigurationError, match="audit: pip-audit is not installed; run: python -m pip install pip-"):
        audit.ask_source(root, (SIX,))


def test_ask_source_asks_the_installed_pip_audit(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("installed")
    Program(folder, out=dependencies(CLEAN))
    monkeypatch.setenv("PATH", str(folder))

    assert audit.ask_source(root, (SIX, TOML)) == Answers(unreached=(TOML,), failure="its answer is incomplete")


@pytest.mark.parametrize(
    ("answers", "words", "code", "start"),
    [
        (Answers(), (), None, "2 of 2 versions"),
        (Answers(), ("--json",), None, "{\n"),
        (Answers(advisories=(BAD,)), (), 3, "layers/wheels/requirements.txt:1: six: "),
        (SILENT, (), 5, "0 of 2 versions"),
    ],
)
def test_inv_audit_ends_with_its_exit_code(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: Answers,
    words: tuple[str, ...],
    code: int | None,
    start: str,
) -> None:
    result = run(root, answers)
    monkeypatch.setattr(audit, "audit", lambda place: result if place == root else pytest.fail(str(place)))
    monkeypatch.setattr(checking_tasks, "ROOT", root)

    assert inv("audit", *words) == (code or 0)
    assert capsys.readouterr().out.startswith(start)
