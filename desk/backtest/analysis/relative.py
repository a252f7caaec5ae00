"""Compare daily returns with those of the benchmark: beta, alpha and correlation. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from desk.backtest.statistics import SESSIONS_PER_YEAR
from the_alchemiser.strategy_v2.arrays import Floats

DEFINITIONS: Mapping[str, str] = {
    "beta": "covariance of the daily returns with those of the benchmark, divided by the variance of the benchmark's",
    "alpha": "mean of (daily return minus beta times the benchmark's daily return), compounded over "
    f"{SESSIONS_PER_YEAR} sessions; the risk-free rate is 0",
    "correlation": "Pearson correlation of the daily returns with those of the benchmark",
}
"""The definition of each figure in words, by its name in `Relative`."""

# The sum of squares of returns that differ only by rounding noise.
_NOISE = 1e-28


@dataclass(frozen=True, slots=True)
class Relative:
    """The relation of a series of daily returns to another; None where a figure is not defined."""

    beta: float | None
    alpha: float | None
    correlation: float | None


def compare_returns(returns: Floats, benchmark: Floats) -> Relative:
    """Compute all figures of (D,) returns against (D,) returns of a benchmark on the same sessions."""
    slope = beta(returns, benchmark)
    if slope is None:
        return Relative(None, None, None)

    excess = float(np.mean(returns - slope * benchmark))
    alpha = float((1 + excess) ** SESSIONS_PER_YEAR - 1)
    return Relative(slope, alpha, correlation(returns, benchmark))


def beta(returns: Floats, benchmark: Floats) -> float | None:
    """Return cov(r, b) / var(b); None for fewer than two sessions, or if the benchmark did not move.

    Source: https://en.wikipedia.org/wiki/Beta_(finance)
    """
    if returns.size < 2:
        return None
    centred = benchmark - np.mean(benchmark)
    variance = float(np.sum(centred**2))
    return None if variance <= _NOISE else float(np.sum(centred * returns)) / variance


def correlation(returns: Floats, benchmark: Floats) -> float | None:
    """Return the Pearson correlation; None for fewer than two sessions, or if one of the two did not move."""
    if returns.size < 2:
        return None
    own, other = returns - np.mean(returns), benchmark - np.mean(benchmark)
    squares = float(np.sum(own**2)), float(np.sum(other**2))
    return None if min(squares) <= _NOISE else float(np.sum(own * other)) / math.sqrt(squares[0] * squares[1])
