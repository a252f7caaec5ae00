"""Compute statistics of daily returns over a moving window. Pure.

Every function takes (D,) simple daily returns and returns one value per full window, (D - WINDOW + 1,), the first for
the window that ends with return WINDOW - 1. With fewer returns than one window the result is empty; NaN is not defined.
"""

import numpy as np

from desk.backtest.statistics import SESSIONS_PER_YEAR
from the_alchemiser.strategy_v2.arrays import Floats

WINDOW = 126
"""Sessions of a window: half a year."""

_NOISE = 1e-14


def rolling_volatility(returns: Floats) -> Floats:
    """Return s·√252 of each window, with the sample deviation s (ddof 1)."""
    volatilities: Floats = _deviation(_windows(returns)) * np.sqrt(SESSIONS_PER_YEAR)
    return volatilities


def rolling_sharpe(returns: Floats) -> Floats:
    """Return mean(r) / s · √252 of each window; NaN where all returns of a window are equal."""
    windows = _windows(returns)
    deviation = _deviation(windows)
    equal = deviation <= _NOISE * np.max(np.abs(windows), axis=1, initial=0.0)
    deviation[equal] = np.nan
    ratios: Floats = windows.mean(axis=1) / deviation * np.sqrt(SESSIONS_PER_YEAR)
    return ratios


def rolling_beta(returns: Floats, benchmark: Floats) -> Floats:
    """Return cov(r, b) / var(b) of each window; NaN where the benchmark did not move.

    Args:
        benchmark: (D,) returns of the benchmark on the same sessions.
    """
    own, other = _windows(returns), _windows(benchmark)
    centred = other - other.mean(axis=1, keepdims=True)
    variance = np.sum(centred**2, axis=1)
    variance[variance <= _NOISE**2] = np.nan
    betas: Floats = np.sum(centred * own, axis=1) / variance
    return betas


def _windows(returns: Floats) -> Floats:
    if returns.size < WINDOW:
        return np.empty((0, WINDOW))
    return np.lib.stride_tricks.sliding_window_view(returns, WINDOW)


def _deviation(windows: Floats) -> Floats:
    deviation: Floats = np.std(windows, axis=1, ddof=1)
    return deviation
