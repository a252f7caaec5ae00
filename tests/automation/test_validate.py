from pathlib import Path

import pytest

from automation import validate
from automation.project import model
from automation.system.errors import CheckFailedError, ToolError
from tests.automation.deployable_shop import pass_lint
from tests.automation.projects import APP, SAMCONFIG, make_shop

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
