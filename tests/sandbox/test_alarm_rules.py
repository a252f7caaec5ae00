"""The state of an alarm by its figures: which points count, how many periods, and what missing figures mean."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sandbox.alarm_rules import Point, state_of

NOW = 1000.0


def total(points: Sequence[Point]) -> float:
    return float(sum(point["Value"] for point in points))


def state(points: Mapping[Any, float], **settings: Any) -> str:
    """Return the state by values at seconds before now; by default one period of 60 s and more than 5."""
    alarm: dict[str, Any] = {
        "StateValue": "OK",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **settings,
    }
    recorded = [{"Timestamp": NOW - age, "Value": value} for age, value in points.items()]
    return state_of(alarm, recorded, now=NOW, statistic=total)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ({0: 6}, "ALARM"),
        ({0: 5}, "OK"),
        ({0: 3, 59: 3}, "ALARM"),
        ({60: 6}, "OK"),
        ({-1: 6}, "OK"),
    ],
)
def test_state_counts_the_points_of_the_last_period(points: dict[float, float], expected: str) -> None:
    assert state(points) == expected


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", "OK", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"),
        ("LessThanThreshold", "ALARM", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
    ],
)
def test_state_compares_as_the_alarm_says(comparison: str, below: str, equal: str, above: str) -> None:
    states = [state({0: value}, ComparisonOperator=comparison) for value in (4, 5, 6)]

    assert states == [below, equal, above]


def test_state_needs_every_period_unless_the_alarm_says_how_many() -> None:
    two_of_three = {0: 6.0, 60: 1.0, 120: 6.0}

    assert state(two_of_three, EvaluationPeriods=3) == "OK"
    assert state(two_of_three, EvaluationPeriods=3, DatapointsToAlarm=2) == "ALARM"
    assert state(two_of_three | {60: 6.0}, EvaluationPeriods=3) == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "before", "expected"),
    [
        ("notBreaching", "ALARM", "OK"),
        ("breaching", "OK", "ALARM"),
        ("ignore", "ALARM", "ALARM"),
        ("missing", "ALARM", "INSUFFICIENT_DATA"),
    ],
)
def test_state_without_figures_is_as_the_alarm_treats_them(treatment: str, before: str, expected: str) -> None:
    assert state({}, TreatMissingData=treatment, StateValue=before) == expected


def test_state_with_some_figures_counts_the_missing_ones() -> None:
    assert state({0: 6}, EvaluationPeriods=2, TreatMissingData="breaching") == "ALARM"
    assert state({0: 6}, EvaluationPeriods=2, TreatMissingData="notBreaching") == "OK"
    assert state({0: 6}, EvaluationPeriods=2, TreatMissingData="ignore", DatapointsToAlarm=1) == "ALARM"
