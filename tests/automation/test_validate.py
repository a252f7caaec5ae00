import json
import sys
from pathlib import Path

import pytest

from automation import lint_worker, validate
from automation.project import model
from automation.system import processes, tools
from automation.system.errors import CheckFailedError, Finding, ToolError
from tests.automation.deployable_shop import pass_lint
from tests.automation.projects import APP, SAMCONFIG, make_shop, write_files

ROOT = Path(__file__).parents[2]
MATCH = """[{"Filename": "t.yaml", "Level": "%s", "Location": {"Start": {"LineNumber": 7}},
  "Message": "is wrong", "Rule": {"Id": "E1"}}]"""


@pytest.mark.parametrize(("level", "count"), [("Error", 1), ("Warning", 1), ("Informational", 0)])
def test_lint_findings_are_errors_and_warnings(level: str, count: int) -> None:
    findings = validate.lint_findings(MATCH % level)

    assert [(finding.where, finding.what) for finding in findings] == [("t.yaml:7", "E1: is wrong")] * count


def test_lint_findings_of_a_linter_that_broke_are_a_tool_error() -> None:
    with pytest.raises(ToolError, match="cfn-lint: failed"):
        validate.lint_findings("Traceback", problem="Traceback")


def test_validate_reports_template_and_settings_together(tmp_path: Path) -> None:
    make_shop(
        tmp_path,
        app_yaml=APP.replace("Handler: shop.till.handler.main", "Handle: shop.till.handler.main"),
        samconfig_toml=SAMCONFIG.replace("Colour=red", "Color=red"),
    )

    with pytest.raises(CheckFailedError) as caught:
        validate.validate(model.load(tmp_path), with_sam=False)

    lines = [f"{finding.where}: {finding.what}" for finding in caught.value.findings]
    assert any("app.yaml" in line and "Handle" in line for line in lines), lines
    assert any("has no parameter Color" in line for line in lines), lines


def test_validate_once_of_what_has_passed_does_not_lint_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "lint", pass_lint)
    shop = model.load(make_shop(tmp_path))
    validate.validate_once(shop)
    record = tmp_path / ".alchemiser" / "validated"
    before = record.stat().st_mtime_ns

    validate.validate_once(shop)

    assert record.stat().st_mtime_ns == before


def test_validate_once_after_a_fault_is_planted_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "lint", pass_lint)
    shop = model.load(make_shop(tmp_path))
    validate.validate_once(shop)
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG.replace("Colour=red", "Color=red"))

    with pytest.raises(CheckFailedError):
        validate.validate_once(shop)


def test_validate_once_by_force_checks_what_has_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "lint", pass_lint)
    shop = model.load(make_shop(tmp_path))

    runs = [validate.validate_once(shop, force=force) for force in (False, False, True)]

    assert runs == [True, False, True]


def test_validate_once_with_sam_does_not_trust_a_check_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "lint", pass_lint)
    monkeypatch.setattr(validate, "refusals", lambda _stacks, _root: [Finding("app.yaml", "SAM refuses it: x")])
    shop = model.load(make_shop(tmp_path))
    validate.validate_once(shop)

    with pytest.raises(CheckFailedError):
        validate.validate_once(shop, with_sam=True)


@pytest.mark.parametrize("name", [".cfnlintrc", ".cfnlintrc.yaml", ".cfnlintrc.yml", "locks/sam.txt"])
def test_validate_once_after_a_linter_changed_checks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(validate, "lint", pass_lint)
    shop = model.load(make_shop(tmp_path))
    validate.validate_once(shop)
    write_files(tmp_path, {name: ""})

    assert validate.validate_once(shop)


@pytest.mark.parametrize(
    ("count", "shares"),
    [
        (1, [["large", "middle", "other", "small"]]),
        (2, [["large"], ["middle", "other", "small"]]),
        (9, [["large"], ["middle"], ["other"], ["small"]]),
    ],
)
def test_shared_out_gives_each_process_about_the_same(count: int, shares: list[list[str]]) -> None:
    assert validate.shared_out({"small": 1, "large": 9, "middle": 4, "other": 3}, count) == shares


