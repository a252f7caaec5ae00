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


def test_measure_adds_each_functions_layers_to_its_own(shop: Project) -> None:
    write_build(shop.root, FITTING)

    found = {one.logical_id: (one.own.bytes, one.effective_bytes) for one in sizes.measure(shop).functions}

    assert found == {"Stock": (100, 1_100), "Till": (10, 3_010), "Ledger": (20, 1_020)}


def test_measure_without_build_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="there is no build; run inv build"):
        sizes.measure(shop)


def test_measure_build_without_zips_packs_them_elsewhere(shop: Project) -> None:
    write_build(shop.root, FITTING)
    before = sorted(shop.root.rglob("*"))

    zipped = [one.zipped_bytes for one in sizes.measure(shop).artifacts]

    assert all(0 < count < 1_000 for count in zipped)
    assert sorted(shop.root.rglob("*")) == before


def test_measure_build_with_zips_weighs_those(shop: Project) -> None:
    write_build(shop.root, FITTING)
    write_files(shop.root, {".aws-sam/build/zips/Till.zip": "x" * 77})

    found = {one.logical_id: one.own.zipped_bytes for one in sizes.measure(shop).functions}

    assert found["Till"] == 77


def test_measure_artifacts_of_one_content_count_once_in_the_totals(shop: Project) -> None:
    write_build(shop.root, FITTING)

    totals = sizes.measure(shop).totals

    assert (totals.artifacts, totals.unique, totals.bytes) == (6, 5, 3_130)


