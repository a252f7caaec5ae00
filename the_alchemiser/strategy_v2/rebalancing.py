"""When a strategy decides, and what its weights have become by drift since.

The session on which a strategy last decided is found from the calendar of the history: of a period in which the
history begins, its first session there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from the_alchemiser.shared.symphony.tree import Frequency
from the_alchemiser.strategy_v2.arrays import Dates, Floats
from the_alchemiser.strategy_v2.errors import NotStartedError
from the_alchemiser.strategy_v2.indicators import rounded
from the_alchemiser.strategy_v2.missing import require_bar, require_decision
from the_alchemiser.strategy_v2.streams import Evaluation, target_weights


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held at the close of as_of: weights above 0 and, by session number, the last full rebalance."""

    weights: Mapping[str, float]
    decided: int


def holding_by_frequency(evaluation: Evaluation, frequency: Frequency) -> Holding:
    """The weights of the period's first session, drifted by returns to the last session of the history.

    Raises:
        EvaluationError: that session cannot be decided, or a symbol held has no bar at the end.
    """
    periods = period_numbers(evaluation.market.history.dates, frequency)
    decided = int(np.searchsorted(periods, periods[-1]))
    require_decision(evaluation, decided)
    last = len(periods) - 1
    targets = target_weights(evaluation, slice(decided, decided + 1))
    weights = {symbol: float(share[0]) for symbol, share in targets.items() if share[0] > 0}
    if decided < last:
        for symbol in weights:
            require_bar(evaluation, symbol, last)
        weights = {symbol: weight * _growth(evaluation, symbol, decided, last) for symbol, weight in weights.items()}
    return Holding(weights, decided)


def holding_by_threshold(evaluation: Evaluation, points: float, *, inception: date) -> Holding:
    """Simulate from inception: rebalance fully when a weight leaves its band, or the chosen symbols change.

    Raises:
        EvaluationError: a session since inception cannot be decided, or as_of is before inception.
    """
    dates = evaluation.market.history.dates
    first = int(np.searchsorted(dates, np.datetime64(inception, "D")))
    if first == len(dates):
        raise NotStartedError(f"{evaluation.program.name}: {dates[-1]} is before its inception, {inception}")
    for session in first + np.flatnonzero(~evaluation.root.defined[first:])[:1]:
        require_decision(evaluation, int(session))
    by_symbol = target_weights(evaluation, slice(first, len(dates)))
    symbols = [symbol for symbol, weights in by_symbol.items() if np.any(weights > 0)]
    targets = np.column_stack([by_symbol[symbol] for symbol in symbols])
    closes = np.column_stack([evaluation.market.history.of(symbol)[first:] for symbol in symbols])
    held, decided = _simulate(targets, closes, points)
    weights = {symbol: float(weight) for symbol, weight in zip(symbols, held, strict=True) if weight > 0}
    return Holding(weights, first + decided)


def _simulate(targets: Floats, closes: Floats, points: float) -> tuple[Floats, int]:
    """Weights (N,) after the last of the sessions, and the session of the last rebalance; targets and closes (D, N)."""
    held, decided = targets[0], 0
    for session in range(1, len(targets)):
        target = targets[session]
        if np.array_equal(held > 0, target > 0):
            # A symbol that is not held may have no price here.
            drifted = np.where(held > 0, held * (closes[session] / closes[session - 1]), 0.0)
            drifted = drifted / drifted.sum()
            if not np.any(rounded(np.abs(drifted - target)) > points):
                held = drifted
                continue
        held, decided = target, session
    return held, decided


def period_numbers(dates: Dates, frequency: Frequency) -> NDArray[Any]:
    """A number a session, the same within a period, ascending."""
    months = dates.astype("datetime64[M]").astype(np.int64)
    match frequency:
        case Frequency.DAILY:
            return np.arange(len(dates))
        case Frequency.WEEKLY:
            # The epoch was a Thursday; weeks begin on Monday.
            return (dates.astype(np.int64) + 3) // 7
        case Frequency.MONTHLY:
            return months
        case Frequency.QUARTERLY:
            return months // 3
        case Frequency.YEARLY:
            return months // 12


def _growth(evaluation: Evaluation, symbol: str, begin: int, end: int) -> float:
    closes = evaluation.market.history.of(symbol)
    return float(closes[end] / closes[begin])
