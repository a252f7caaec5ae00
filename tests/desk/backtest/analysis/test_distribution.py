"""The distribution agrees with empyrical-reloaded and scipy, independent implementations."""

from dataclasses import fields

import empyrical
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from desk.backtest.analysis import distribution
from desk.backtest.analysis.distribution import describe, histogram

returns_lists = st.lists(st.floats(-0.2, 0.2).map(lambda value: round(value, 6)), min_size=1, max_size=300)


@given(returns_lists)
def test_describe_agrees_with_oracles(values: list[float]) -> None:
    returns = np.array(values)
    described = describe(returns)

    assert described.value_at_risk == pytest.approx(empyrical.value_at_risk(returns), rel=1e-9, abs=1e-9)
    assert described.expected_shortfall == pytest.approx(
        empyrical.conditional_value_at_risk(returns), rel=1e-9, abs=1e-9
    )
    assert (described.worst_day, described.best_day) == (min(values), max(values))
    assert described.positive_days == sum(value > 0 for value in values) / len(values)


@given(st.integers(4, 300), st.integers(0, 1000))
def test_shape_agrees_with_oracle(count: int, seed: int) -> None:
    returns = np.random.default_rng(seed).standard_t(4, count) / 100
    described = describe(returns)

    assert described.skewness == pytest.approx(stats.skew(returns, bias=False), rel=1e-9, abs=1e-9)
    assert described.excess_kurtosis == pytest.approx(stats.kurtosis(returns, bias=False), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "skewed", "kurtotic"),
    [
        ([0.01, 0.02], False, False),
        ([0.01, 0.02, 0.05], True, False),
        ([0.01, 0.02, 0.05, 0.01], True, True),
        ([0.01] * 9, False, False),
        ([0.0] * 9, False, False),
    ],
)
def test_shape_of_few_or_equal_returns_is_not_defined(values: list[float], skewed: bool, kurtotic: bool) -> None:
    described = describe(np.array(values))

    assert (described.skewness is not None, described.excess_kurtosis is not None) == (skewed, kurtotic)


@given(returns_lists)
@example([0.09375])  # 9,375 times 0.00001 is a little more
def test_histogram_counts_every_session_once(values: list[float]) -> None:
    drawn = histogram(np.array(values))

    assert sum(drawn.counts) == len(values)
    assert len(drawn.edges) == len(drawn.counts) + 1 <= 64
    assert drawn.edges[0] <= min(values) <= max(values) <= drawn.edges[-1]


def test_histogram_has_round_edges_and_zero_among_them() -> None:
    returns = np.array([-0.011, -0.004, -0.001, 0.0, 0.001, 0.002, 0.004, 0.011])
    drawn = histogram(returns)

    width = drawn.edges[1] - drawn.edges[0]
    assert width == pytest.approx(0.005)
    assert drawn.edges == pytest.approx([-0.015, -0.01, -0.005, 0.0, 0.005, 0.01, 0.015])
    assert drawn.counts == (1, 0, 2, 4, 0, 1)


def test_definitions_cover_every_figure() -> None:
    assert set(distribution.DEFINITIONS) == {field.name for field in fields(distribution.Distribution)}