def test_measure_what_the_build_lacks_is_told_and_not_weighed(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/build": {"Code": 1_000, "Wheels": 2_000, "Till": 10}})

    measured = sizes.measure(shop)

    assert [one.logical_id for one in measured.functions] == ["Stock", "Till"]
    assert measured.not_built == ("app.yaml: Ledger",)


def test_measure_layer_from_elsewhere_is_told_as_not_measured(shop: Project) -> None:
    arn = "arn:aws:lambda:eu-west-1:1:layer:x:1"
    app = (shop.root / "app.yaml").read_text().replace("Layers: [!Ref Wheels]", f"Layers: ['{arn}']")
    write_files(shop.root, {"app.yaml": app})
    write_build(shop.root, FITTING)

    till_size = next(one for one in sizes.measure(model.load(shop.root)).functions if one.logical_id == "Till")

    assert till_size.unmeasured == (arn,)
    assert till_size.effective_bytes == 1_010


def test_measure_names_choose_functions_with_their_layers(shop: Project) -> None:
    write_build(shop.root, FITTING)

    chosen = sizes.measure(shop, names=["Till"])

    assert [one.logical_id for one in chosen.functions] == ["Till"]
    assert [one.key for one in chosen.layers] == [("app", "Code"), ("app", "Wheels")]


def test_measure_unknown_name_is_refused_with_those_there_are(shop: Project) -> None:
    write_build(shop.root, FITTING)

    with pytest.raises(UsageError, match="'Tll'; did you mean Till"):
        sizes.measure(shop, names=["Tll"])


def test_require_within_budgets_passes(shop: Project) -> None:
    write_build(shop.root, FITTING)

    sizes.require_within(sizes.measure(shop))


def test_warn_of_near_tells_what_has_used_80_percent(capsys: pytest.CaptureFixture[str]) -> None:
    sizes.warn_of_near(till(part("numpy", 8 * MB), budget_bytes=10 * MB))

    told = capsys.readouterr().err
    assert "over 80 % used: app.yaml: Wheels: the layer is 8.00 MB of its budget of 10.00 MB, 80 %" in told


def test_require_within_just_under_four_fifths_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    sizes.require_within(till(part("numpy", 8 * MB - 1), budget_bytes=10 * MB))

    assert capsys.readouterr().err == ""


def test_require_within_layer_over_its_metadata_budget_says_by_how_much_and_where(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/base": {"Code": 500_001, "Stock": 100}})

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within(sizes.measure(shop))

    only = caught.value.findings[0]
    assert caught.value.exit_code == 3
    assert (only.where, len(caught.value.findings)) == ("base.yaml: Code", 1)
    assert "of its budget of 500.0 kB, over it by 1 B (1 bytes)" in only.what
    assert only.mend == "make layers/common/python smaller, or raise its BudgetMB at base.yaml:10"


def test_require_within_function_over_the_default_says_which_line_sets_it(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/build": {"Code": 0, "Wheels": 0, "Till": 0, "Ledger": 1_000_001}})

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within(sizes.measure(shop))

    line = (shop.root / "app.yaml").read_text().splitlines().index("  Ledger:") + 1
    assert caught.value.findings[0].where == "app.yaml: Ledger"
    mend = f"BudgetMB: …}}}} at app.yaml:{line}, or raise the default at pyproject.toml:4"
    assert mend in caught.value.findings[0].mend


def test_require_within_names_the_requirement_that_brings_the_biggest(shop: Project) -> None:
    write_files(
        shop.root,
        {
            "layers/wheels/requirements.in": "# asked\nPydantic==2.0\n",
            "layers/wheels/requirements.txt": "pydantic-core==2.1 \\\n    # via pydantic\npydantic==2.0\n",
        },
    )
    wheels = layer("wheels", part("pydantic-core", 9 * MB), part("pydantic", MB), budget_bytes=MB)

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within(Sizes(layers=(wheels,), root=shop.root))

    assert "the biggest is pydantic-core 1.0, 9.00 MB" in caught.value.findings[0].what
    mend = "drop, pin or replace pydantic at layers/wheels/requirements.in:2, which brings pydantic-core"
    assert caught.value.findings[0].mend.startswith(mend)


def test_excesses_function_and_layers_over_lambdas_limit_are_found() -> None:
    first, second = layer("A", part("torch", LAMBDA_LIMIT_BYTES - 5)), layer("B", part("h11", 3))
    fits, over = function("Fits", first, second, own=2), function("Over", first, second, own=3)

    found = sizes.excesses(Sizes((fits, over), (first, second)))

    assert [one.where for one in found] == ["app.yaml: Over"]
    assert "of AWS's 262,144,000 bytes, over it by 1 B (1 bytes); Over 3 B, A 262.14 MB, B 3 B" in found[0].what
    assert "torch 1.0, 262.14 MB in A" in found[0].what
    assert found[0].mend.endswith("or split the function: AWS's limit cannot be raised")


def test_excesses_layer_that_nobody_mounts_is_held_against_lambdas_limit() -> None:
    found = sizes.excesses(Sizes(layers=(layer("A", part("torch", LAMBDA_LIMIT_BYTES + 1)),)))

    assert [one.where for one in found] == ["app.yaml: A"]


def test_excesses_without_budget_are_none() -> None:
    assert sizes.excesses(Sizes(layers=(layer("A", part("numpy", 10 * MB)),))) == ()


def test_compare_with_a_file_says_what_grew_most(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    sizes.show_json(till(part("numpy", 5 * MB, "2.1"), part("arrow", 8 * MB)))
    (shop.root / "before.json").write_text(capsys.readouterr().out)
    after = till(part("numpy", 7 * MB, "2.2"), part("arrow", 8 * MB), budget_bytes=10 * MB)

    comparison = sizes.compare(after, str(shop.root / "before.json"), shop)

    assert "the biggest is arrow 1.0, 8.00 MB" in sizes.excesses(after, comparison)[0].what
    assert "before.json numpy (2.1 -> 2.2) grew most, +2.00 MB" in sizes.excesses(after, comparison)[0].what


def test_report_json_over_budget_leaves_json_alone_on_stdout(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, OVER)

    with pytest.raises(CheckFailedError, match=r"base\.yaml: Code: the layer is 600\.0 kB") as caught:
        sizes.report(shop, json=True)

    assert caught.value.findings == ()
    assert len(json.loads(capsys.readouterr().out)["exceeded"]) == 1


def test_report_html_writes_the_page_and_prints_where(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, FITTING)

    sizes.report(shop, html=True)

    assert Path(capsys.readouterr().out.strip()) == shop.root / ".alchemiser/size.html"
    assert (shop.root / ".alchemiser/size.html").read_text().startswith("<!doctype html>")


def test_report_html_over_budget_is_written_before_it_fails(shop: Project, tmp_path: Path) -> None:
    write_build(shop.root, OVER)

    with pytest.raises(CheckFailedError):
        sizes.report(shop, html=str(tmp_path / "page.html"))

    assert "1 budget exceeded" in (tmp_path / "page.html").read_text()


def test_report_two_forms_at_once_are_refused(shop: Project) -> None:
    with pytest.raises(UsageError, match="choose one"):
        sizes.report(shop, json=True, markdown=True)
