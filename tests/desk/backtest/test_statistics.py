"""The statistics agree with empyrical-reloaded, an independent implementation."""

import math
from dataclasses import fields

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.backtest import statistics
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
    computed = statistics.compute_statistics(returns)
    for name, oracle in ORACLES.items():
        actual, expected = getattr(computed, name), float(oracle(returns))
        if not math.isfinite(expected):
            assert actual is None, name
        else:
            assert actual == pytest.approx(expected, rel=1e-9, abs=1e-9), name


def returns_of(symbol: str) -> Floats:
    closes = bundled_history().of(symbol)
    known = closes[~np.isnan(closes)]
    return np.asarray(known[1:] / known[:-1] - 1)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_compute_statistics_real_series_agrees_with_oracle(symbol: str) -> None:
    assert_agrees(returns_of(symbol))


@given(st.lists(st.floats(-0.2, 0.2).map(lambda value: round(value, 6)), min_size=1, max_size=300))
def test_compute_statistics_random_series_agrees_with_oracle(values: list[float]) -> None:
    assert_agrees(np.array(values))


@pytest.mark.parametrize(
    "values",
    [[0.0] * 40, [0.01], [-0.01], [-0.01] * 30, [-0.01, -0.02, -0.03], [0.01, 0.02], [0.001] * 50],
    ids=["flat", "one day up", "one day down", "equal losses", "all losses", "all gains", "equal gains"],
)
def test_compute_statistics_edge_case_agrees_with_oracle(values: list[float]) -> None:
    assert_agrees(np.array(values))


def test_compute_statistics_without_returns_is_undefined() -> None:
    computed = statistics.compute_statistics(np.array([]))

    assert computed == statistics.Statistics(0.0, None, None, None, None, None, 0.0)


def test_cagr_over_one_year_is_total_return() -> None:
    returns = np.full(252, 1.21 ** (1 / 252) - 1)

    assert statistics.cagr(returns) == pytest.approx(0.21, abs=1e-12)


def test_max_drawdown_includes_the_start() -> None:
    assert statistics.max_drawdown(np.array([-0.5, 0.5])) == -0.5


def test_drawdowns_are_measured_from_running_peak() -> None:
    drawdowns = statistics.drawdowns(np.array([1.0, -0.25, 0.5, -0.1]))

    assert drawdowns == pytest.approx([0.0, -0.25, 0.0, -0.1])


def test_definitions_cover_every_statistic() -> None:
    assert set(statistics.DEFINITIONS) == {field.name for field in fields(statistics.Statistics)}


def test_oracle_detects_wrong_convention() -> None:
    returns = returns_of("SPY")
    population = float(np.std(returns) * np.sqrt(statistics.SESSIONS_PER_YEAR))

    assert population != pytest.approx(empyrical.annual_volatility(returns), rel=1e-9)
