"""Statistics of daily returns; pure.

All of them take simple daily returns as fractions, (D,), one a session, and scale to a year of 252 sessions. What is
not defined, a ratio whose divisor is zero or a deviation of a single return, is None and never a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

SESSIONS_A_YEAR = 252
# A deviation this small beside the returns themselves is rounding noise of returns that are all equal.
_NOISE = 1e-14

DEFINITIONS: Mapping[str, str] = {
    "total_return": "product of (1 + daily return) over all sessions, minus 1",
    "cagr": f"compound annual growth rate: (1 + total return) ^ ({SESSIONS_A_YEAR} / sessions) minus 1",
    "volatility": f"sample standard deviation (ddof 1) of daily returns, times the square root of {SESSIONS_A_YEAR}",
    "sharpe": "mean daily return over the sample standard deviation of daily returns, times the square root of "
    f"{SESSIONS_A_YEAR}; risk-free rate 0",
    "sortino": f"mean daily return times {SESSIONS_A_YEAR} over the annual downside deviation: the square root of the "
    f"mean over all sessions of min(daily return, 0) squared, times the square root of {SESSIONS_A_YEAR}; target 0",
    "calmar": "CAGR over the size of the maximum drawdown",
    "max_drawdown": "deepest fall of the value from its highest point so far, the starting value included, "
    "as a fraction of that highest point",
}
"""What each statistic is, in words, by its name in `Statistics`."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Fractions and ratios of a series of daily returns; None where one is not defined."""

    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float


def statistics(returns: Floats) -> Statistics:
    """All of them at once."""
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
    """Π(1 + r) - 1, a fraction; 0 of no returns."""
    return float(np.prod(1 + returns) - 1)


def cagr(returns: Floats) -> float | None:
    """(1 + total return)^(252/D) - 1, a fraction a year; None of no returns.

    Source: https://en.wikipedia.org/wiki/Compound_annual_growth_rate, in years of 252 sessions.
    """
    if not returns.size:
        return None
    return float((1 + total_return(returns)) ** (SESSIONS_A_YEAR / returns.size) - 1)


def volatility(returns: Floats) -> float | None:
    """s·√252 with s the sample standard deviation (ddof 1), a fraction a year; None of fewer than two returns.

    Source: https://en.wikipedia.org/wiki/Volatility_(finance)
    """
    if returns.size < 2:
        return None
    return float(np.std(returns, ddof=1) * np.sqrt(SESSIONS_A_YEAR))


def sharpe(returns: Floats) -> float | None:
    """mean(r) / s · √252, a ratio; the risk-free rate is 0. None of fewer than two returns, or of equal ones.

    Source: W. F. Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21 (1994).
    """
    if returns.size < 2:
        return None
    deviation = float(np.std(returns, ddof=1))
    if deviation <= _NOISE * float(np.max(np.abs(returns))):
        return None
    return float(np.mean(returns) / deviation * np.sqrt(SESSIONS_A_YEAR))


def sortino(returns: Floats) -> float | None:
    """mean(r)·252 / (√mean(min(r, 0)²)·√252), a ratio; the target is 0. None without a loss, or of one return.

    Source: F. A. Sortino, L. N. Price, Performance Measurement in a Downside Risk Framework (1994).
    """
    if returns.size < 2:
        return None
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0) ** 2)) * np.sqrt(SESSIONS_A_YEAR))
    if downside == 0:
        return None
    return float(np.mean(returns) * SESSIONS_A_YEAR / downside)


def calmar(returns: Floats) -> float | None:
    """CAGR / |maximum drawdown|, a ratio; None where there is no drawdown.

    Source: T. W. Young, Calmar Ratio: A Smoother Tool, Futures 20 (1991), over the whole period.
    """
    growth, fall = cagr(returns), max_drawdown(returns)
    return None if growth is None or fall == 0 else growth / abs(fall)


def max_drawdown(returns: Floats) -> float:
    """The least of `drawdowns`: a fraction of 0 or below."""
    return float(np.min(drawdowns(returns), initial=0.0))


def drawdowns(returns: Floats) -> Floats:
    """V/max(V so far, the start included) - 1 with V = Π(1 + r), (D,) fractions of 0 or below.

    Source: https://en.wikipedia.org/wiki/Drawdown_(economics)
    """
    value = np.concatenate(([1.0], np.cumprod(1 + returns)))
    fall: Floats = (value / np.maximum.accumulate(value) - 1)[1:]
    return fall
