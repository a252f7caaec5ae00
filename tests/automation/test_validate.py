from pathlib import Path

import pytest

from automation import validate
from automation.project import model
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
