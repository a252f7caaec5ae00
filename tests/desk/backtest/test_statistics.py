"""Our statistics against empyrical-reloaded, which was written without us."""

import math
from dataclasses import fields

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.backtest import statistics as ours
from desk.bundled import bundled_history
from the_alchemiser.strategy_v2.arrays import Floats

ORACLES = {
    "total_return": empyrical.cum_returns_final,
    "cagr": empyrical.annual_return,
    "volatility": empyrical.annual_volatility,
    "sharpe": empyrical.sharpe_ratio,
    "sortino": empyrical.sortino_ratio,
    "calmar": empyrical.calmar_ratio,
    "max_drawdown": empyrical.max_drawdown,
}
SYMBOLS = ("SPY", "TLT", "NVDA", "RRC", "KO", "XOM")


def assert_agrees(returns: Floats) -> None:
    told = ours.statistics(returns)
    for name, oracle in ORACLES.items():
        mine, theirs = getattr(told, name), float(oracle(returns))
        if not math.isfinite(theirs):
            assert mine is None, name
        else:
            assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-9), name


def returns_of(symbol: str) -> Floats:
    closes = bundled_history().of(symbol)
    known = closes[~np.isnan(closes)]
    return np.asarray(known[1:] / known[:-1] - 1)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_statistics_of_real_series_agree_with_the_oracle(symbol: str) -> None:
    assert_agrees(returns_of(symbol))


@given(st.lists(st.floats(-0.2, 0.2).map(lambda value: round(value, 6)), min_size=1, max_size=300))
def test_statistics_of_random_series_agree_with_the_oracle(values: list[float]) -> None:
    assert_agrees(np.array(values))


@pytest.mark.parametrize(
    "values",
    [[0.0] * 40, [0.01], [-0.01], [-0.01] * 30, [-0.01, -0.02, -0.03], [0.01, 0.02], [0.001] * 50],
    ids=["flat", "one day up", "one day down", "equal losses", "all losses", "all gains", "equal gains"],
)
def test_statistics_of_edge_cases_agree_with_the_oracle(values: list[float]) -> None:
    assert_agrees(np.array(values))


def test_statistics_of_no_returns_are_not_defined() -> None:
    told = ours.statistics(np.array([]))

    assert told == ours.Statistics(0.0, None, None, None, None, None, 0.0)


def test_cagr_of_a_year_is_the_total_return() -> None:
    returns = np.full(252, 1.21 ** (1 / 252) - 1)

    assert ours.cagr(returns) == pytest.approx(0.21, abs=1e-12)


def test_max_drawdown_counts_from_the_start() -> None:
    assert ours.max_drawdown(np.array([-0.5, 0.5])) == -0.5


def test_drawdowns_are_measured_from_the_highest_point_so_far() -> None:
    told = ours.drawdowns(np.array([1.0, -0.25, 0.5, -0.1]))

    assert told == pytest.approx([0.0, -0.25, 0.0, -0.1])


def test_definitions_cover_every_statistic() -> None:
    assert set(ours.DEFINITIONS) == {field.name for field in fields(ours.Statistics)}


def test_oracle_comparison_finds_a_wrong_convention() -> None:
    returns = returns_of("SPY")
    population = float(np.std(returns) * np.sqrt(ours.SESSIONS_A_YEAR))

    assert population != pytest.approx(empyrical.annual_volatility(returns), rel=1e-9)
