"""The decision path of a day as plain data: each condition, ranking and volatility that capital passed through.

The steps run from the root down and include only operations that received capital. Numbers are floats, rounded as for
the comparison; a score that was not needed is None. A step is fragile if a small move of its values would have changed
the outcome: `fragile_points` is that distance, in points for percentages, in percent of the larger price for prices.
A compound condition has its parts in place of sides; a part that is not defined holds None, and was not needed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from the_alchemiser.shared.symphony.comparing import COMPARED_DECIMALS, compare
from the_alchemiser.shared.symphony.program import Choice, InverseVolatility, Operation, Program, Switch
from the_alchemiser.shared.symphony.tree import (
    Condition,
    CurrentPrice,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Predicate,
    Select,
    Value,
)
from the_alchemiser.strategy_v2.capital_flow import trace_capital
from the_alchemiser.strategy_v2.program_evaluation import Evaluation
from the_alchemiser.strategy_v2.splits import Splits

FRAGILE_POINTS = 0.5

Json = dict[str, Any]

_PRICES = frozenset(
    {
        IndicatorKind.MOVING_AVERAGE_PRICE,
        IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE,
        IndicatorKind.STDEV_PRICE,
    }
)


def decision_path(evaluation: Evaluation, session: int, *, fragile_points: float = FRAGILE_POINTS) -> list[Json]:
    """Return the steps of one session, on which the strategy must have weights."""
    flow = trace_capital(evaluation, np.array([session]))
    program, portions = evaluation.program, flow.portions
    return [
        {
            **_step(program, number, flow.splits, fragile_points),
            "line": operation.place.line,
            "column": operation.place.column,
            "share": round(float(portions[number][0]), COMPARED_DECIMALS),
        }
        for number, operation in _on_path(program, portions)
    ]


def _on_path(program: Program, numbers: Iterable[int]) -> Iterator[tuple[int, Operation]]:
    for number in sorted(numbers, reverse=True):
        operation = program.operations[number]
        if isinstance(operation, Switch | Choice | InverseVolatility):
            yield number, operation


def _step(program: Program, number: int, splits: Splits, fragile_points: float) -> Json:
    operation = program.operations[number]
    match operation:
        case Switch():
            return _switch(operation.condition, splits, fragile_points)
        case Choice():
            candidates = _children(program, number, splits, name="score")
            return _ranking(operation, candidates, fragile_points)
        case _:
            return {"step": operation.label, "children": _children(program, number, splits, name="stdev")}


def _switch(predicate: Predicate, splits: Splits, fragile_points: float) -> Json:
    described = _predicate(predicate, splits, fragile_points)
    holds = described.pop("holds")
    return {"step": "if", **described, "branch": "then" if holds else "else"}


def _predicate(predicate: Predicate, splits: Splits, fragile_points: float) -> Json:
    if isinstance(predicate, Condition):
        return _comparison(predicate, splits, fragile_points)

    parts = [_predicate(part, splits, fragile_points) for part in predicate.parts]
    decisive = predicate.junction is Junction.ANY
    if any(part["holds"] is decisive for part in parts):
        # Every part that settles it would have to change.
        holds: bool | None = decisive
        is_fragile = all(part["fragile"] for part in parts if part["holds"] is decisive)
    else:
        holds = None if any(part["holds"] is None for part in parts) else not decisive
        is_fragile = holds is not None and any(part["fragile"] for part in parts)
    return {"junction": predicate.junction.value, "parts": parts, "holds": holds, "fragile": is_fragile}


def _comparison(condition: Condition, splits: Splits, fragile_points: float) -> Json:
    sides = (condition.left, condition.right)
    left, right = (float(splits.value(value)[0]) for value in sides)
    is_known = not np.isnan(left) and not np.isnan(right)
    return {
        "left": {"of": str(condition.left), "value": None if np.isnan(left) else left},
        "comparison": condition.comparison.value,
        "right": {"of": str(condition.right), "value": None if np.isnan(right) else right},
        "margin": round(left - right, COMPARED_DECIMALS) if is_known else None,
        "holds": bool(compare(condition.comparison, left, right)) if is_known else None,
        "fragile": is_known and _is_near(left, right, fragile_points, prices=any(map(_is_price, sides))),
    }


def _ranking(operation: Choice, candidates: Sequence[Json], fragile_points: float) -> Json:
    return {
        "step": "filter",
        "indicator": str(operation.indicator),
        "select": operation.select.value,
        "count": operation.count,
        "candidates": candidates,
        **_gap(operation, candidates, fragile_points),
    }


def _gap(operation: Choice, candidates: Sequence[Json], fragile_points: float) -> Json:
    """Return the gap between the last selected candidate and the first one left out."""
    selected = [row["score"] for row in candidates if row["weight"] > 0]
    left_out = [row["score"] for row in candidates if not row["weight"] > 0]
    if not left_out:
        return {"margin": None, "fragile": False}

    if operation.select is Select.TOP:
        high, low = min(selected), max(left_out)
    else:
        high, low = min(left_out), max(selected)
    is_fragile = _is_near(high, low, fragile_points, prices=operation.indicator.kind in _PRICES)
    return {"margin": round(high - low, COMPARED_DECIMALS), "fragile": is_fragile}


def _children(program: Program, number: int, splits: Splits, *, name: str) -> list[Json]:
    operation = program.operations[number]
    split = splits.of(number)
    rounded = [round(float(score[0]), COMPARED_DECIMALS) for score in split.scores]
    scores: Sequence[float | None] = rounded or [None] * len(operation.children)

    rows = []
    for child, fraction, score in zip(operation.children, split.fractions, scores, strict=True):
        part = fraction if isinstance(fraction, float) else float(fraction[0])
        label = program.operations[child].label
        rows.append({"of": label, name: score, "weight": round(part, COMPARED_DECIMALS)})
    return rows


def _is_price(value: Value) -> bool:
    return isinstance(value, CurrentPrice) or (isinstance(value, IndicatorOf) and value.indicator.kind in _PRICES)


def _is_near(left: float, right: float, points: float, *, prices: bool) -> bool:
    distance = abs(left - right)
    if prices:
        return distance * 100 < points * max(abs(left), abs(right))
    return distance < points
