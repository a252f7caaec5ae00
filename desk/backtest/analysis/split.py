"""Divide a backtest at a date: the sessions that a strategy was designed on, and those that it had not seen. Pure."""

from dataclasses import dataclass
from datetime import date

from automation.system.errors import UsageError
from desk.backtest.result import Curve
from desk.backtest.statistics import Statistics, compute_statistics


@dataclass(frozen=True, slots=True)
class SplitCurve:
    """The statistics of a curve in sample, before the date of the split, and out of sample, from it on."""

    name: str
    in_sample: Statistics
    out_of_sample: Statistics


@dataclass(frozen=True, slots=True)
class Split:
    """The curves of a backtest, divided at a date.

    Attributes:
        day: the first session out of sample.
        sessions: how many are in sample and out of sample.
    """

    day: date
    sessions: tuple[int, int]
    curves: tuple[SplitCurve, ...]


def split_curves(curves: tuple[Curve, ...], requested: date) -> Split:
    """Divide curves of the same sessions before the first session on or after a date.

    Raises:
        UsageError: one of the two parts would have no session.
    """
    sessions = curves[0].dates[1:]
    before = sum(day < requested for day in sessions)
    if before in {0, len(sessions)}:
        period = f"the backtest trades from {sessions[0]} to {sessions[-1]}"
        message = f"--split {requested} leaves no session on one side; {period}, so give a date between them"
        raise UsageError(message, where="backtest")

    parts = tuple(_divide(curve, before) for curve in curves)
    return Split(sessions[before], (before, len(sessions) - before), parts)


def _divide(curve: Curve, before: int) -> SplitCurve:
    in_sample, out_of_sample = curve.returns[:before], curve.returns[before:]
    return SplitCurve(curve.name, compute_statistics(in_sample), compute_statistics(out_of_sample))
