"""Decision paths as strategy_v2 stores them, with each kind of step."""

from collections.abc import Mapping
from typing import Any

STEPS_OF: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "trend_following": (
        {
            "step": "if",
            "left": {"of": "current-price SPY", "value": 420.07},
            "comparison": ">",
            "right": {"of": "moving-average-price SPY 200", "value": 411.5},
            "margin": 8.57,
            "branch": "then",
            "share": 1.0,
        },
        {
            "step": "if",
            "left": {"of": "rsi SPY 10", "value": 41.2},
            "comparison": ">",
            "right": {"of": "79", "value": 79.0},
            "margin": -37.8,
            "branch": "else",
            "share": 0.6,
        },
    ),
    "sector_momentum": (
        {
            "step": "filter",
            "indicator": "cumulative-return 20",
            "select": "select-top",
            "count": 2,
            "candidates": [
                {"of": "XOM", "score": 12.25, "weight": 0.5},
                {"of": "UNH", "score": 4.5, "weight": 0.5},
                {"of": "PFE", "score": None, "weight": 0.0},
            ],
            "share": 1.0,
        },
    ),
    "calm_balance": (
        {
            "step": "weight-inverse-volatility 20",
            "children": [
                {"of": "SPY", "stdev": 1.5, "weight": 0.45},
                {"of": "TLT", "stdev": 1.93, "weight": 0.35},
                {"of": "KO", "stdev": 3.4, "weight": 0.2},
            ],
            "share": 1.0,
        },
    ),
}
DECISIONS: Mapping[str, Mapping[str, Any]] = {
    name: {"decided_on": "2022-03-15", "as_of": "2022-03-15", "rebalance": "daily", "steps": steps}
    for name, steps in STEPS_OF.items()
}
