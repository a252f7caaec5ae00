"""Beta and alpha agree with empyrical-reloaded, the correlation with numpy."""

import math
from dataclasses import fields

import empyrical
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.backtest.analysis import relative
from desk.backtest.analysis.relative import Relative, compare_returns

changes = st.floats(-0.2, 0.2).map(lambda value: round(value, 6))


@given(st.lists(st.tuples(changes, changes), min_size=2, max_size=200))
@example([(0.17056, 0.0), (0.17056, 0.0), (0.17056, 0.125)])  # their mean is not quite 0.17056
def test_compare_returns_agrees_with_oracles(pairs: list[tuple[float, float]]) -> None:
    returns, market = (np.array(values) for values in zip(*pairs, strict=True))
    computed = compare_returns(returns, market)

    expected = empyrical.beta(returns, market)
    if not math.isfinite(expected):
        assert computed == Relative(None, None, None)
        return
    assert computed.beta == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert computed.alpha == pytest.approx(empyrical.alpha(returns, market), rel=1e-9, abs=1e-9)
    if np.ptp(returns) > 0:
        assert computed.correlation == pytest.approx(np.corrcoef(returns, market)[0, 1], rel=1e-9, abs=1e-9)
    else:
        assert computed.correlation is None


def test_compare_returns_of_leveraged_market() -> None:
    market = np.array([0.01, -0.02, 0.03, 0.0])

    computed = compare_returns(2 * market + 0.001, market)

    assert computed.beta == pytest.approx(2)
    assert computed.alpha == pytest.approx(1.001**252 - 1)
    assert computed.correlation == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1])
def test_compare_returns_of_few_sessions_is_not_defined(count: int) -> None:
    values = np.full(count, 0.01)

    assert compare_returns(values, values) == Relative(None, None, None)
    assert relative.correlation(values, values) is None


def test_compare_returns_with_unmoved_benchmark_is_not_defined() -> None:
    assert compare_returns(np.array([0.01, -0.01, 0.02]), np.zeros(3)) == Relative(None, None, None)


def test_definitions_cover_every_figure() -> None:
    assert set(relative.DEFINITIONS) == {field.name for field in fields(Relative)}
