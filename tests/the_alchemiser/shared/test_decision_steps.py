"""The distance of a step from its other outcome; tests/desk/test_decision.py has the sentences of the steps."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.desk.decisions import STEPS_OF
from the_alchemiser.shared.decision_steps import describe_distance


def comparison(left: str, value: float, right: str, other: float) -> Mapping[str, Any]:
    sides = {"left": {"of": left, "value": value}, "right": {"of": right, "value": other}}
    return {"step": "if", "comparison": ">", "margin": round(value - other, 8), "branch": "then", **sides}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (comparison("rsi SPY 10", 79.2, "79", 79.0), "It was 0.2 away from the other branch."),
        (comparison("rsi SPY 10", 78.5, "79", 79.0), "It was 0.5 away from the other branch."),
        (
            comparison("current-price SPY", 420.0, "moving-average-price SPY 200", 419.0),
            "It was 1 (0.24%) away from the other branch.",
        ),
        (
            comparison("100", 100.0, "exponential-moving-average-price SPY 10", 80.0),
            "It was 20 (20.00%) away from the other branch.",
        ),
        (comparison("stdev-price SPY 5", 0.0, "0", 0.0), "It was 0 away from the other branch."),
        (
            {"step": "filter", "margin": 0.125},
            "Only 0.125 separates the last one selected from the first one left out.",
        ),
        ({"step": "filter", "margin": None}, ""),
        ({"step": "if", "junction": "any", "parts": []}, ""),
        (STEPS_OF["calm_balance"][0], ""),
    ],
    ids=["above", "below", "prices", "price right", "zero", "ranking", "no other", "compound", "weights"],
)
def test_describe_distance(step: Mapping[str, Any], sentence: str) -> None:
    assert describe_distance(step) == sentence
