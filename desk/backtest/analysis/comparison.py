"""Compare two backtests on the sessions that both have. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from automation.system.errors import UsageError
from desk.backtest.result import Curve, Result

Weights = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Track:
    """What a comparison needs of a backtest.

    Attributes:
        name: what it is called beside the other.
        curve: its equity.
        targets: its merged target weights on each session.
        trades: how many trades it made.
        costs: USD.
    """

    name: str
    curve: Curve
    targets: Mapping[date, Weights]
    trades: int
    costs: Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two backtests on their common sessions.

    Attributes:
        ours, theirs: the curves on the common dates; both start with the same capital.
        is_whole: whether both have the same sessions, so that trades and costs can be compared.
        trades, costs: ours, then theirs, over all sessions of each.
        different_days: the common sessions on which the target weights differ, ascending.
    """

    name: str
    ours: Curve
    theirs: Curve
    is_whole: bool
    trades: tuple[int, int]
    costs: tuple[Decimal, Decimal]
    different_days: tuple[date, ...]

    @property
    def sessions(self) -> int:
        """Return the number of common sessions."""
        return len(self.ours.dates) - 1


def track_of(result: Result, name: str) -> Track:
    """Return what a comparison needs of a result."""
    targets = {day.date: _without_zeros(day.signal.merged.weights) for day in result.days}
    return Track(name, result.curve, targets, len(result.trades), result.costs)


def compare(ours: Track, theirs: Track, *, capital: Decimal) -> Comparison:
    """Compare two backtests on their common sessions.

    Args:
        capital: USD that both curves start with on the first common date.

    Raises:
        UsageError: they have fewer than two dates in common.
    """
    common = sorted(set(ours.curve.dates) & set(theirs.curve.dates))
    if len(common) < 2:
        periods = " and ".join(f"{track.curve.dates[0]} to {track.curve.dates[-1]}" for track in (ours, theirs))
        raise UsageError(f"--compare: the two backtests have no session in common ({periods})", where="backtest")

    different = (day for day in common[1:] if ours.targets.get(day, {}) != theirs.targets.get(day, {}))
    return Comparison(
        name=theirs.name,
        ours=_on_dates(ours.curve, common, capital),
        theirs=_on_dates(Curve(theirs.name, theirs.curve.dates, theirs.curve.values), common, capital),
        is_whole=ours.curve.dates == theirs.curve.dates,
        trades=(ours.trades, theirs.trades),
        costs=(ours.costs, theirs.costs),
        different_days=tuple(different),
    )


def _on_dates(curve: Curve, days: Sequence[date], capital: Decimal) -> Curve:
    value_on = dict(zip(curve.dates, curve.values.tolist(), strict=True))
    values = np.array([value_on[day] for day in days])
    return Curve(curve.name, tuple(days), values * (float(capital) / values[0]))


def _without_zeros(weights: Weights) -> Weights:
    return {symbol: weight for symbol, weight in weights.items() if weight}
