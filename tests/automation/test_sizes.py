import pytest

from automation import sizes
from automation.errors import CheckFailedError, ConfigurationError
from automation.project import LAMBDA_LIMIT_BYTES, Project
from automation.sizes import FunctionSize, LayerSize, Sizes
from tests.automation.projects import write_build

FITTING = {
    ".aws-sam/base": {"Code": 1_000, "Stock": 100},
    ".aws-sam/build": {"Code": 1_000, "Wheels": 2_000, "Till": 10, "Ledger": 20},
}


def test_measure_adds_each_functions_layers_to_its_own(shop: Project) -> None:
    write_build(shop.root, FITTING)

    found = {one.logical_id: (one.own_bytes, one.effective_bytes) for one in sizes.measure(shop).functions}

    assert found == {"Stock": (100, 1_100), "Till": (10, 3_010), "Ledger": (20, 1_020)}


def test_measure_without_build_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match="there is no build; run inv build"):
        sizes.measure(shop)


def test_require_within_budgets_passes(shop: Project) -> None:
    write_build(shop.root, FITTING)

    sizes.require_within(sizes.measure(shop))


def test_require_within_layer_over_its_metadata_budget_says_by_how_much(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/base": {"Code": 500_001, "Stock": 100}})

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within(sizes.measure(shop))

    assert caught.value.exit_code == 3
    assert [one.where for one in caught.value.findings] == ["base: Code"]
    assert "over the 0.50 MB allowed by 1 bytes" in caught.value.findings[0].what


def test_require_within_function_over_its_own_budget_is_named(shop: Project) -> None:
    write_build(shop.root, FITTING | {".aws-sam/build": {"Code": 0, "Wheels": 0, "Till": 250_001, "Ledger": 999_999}})

    with pytest.raises(CheckFailedError) as caught:
        sizes.require_within(sizes.measure(shop))

    assert [one.where for one in caught.value.findings] == ["app: Till"]


def test_excesses_function_and_layers_over_lambdas_limit_are_found() -> None:
    layers = {"A": LAMBDA_LIMIT_BYTES - 5, "B": 3}
    fits = FunctionSize("app", "Fits", 2, None, layers)
    over = FunctionSize("app", "Over", 3, None, layers)

    found = sizes.excesses(Sizes((fits, over), ()))

    assert [one.where for one in found] == ["app: Over"]
    assert "by 1 bytes" in found[0].what
    assert "A, B" in found[0].what


def test_excesses_without_budget_are_none() -> None:
    assert sizes.excesses(Sizes((), (LayerSize("app", "A", 10**9, None),))) == ()


def test_measure_layer_from_elsewhere_is_told_as_not_measured(shop: Project) -> None:
    write_build(shop.root, FITTING)
    measured = FunctionSize("app", "Till", 1, None, {}, unmeasured=("arn:aws:lambda:x",))

    assert sizes.as_json(Sizes((measured,), ()))["functions"][0]["unmeasured_layers"] == ["arn:aws:lambda:x"]


def test_show_prints_both_tables(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, FITTING | {".aws-sam/base": {"Code": 600_000, "Stock": 100}})

    sizes.show(sizes.measure(shop))

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["base", "Code", "0.60", "0.50", "120", "%"] in lines
    assert ["app", "Till", "0.00", "0.25", "0.00", "0.00", "0", "%"] in lines
