"""Describe the distribution of daily returns: extremes, shape, tail risk, and a histogram. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats

TAIL = 0.05
_MOST_BINS = 60
_NOISE = 1e-14

DEFINITIONS: Mapping[str, str] = {
    "best_day": "largest daily return",
    "worst_day": "smallest daily return",
    "positive_days": "sessions with a return above 0, divided by all sessions",
    "skewness": "skewness of the daily returns, corrected for bias; above 0, the large returns are mostly gains",
    "excess_kurtosis": "kurtosis of the daily returns minus 3, corrected for bias; above 0, extreme days are more "
    "frequent than in a normal distribution",
    "value_at_risk": f"{TAIL:.0%} of the sessions have a return of at most this, interpolated between two sessions",
    "expected_shortfall": f"mean of the lowest {TAIL:.0%} of the daily returns",
}
"""The definition of each figure in words, by its name in `Distribution`."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution of daily returns, as fractions; None where a figure is not defined."""

    best_day: float
    worst_day: float
    positive_days: float
    skewness: float | None
    excess_kurtosis: float | None
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """The number of sessions per range of returns.

    Attributes:
        edges: (B + 1,) ascending bounds of the B ranges, fractions; 0 is one of them if returns lie on both sides.
        counts: (B,) sessions with a return from the lower bound up to, but without, the upper one.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


def describe(returns: Floats) -> Distribution:
    """Describe (D,) daily returns; D is at least 1."""
    worst_first = np.sort(returns)
    tail = worst_first[: int((returns.size - 1) * TAIL) + 1]
    return Distribution(
        best_day=float(worst_first[-1]),
        worst_day=float(worst_first[0]),
        positive_days=float(np.mean(returns > 0)),
        skewness=skewness(returns),
        excess_kurtosis=excess_kurtosis(returns),
        value_at_risk=float(np.percentile(returns, 100 * TAIL)),
        expected_shortfall=float(np.mean(tail)),
    )


def skewness(returns: Floats) -> float | None:
    """Return the adjusted Fisher-Pearson skewness G1; None for fewer than three returns or equal ones.

    Source: D. N. Joanes, C. A. Gill, Comparing measures of sample skewness and kurtosis, The Statistician 47 (1998).
    """
    count = returns.size
    if count < 3 or (standard := _standardised(returns)) is None:
        return None
    biased = float(np.mean(standard**3))
    return biased * float(np.sqrt(count * (count - 1))) / (count - 2)


def excess_kurtosis(returns: Floats) -> float | None:
    """Return the sample excess kurtosis G2; None for fewer than four returns or equal ones.

    Source: the same as of `skewness`.
    """
    count = returns.size
    if count < 4 or (standard := _standardised(returns)) is None:
        return None
    biased = float(np.mean(standard**4)) - 3
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * biased + 6)


def histogram(returns: Floats) -> Histogram:
    """Count the sessions per range of returns; the ranges are equally wide and begin at multiples of their width."""
    low, high = float(np.min(returns)), float(np.max(returns))
    width = _range_width(returns, high - low)
    first, last = int(np.floor(low / width)), int(np.floor(high / width)) + 1
    # A multiple of the width may be rounded past the return that gave it.
    first -= first * width > low
    last += last * width < high
    edges = np.arange(first, last + 1) * width
    counts, _ = np.histogram(returns, bins=edges)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _range_width(returns: Floats, span: float) -> float:
    """Return a round width by the rule of Freedman and Diaconis, but at most `_MOST_BINS` ranges."""
    quarter, three_quarters = np.percentile(returns, (25, 75))
    wanted = max(2 * float(three_quarters - quarter) / returns.size ** (1 / 3), span / _MOST_BINS, 1e-5)
    magnitude = 10.0 ** np.floor(np.log10(wanted))
    return float(next(magnitude * step for step in (1, 2, 5, 10) if magnitude * step >= wanted))


def _standardised(returns: Floats) -> Floats | None:
    """Return the returns in deviations (ddof 0) from their mean; None if they are equal."""
    deviation = float(np.std(returns))
    if deviation <= _NOISE * float(np.max(np.abs(returns))):
        return None
    standard: Floats = (returns - np.mean(returns)) / deviation
    return standard
