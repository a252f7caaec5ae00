from dataclasses import replace
from decimal import Decimal

import pytest

from desk.backtest.analysis.robustness import COSTS_BPS, DEFINITION, SHIFTS, Robustness, Variant, Verdict, judge
from desk.backtest.statistics import Statistics

BASE = Statistics(0.5, 0.10, 0.2, 1.0, 1.5, 0.8, -0.12)


def with_cagr(cagr: float | None, sharpe: float | None = 1.0) -> Statistics:
    return replace(BASE, cagr=cagr, sharpe=sharpe)


@pytest.mark.parametrize(
    ("cagr", "sharpe", "verdict"),
    [
        (0.10, 1.0, Verdict.ROBUST),
        (0.30, 2.0, Verdict.ROBUST),
        (0.0751, 1.0, Verdict.ROBUST),
        (0.0749, 1.0, Verdict.SENSITIVE),
        (0.10, 0.74, Verdict.SENSITIVE),
        (0.0501, 1.0, Verdict.SENSITIVE),
        (0.0499, 1.0, Verdict.FRAGILE),
        (0.10, 0.49, Verdict.FRAGILE),
        (-0.10, 1.0, Verdict.FRAGILE),
        (None, 1.0, Verdict.FRAGILE),
        (0.10, None, Verdict.FRAGILE),
    ],
)
def test_judge_by_worst_variant(cagr: float | None, sharpe: float | None, verdict: Verdict) -> None:
    assert judge(BASE, [BASE, with_cagr(cagr, sharpe), BASE]) is verdict


@pytest.mark.parametrize(
    ("cagr", "sharpe", "verdict"),
    [
        (0.375, 2.0, Verdict.ROBUST),
        (0.5, 1.5, Verdict.ROBUST),
        (0.5, 1.4, Verdict.SENSITIVE),
        (0.25, 2.0, Verdict.SENSITIVE),
        (0.5, 1.0, Verdict.SENSITIVE),
        (0.5, 0.9, Verdict.FRAGILE),
    ],
)
def test_judge_is_relative_to_base_and_kind_on_the_limits(cagr: float, sharpe: float, verdict: Verdict) -> None:
    assert judge(with_cagr(0.5, 2.0), [with_cagr(cagr, sharpe)]) is verdict


@pytest.mark.parametrize(("cagr", "sharpe"), [(0.0, 1.0), (-0.1, 1.0), (None, 1.0), (0.1, 0.0), (0.1, None)])
def test_judge_base_without_gain_is_undecided(cagr: float | None, sharpe: float | None) -> None:
    assert judge(with_cagr(cagr, sharpe), [BASE]) is Verdict.UNDECIDED


def test_variants_are_a_week_of_starts_and_costs_up_to_20_basis_points() -> None:
    assert SHIFTS == (0, 1, 2, 3, 4, 5)
    assert [str(bps) for bps in COSTS_BPS] == ["0", "1", "2", "5", "10", "15", "20"]


def test_verdicts_are_the_words_of_the_definition() -> None:
    """A reader finds the word of a verdict in the sentence that is printed below it."""
    assert [verdict.value for verdict in Verdict] == ["robust", "sensitive", "fragile", "not judged"]
    assert DEFINITION == (
        "robust: in every variant, CAGR and Sharpe ratio keep at least three quarters of their value; "
        "sensitive: at least half; fragile: less than half"
    )


@pytest.mark.parametrize(
    ("starts", "costs", "verdict"),
    [
        (Verdict.ROBUST, Verdict.ROBUST, Verdict.ROBUST),
        (Verdict.ROBUST, Verdict.SENSITIVE, Verdict.SENSITIVE),
        (Verdict.FRAGILE, Verdict.SENSITIVE, Verdict.FRAGILE),
        (Verdict.UNDECIDED, Verdict.FRAGILE, Verdict.FRAGILE),
        (Verdict.UNDECIDED, Verdict.SENSITIVE, Verdict.UNDECIDED),
    ],
)
def test_robustness_verdict_is_the_worse(starts: Verdict, costs: Verdict, verdict: Verdict) -> None:
    assert Robustness((), starts, (), costs).verdict is verdict


def test_cost_per_basis_point_is_average_loss_of_cagr() -> None:
    costs = tuple(Variant("", Decimal(bps), with_cagr(cagr)) for bps, cagr in ((0, 0.12), (5, 0.11), (20, 0.04)))

    assert Robustness((), Verdict.ROBUST, costs, Verdict.ROBUST).cost_per_basis_point == pytest.approx(0.004)


def test_cost_per_basis_point_begins_with_the_lowest_costs() -> None:
    costs = tuple(Variant("", Decimal(bps), with_cagr(cagr)) for bps, cagr in ((5, 0.12), (20, 0.06)))

    assert Robustness((), Verdict.ROBUST, costs, Verdict.ROBUST).cost_per_basis_point == pytest.approx(0.004)


@pytest.mark.parametrize("growth", [(None, None), (None, 0.1), (0.1, None)])
def test_cost_per_basis_point_of_undefined_cagr_is_not_defined(growth: tuple[float | None, float | None]) -> None:
    costs = tuple(Variant("", Decimal(bps), with_cagr(cagr)) for bps, cagr in zip((0, 20), growth, strict=True))

    assert Robustness((), Verdict.ROBUST, costs, Verdict.ROBUST).cost_per_basis_point is None
