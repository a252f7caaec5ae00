"""The rolling figures agree with empyrical-reloaded, an independent implementation."""

from collections.abc import Callable

import empyrical
import numpy as np
import pytest

from desk.backtest.analysis import rolling
from desk.backtest.analysis.rolling import WINDOW
from the_alchemiser.strategy_v2.arrays import Floats

CHANCE = np.random.default_rng(7)
MARKET = CHANCE.normal(0.0004, 0.011, 700)
RETURNS = 0.7 * MARKET + CHANCE.normal(0.0002, 0.006, 700)


def windows(values: Floats) -> list[Floats]:
    return [values[at : at + WINDOW] for at in range(len(values) - WINDOW + 1)]


@pytest.mark.parametrize(
    ("computed", "oracle"),
    [
        (rolling.rolling_sharpe, empyrical.roll_sharpe_ratio),
        (rolling.rolling_volatility, empyrical.roll_annual_volatility),
    ],
)
def test_rolling_figure_agrees_with_oracle(
    computed: Callable[[Floats], Floats], oracle: Callable[[Floats, int], Floats]
) -> None:
    assert computed(RETURNS) == pytest.approx(oracle(RETURNS, WINDOW), rel=1e-9, abs=1e-9)


def test_rolling_beta_agrees_with_oracle() -> None:
    expected = [empyrical.beta(*pair) for pair in zip(windows(RETURNS), windows(MARKET), strict=True)]

    assert rolling.rolling_beta(RETURNS, MARKET) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_rolling_of_itself_has_beta_of_one() -> None:
    assert rolling.rolling_beta(MARKET, MARKET) == pytest.approx(np.ones(700 - WINDOW + 1))


@pytest.mark.parametrize(("sessions", "values"), [(WINDOW - 1, 0), (WINDOW, 1), (WINDOW + 1, 2), (0, 0)])
def test_rolling_has_one_value_per_full_window(sessions: int, values: int) -> None:
    returns, market = RETURNS[:sessions], MARKET[:sessions]

    for computed in (
        rolling.rolling_sharpe(returns),
        rolling.rolling_volatility(returns),
        rolling.rolling_beta(returns, market),
    ):
        assert computed.shape == (values,)


def test_rolling_of_equal_returns_is_not_defined() -> None:
    flat = np.full(WINDOW, 0.001)

    assert np.isnan(rolling.rolling_sharpe(flat)).all()
    assert np.isnan(rolling.rolling_beta(RETURNS[:WINDOW], flat)).all()
    assert rolling.rolling_volatility(flat) == pytest.approx([0.0], abs=1e-12)