FAULTS = {
    "Runtime: python3.12": "Runtime: pyton3.12",
    "RetentionPolicy: Delete": "RetentionPolicy: Deleted",
    "!GetAtt Runs.Arn": "!GetAtt Runs.Arm",
    "BatchSize: 5": "BatchSize: five",
    "!Ref SharedCodeLayer": "!Ref SharedCodeLayr",
    "Effect: Allow": "Effect: Alow",
    "VisibilityTimeout": "VisibleTimeout",
}


def test_lint_finds_what_cfn_lint_itself_finds(tmp_path: Path) -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for sound, faulty in FAULTS.items():
        text = text.replace(sound, faulty)
    queue = (
        "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {A: {Value: !GetAtt Q.Arm}, B: {Value: !GetAtt Runs.Arn}}\n"
    )
    write_files(tmp_path, {"template.yaml": text, "queue.yaml": queue})
    program = tools.installed_program("cfn-lint")
    assert program is not None

    outputs = [
        processes.run([*command, "--format", "json", "template.yaml", "queue.yaml"], cwd=tmp_path, check=False)
        for command in ([program], [sys.executable, lint_worker.__file__])
    ]

    plain, ours = outputs
    assert ours.exit_code == plain.exit_code == 2
    assert ours.stdout == plain.stdout
    matches = json.loads(plain.stdout)
    assert len({match["Rule"]["Id"] for match in matches}) >= 8
    assert sum(match["Filename"] == "queue.yaml" for match in matches) == 2


def test_lint_by_a_program_without_a_python_of_its_own_runs_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(
        tmp_path, {"bin/cfn-lint": f"#!/bin/sh\necho '{MATCH % 'Error'}'\n", "bin/python": "#!/bin/sh\nexit 127\n"}
    )
    for path in (tmp_path / "bin").iterdir():
        path.chmod(0o755)
    monkeypatch.setattr(tools, "installed_program", lambda _: tmp_path / "bin/cfn-lint")

    stacks = model.load(make_shop(tmp_path)).stacks
    with_shim = validate.lint(stacks[:1], tmp_path)
    (tmp_path / "bin/python").unlink()

    assert [finding.where for finding in with_shim] == ["t.yaml:7"]
    assert validate.lint(stacks[:1], tmp_path) == with_shim


def test_lint_returns_what_was_found_meanwhile_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "_lint", lambda paths, _root: [Finding(path, "x") for path in paths])
    stacks = model.load(make_shop(tmp_path)).stacks

    findings = validate.lint(stacks, tmp_path, meanwhile=lambda: [Finding("SAM", "x")])

    assert {finding.where for finding in findings[:-1]} == {stack.template.path for stack in stacks}
    assert findings[-1].where == "SAM"


def test_lint_worker_in_a_python_without_cfn_lint_says_so() -> None:
    finished = processes.run([sys.executable, "-S", lint_worker.__file__], cwd=ROOT, check=False)

    assert finished.exit_code == lint_worker.NOT_FOUND


def test_shared_out_nothing_needs_no_process() -> None:
    assert validate.shared_out({}) == []


def test_refusals_name_each_template_that_sam_refuses_and_why(tmp_path: Path) -> None:
    head = "Transform: AWS::Serverless-2016-10-31\nParameters: {Alias: {Type: String}}\nResources: {Fn: {"
    tail = "Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: a.b, CodeUri: ., "
    table = "[[tool.alchemiser.stacks]]\nname = '{0}'\ntemplate = '{0}.yaml'\n"
    table += "build_dir = '.aws-sam/{0}'\nconfig_env = '{0}'\n"
    write_files(
        tmp_path,
        {
            "good.yaml": f"{head}{tail}AutoPublishAlias: !Ref Alias}}}}}}\n",
            "bad.yaml": f"{head}{tail}Policies: [{{S3ReadPolicy: {{}}}}]}}}}}}\n",
            "pyproject.toml": table.format("good") + table.format("bad"),
        },
    )
    for name in ("locks", ".tools"):
        (tmp_path / name).symlink_to(ROOT / name)

    [finding] = validate.refusals(model.load(tmp_path).stacks, tmp_path)

    assert finding.where == "bad.yaml"
    assert finding.what.startswith("SAM refuses it: Resource with id [Fn] is invalid. ")
    assert "BucketName" in finding.what
