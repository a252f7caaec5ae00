"""Decide on the state of a CloudWatch alarm as CloudWatch does. Pure; it runs in the emulator's process too.

Source: Amazon CloudWatch user guide, "Using Amazon CloudWatch alarms": evaluating an alarm, missing data.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "GreaterThanThreshold": gt,
    "LessThanOrEqualToThreshold": le,
    "LessThanThreshold": lt,
}
_OF_MISSING_DATA = {"breaching": True, "notBreaching": False}
type Point = Mapping[str, Any]


def state_of(
    alarm: Mapping[str, Any], points: Sequence[Point], *, now: float, statistic: Callable[[Sequence[Point]], float]
) -> str:
    """Return the state of an alarm: OK, ALARM or INSUFFICIENT_DATA.

    Args:
        alarm: the emulator's record of it.
        points: the data points of exactly its metric and dimensions, each with its Timestamp in seconds.
        now: seconds since the epoch; the last period ends here.
        statistic: computes the alarm's statistic of the points of one period.
    """
    periods = int(alarm["EvaluationPeriods"])
    missing = _OF_MISSING_DATA.get(alarm["TreatMissingData"])
    results = [_is_breaching(alarm, _points_of(period, alarm, points, now), statistic) for period in range(periods)]
    known = [missing if result is None else result for result in results]

    if all(result is None for result in known):
        return str(alarm["StateValue"]) if alarm["TreatMissingData"] == "ignore" else "INSUFFICIENT_DATA"
    return "ALARM" if known.count(True) >= int(alarm.get("DatapointsToAlarm") or periods) else "OK"


def _points_of(period: int, alarm: Mapping[str, Any], points: Sequence[Point], now: float) -> list[Point]:
    """Return the points of a period; period 0 ends now."""
    end = now - period * alarm["Period"]
    return [point for point in points if end - alarm["Period"] < point["Timestamp"] <= end]


def _is_breaching(
    alarm: Mapping[str, Any], points: Sequence[Point], statistic: Callable[[Sequence[Point]], float]
) -> bool | None:
    if not points:
        return None
    return _COMPARISONS[alarm["ComparisonOperator"]](statistic(points), alarm["Threshold"])
