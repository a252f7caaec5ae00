import json
from pathlib import Path

import pytest

from automation import sizes
from automation.project import model
from automation.project.model import LAMBDA_LIMIT_BYTES, Project
from automation.sizing.model import Sizes
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.projects import write_build, write_files
from tests.automation.weights import MB, function, layer, part, till

FITTING = {
    ".aws-sam/base": {"Code": 1_000, "Stock": 100},
    ".aws-sam/build": {"Code": 1_000, "Wheels": 2_000, "Till": 10, "Ledger": 20},
}
OVER = FITTING | {".aws-sam/base": {"Code": 600_000, "Stock": 100}}


def test_measure_effective_bytes_include_layers(shop: Project) -> None:
    write_build(shop.root, FITTING)

    measured = sizes.measure(shop).functions

    counts = {function.logical_id: (function.own.bytes, function.effective_bytes) for function in measured}
    assert counts == {"Stock": (100, 1_100), "Till": (10, 3_010), "Ledger": (20, 1_020)}


def test_measure_without_a_build_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="there is no build; run inv build"):
        sizes.measure(shop)


def test_measure_build_without_zips_leaves_it_unchanged(shop: Project) -> None:
    write_build(shop.root, FITTING)
    before = sorted((shop.root / ".aws-sam").rglob("*"))

    zipped = [artifact.zipped_bytes for artifact in sizes.measure(shop).artifacts]

    assert all(0 < count < 1_000 for count in zipped)
    assert sorted((shop.root / ".aws-sam").rglob("*")) == before


def test_measure_build_with_zips_uses_them(shop: Project) -> None:
    write_build(shop.root, FITTING)
    write_files(shop.root, {".aws-sam/build/zips/Till.zip": "x" * 77})

    zipped = {function.logical_id: function.own.zipped_bytes for function in sizes.measure(shop).functions}

    assert zipped["Till"] == 77


def test_measure_identical_artifacts_count_once_in_totals(shop: Project) -> None:
    write_build(shop.root, FITTING)

    totals = sizes.measure(shop).totals

    assert (totals.artifacts, totals.unique, totals.bytes) == (6, 5, 3_130)


