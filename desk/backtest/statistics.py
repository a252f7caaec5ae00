"""Compute statistics of daily returns. Pure.

Every function takes simple daily returns as fractions, shape (D,), one per session. A year has 252 sessions. A ratio
with a zero divisor and the deviation of a single return are not defined: the result is None, never NaN or infinity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

SESSIONS_PER_YEAR = 252
# A deviation this small relative to the returns is rounding noise: the returns are all equal.
_NOISE = 1e-14

DEFINITIONS: Mapping[str, str] = {
    "total_return": "product of (1 + daily return) over all sessions, minus 1",
    "cagr": f"compound annual growth rate: (1 + total return) ^ ({SESSIONS_PER_YEAR} / sessions) minus 1",
    "volatility": f"sample standard deviation (ddof 1) of daily returns, times the square root of {SESSIONS_PER_YEAR}",
    "sharpe": "mean daily return divided by the sample standard deviation of daily returns, times the square root of "
    f"{SESSIONS_PER_YEAR}; the risk-free rate is 0",
    "sortino": f"mean daily return times {SESSIONS_PER_YEAR}, divided by the annual downside deviation: the square "
    "root of the mean over all sessions of min(daily return, 0) squared, times the square root of "
    f"{SESSIONS_PER_YEAR}; the target return is 0",
    "calmar": "CAGR divided by the size of the maximum drawdown",
    "max_drawdown": "largest fall from a peak of the value so far, including the starting value, "
    "as a fraction of that peak",
}
"""The definition of each statistic in words, by its name in `Statistics`."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The statistics of a series of daily returns, as fractions and ratios; None where one is not defined."""

    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float


def compute_statistics(returns: Floats) -> Statistics:
    """Compute all statistics."""
    return Statistics(
        total_return=total_return(returns),
        cagr=cagr(returns),
        volatility=volatility(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(returns),
        max_drawdown=max_drawdown(returns),
    )


def total_return(returns: Floats) -> float:
    """Return Π(1 + r) - 1 as a fraction; 0 without returns."""
    return float(np.prod(1 + returns) - 1)


def cagr(returns: Floats) -> float | None:
    """Return (1 + total return)^(252/D) - 1 as a fraction per year; None without returns.

    Source: https://en.wikipedia.org/wiki/Compound_annual_growth_rate, with years of 252 sessions.
    """
    if not returns.size:
        return None
    return float((1 + total_return(returns)) ** (SESSIONS_PER_YEAR / returns.size) - 1)


def volatility(returns: Floats) -> float | None:
    """Return s·√252 as a fraction per year; None for fewer than two returns. s is the sample deviation (ddof 1).

    Source: https://en.wikipedia.org/wiki/Volatility_(finance)
    """
    if returns.size < 2:
        return None
    return float(np.std(returns, ddof=1) * np.sqrt(SESSIONS_PER_YEAR))


def sharpe(returns: Floats) -> float | None:
    """Return mean(r) / s · √252; None for fewer than two returns or equal ones. The risk-free rate is 0.

    Source: W. F. Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21 (1994).
    """
    if returns.size < 2:
        return None
    deviation = float(np.std(returns, ddof=1))
    if deviation <= _NOISE * float(np.max(np.abs(returns))):
        return None
    return float(np.mean(returns) / deviation * np.sqrt(SESSIONS_PER_YEAR))


def sortino(returns: Floats) -> float | None:
    """Return mean(r)·252 / (√mean(min(r, 0)²)·√252); None without a loss or for one return. The target is 0.

    Source: F. A. Sortino, L. N. Price, Performance Measurement in a Downside Risk Framework (1994).
    """
    if returns.size < 2:
        return None
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0) ** 2)) * np.sqrt(SESSIONS_PER_YEAR))
    if downside == 0:
        return None
    return float(np.mean(returns) * SESSIONS_PER_YEAR / downside)


def calmar(returns: Floats) -> float | None:
    """Return CAGR / |maximum drawdown|; None without a drawdown.

    Source: T. W. Young, Calmar Ratio: A Smoother Tool, Futures 20 (1991), over the whole period.
    """
    growth, deepest = cagr(returns), max_drawdown(returns)
    return None if growth is None or deepest == 0 else growth / abs(deepest)


def max_drawdown(returns: Floats) -> float:
    """Return the lowest of the `drawdowns`, a fraction of 0 or below."""
    return float(np.min(drawdowns(returns), initial=0.0))


def drawdowns(returns: Floats) -> Floats:
    """Return V / max(V so far, including the start) - 1 with V = Π(1 + r): (D,) fractions of 0 or below.

    Source: https://en.wikipedia.org/wiki/Drawdown_(economics)
    """
    value = np.concatenate(([1.0], np.cumprod(1 + returns)))
    drops: Floats = (value / np.maximum.accumulate(value) - 1)[1:]
    return drops