def test_measure_function_missing_from_the_build_is_listed(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/build": {"Code": 1_000, "Wheels": 2_000, "Till": 10}})

    measured = sizes.measure(shop)

    assert [function.logical_id for function in measured.functions] == ["Stock", "Till"]
    assert measured.not_built == ("app.yaml: Ledger",)


def test_measure_layer_by_arn_is_listed_as_unmeasured(shop: Project) -> None:
    arn = "arn:aws:lambda:eu-west-1:1:layer:x:1"
    app = (shop.root / "app.yaml").read_text().replace("Layers: [!Ref Wheels]", f"Layers: ['{arn}']")
    write_files(shop.root, {"app.yaml": app})
    write_build(shop.root, FITTING)

    functions = sizes.measure(model.load(shop.root)).functions

    till_size = next(function for function in functions if function.logical_id == "Till")

    assert till_size.unmeasured_layers == (arn,)
    assert till_size.effective_bytes == 1_010


@pytest.mark.parametrize("name", ["Till", "till"])
def test_measure_names_select_functions_with_their_layers(shop: Project, name: str) -> None:
    write_build(shop.root, FITTING)

    selected = sizes.measure(shop, names=[name])

    assert [function.logical_id for function in selected.functions] == ["Till"]
    assert [layer.key for layer in selected.layers] == [("app", "Code"), ("app", "Wheels")]


def test_measure_unknown_name_is_refused_with_a_suggestion(shop: Project) -> None:
    write_build(shop.root, FITTING)

    with pytest.raises(UsageError, match="'Tll'; did you mean Till"):
        sizes.measure(shop, names=["Tll"])


def test_require_within_limits_small_artifacts_pass(shop: Project) -> None:
    write_build(shop.root, FITTING)

    sizes.require_within_limits(sizes.measure(shop))


def test_warn_if_nearly_exceeded_names_limits_80_percent_used(capsys: pytest.CaptureFixture[str]) -> None:
    sizes.warn_if_nearly_exceeded(till(part("numpy", 8 * MB), budget_bytes=10 * MB))

    warning = capsys.readouterr().err
    assert "over 80 % used: app.yaml: Wheels: the layer is 8.00 MB, its budget is 10.00 MB: 80 % used" in warning


def test_require_within_limits_under_80_percent_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    sizes.require_within_limits(till(part("numpy", 8 * MB - 1), budget_bytes=10 * MB))

    assert capsys.readouterr().err == ""


def test_require_within_limits_layer_over_budget_shows_excess_and_line(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/base": {"Code": 500_001, "Stock": 100}})

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within_limits(sizes.measure(shop))

    only = caught.value.findings[0]
    assert caught.value.exit_code == 3
    assert (only.where, len(caught.value.findings)) == ("base.yaml: Code", 1)
    assert "its budget is 500.0 kB: over by 1 B (1 bytes)" in only.what
    assert only.fix == "make layers/common/python smaller, or raise its BudgetMB at base.yaml:10"


def test_require_within_limits_over_the_default_shows_its_line(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/build": {"Code": 0, "Wheels": 0, "Till": 0, "Ledger": 1_000_001}})

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within_limits(sizes.measure(shop))

    line = (shop.root / "app.yaml").read_text().splitlines().index("  Ledger:") + 1
    assert caught.value.findings[0].where == "app.yaml: Ledger"
    fix = f"BudgetMB: …}}}} at app.yaml:{line}, or raise the default at pyproject.toml:4"
    assert fix in caught.value.findings[0].fix


def test_require_within_limits_names_the_requirement_of_the_biggest(shop: Project) -> None:
    write_files(
        shop.root,
        {
            "layers/wheels/requirements.in": "# direct\nPydantic==2.0\n",
            "layers/wheels/requirements.txt": "pydantic-core==2.1 \\\n    # via pydantic\npydantic==2.0\n",
        },
    )
    wheels = layer("wheels", part("pydantic-core", 9 * MB), part("pydantic", MB), budget_bytes=MB)

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within_limits(Sizes(layers=(wheels,), root=shop.root))

    assert "the biggest is pydantic-core 1.0, 9.00 MB" in caught.value.findings[0].what
    fix = "drop, pin or replace pydantic at layers/wheels/requirements.in:2, which needs pydantic-core"
    assert caught.value.findings[0].fix.startswith(fix)


def test_find_exceeded_function_with_layers_over_the_lambda_limit() -> None:
    first, second = layer("A", part("torch", LAMBDA_LIMIT_BYTES - 5)), layer("B", part("h11", 3))
    fits, over = function("Fits", first, second, own=2), function("Over", first, second, own=3)

    findings = sizes.find_exceeded(Sizes((fits, over), (first, second)))

    assert [finding.where for finding in findings] == ["app.yaml: Over"]
    assert "AWS's limit is 262,144,000 bytes: over by 1 B (1 bytes); Over 3 B, A 262.14 MB, B 3 B" in findings[0].what
    assert "torch 1.0, 262.14 MB in A" in findings[0].what
    assert findings[0].fix.endswith("or split the function: AWS's limit cannot be raised")


def test_find_exceeded_unmounted_layer_over_the_lambda_limit() -> None:
    findings = sizes.find_exceeded(Sizes(layers=(layer("A", part("torch", LAMBDA_LIMIT_BYTES + 1)),)))

    assert [finding.where for finding in findings] == ["app.yaml: A"]


def test_find_exceeded_without_a_budget_is_empty() -> None:
    assert sizes.find_exceeded(Sizes(layers=(layer("A", part("numpy", 10 * MB)),))) == ()


def test_compare_with_a_file_names_the_greatest_growth(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    sizes.show_json(till(part("numpy", 5 * MB, "2.1"), part("arrow", 8 * MB)))
    (shop.root / "before.json").write_text(capsys.readouterr().out)
    after = till(part("numpy", 7 * MB, "2.2"), part("arrow", 8 * MB), budget_bytes=10 * MB)

    comparison = sizes.compare(after, str(shop.root / "before.json"), shop)

    assert "the biggest is arrow 1.0, 8.00 MB" in sizes.find_exceeded(after, comparison)[0].what
    assert "before.json, numpy (2.1 -> 2.2) grew most, +2.00 MB" in sizes.find_exceeded(after, comparison)[0].what


def test_report_json_over_budget_prints_only_json_on_stdout(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, OVER)

    with pytest.raises(CheckFailedError, match=r"base\.yaml: Code: the layer is 600\.0 kB") as caught:
        sizes.report(shop, json=True)

    assert caught.value.findings == ()
    assert len(json.loads(capsys.readouterr().out)["exceeded"]) == 1


def test_report_html_writes_the_page_and_prints_its_path(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, FITTING)

    sizes.report(shop, html=True)

    assert Path(capsys.readouterr().out.strip()) == shop.root / ".alchemiser/size.html"
    assert (shop.root / ".alchemiser/size.html").read_text().startswith("<!doctype html>")


def test_report_html_over_budget_writes_the_page_first(shop: Project, tmp_path: Path) -> None:
    write_build(shop.root, OVER)

    with pytest.raises(CheckFailedError):
        sizes.report(shop, html=str(tmp_path / "page.html"))

    assert "1 budget exceeded" in (tmp_path / "page.html").read_text()


def test_report_two_formats_are_refused(shop: Project) -> None:
    with pytest.raises(UsageError, match="choose one"):
        sizes.report(shop, json=True, markdown=True)


def test_report_counts_functions_and_layers_in_tables_only(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, {".aws-sam/base": {"Code": 1, "Stock": 1}, ".aws-sam/build": {"Code": 1, "Till": 1}})
    counts = "3 functions: 2 built, 1 not built; 3 layers: 2 built, 1 not built\n"

    sizes.report(shop)
    assert capsys.readouterr().out.endswith(counts)

    sizes.report(shop, names=["Till"])
    sizes.report(shop, json=True)
    assert counts not in capsys.readouterr().out


def test_report_comment_publishes_the_markdown_before_a_limit_fails(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_build(shop.root, OVER)
    summary, event = tmp_path / "summary.md", tmp_path / "event.json"
    event.write_text("{}")
    for name, value in (("EVENT_PATH", event), ("STEP_SUMMARY", summary), ("REPOSITORY", "a/b")):
        monkeypatch.setenv(f"GITHUB_{name}", str(value))

    with pytest.raises(CheckFailedError):
        sizes.report(shop, comment=True)

    assert summary.read_text().startswith("### Size\n\n")
    assert "**Exceeded: 1**" in summary.read_text()
    assert "written to the summary of the job" in capsys.readouterr().out
