"""The decision path of a day: each condition, ranking and volatility that the money passed, as plain data.

Steps are in the order from the root down. Numbers are floats rounded as they were compared; a value that did not
matter is None. Only what has a part of the portfolio is on the path. A step is fragile when a small move of its values
would have decided otherwise: percentages closer than so many points, prices closer than so many percent of the larger.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from the_alchemiser.shared.symphony.comparing import DECIMALS, compare
from the_alchemiser.shared.symphony.program import Choice, InverseVolatility, Operation, Switch
from the_alchemiser.shared.symphony.tree import CurrentPrice, IndicatorKind, IndicatorOf, Select, Value
from the_alchemiser.strategy_v2.flow import flow
from the_alchemiser.strategy_v2.streams import Evaluation

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
    """The steps of one session, which is defined."""
    shares = flow(evaluation, np.array([session])).shares
    return [
        {
            **_step(evaluation, number, session, fragile_points),
            "line": operation.place.line,
            "column": operation.place.column,
            "share": round(float(shares[number][0]), DECIMALS),
        }
        for number, operation in _on_path(evaluation, shares)
    ]


def _on_path(evaluation: Evaluation, shares: Iterable[int]) -> Iterator[tuple[int, Operation]]:
    for number in sorted(shares, reverse=True):
        operation = evaluation.program.operations[number]
        if isinstance(operation, Switch | Choice | InverseVolatility):
            yield number, operation


def _step(evaluation: Evaluation, number: int, session: int, fragile_points: float) -> Json:
    operation = evaluation.program.operations[number]
    match operation:
        case Switch():
            return _condition(evaluation, operation, session, fragile_points)
        case Choice():
            candidates = _children(evaluation, number, session, name="score")
            return _ranking(operation, candidates, fragile_points)
        case _:
            return {"step": operation.label, "children": _children(evaluation, number, session, name="stdev")}


def _condition(evaluation: Evaluation, operation: Switch, session: int, fragile_points: float) -> Json:
    condition = operation.condition
    sides = (condition.left, condition.right)
    left, right = (float(evaluation.market.value(value)[session]) for value in sides)
    return {
        "step": "if",
        "left": {"of": str(condition.left), "value": left},
        "comparison": condition.comparison.value,
        "right": {"of": str(condition.right), "value": right},
        "margin": round(left - right, DECIMALS),
        "branch": "then" if compare(condition.comparison, left, right) else "else",
        "fragile": _is_near(left, right, fragile_points, prices=any(map(_is_price, sides))),
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
    """What lies between the last that is taken and the first that is left."""
    taken, left = ([row["score"] for row in candidates if (row["weight"] > 0) is held] for held in (True, False))
    if not left:
        return {"margin": None, "fragile": False}
    high, low = (min(taken), max(left)) if operation.select is Select.TOP else (min(left), max(taken))
    prices = operation.indicator.kind in _PRICES
    return {"margin": round(high - low, DECIMALS), "fragile": _is_near(high, low, fragile_points, prices=prices)}


def _children(evaluation: Evaluation, number: int, session: int, *, name: str) -> list[Json]:
    operation = evaluation.program.operations[number]
    step = evaluation.step(number)
    known = [round(float(score[session]), DECIMALS) for score in step.scores]
    scores: Sequence[float | None] = known or [None] * len(operation.children)
    rows = []
    for child, fraction, score in zip(operation.children, step.fractions, scores, strict=True):
        part = fraction if isinstance(fraction, float) else float(fraction[session])
        label = evaluation.program.operations[child].label
        rows.append({"of": label, name: score, "weight": round(part, DECIMALS)})
    return rows


def _is_price(value: Value) -> bool:
    return isinstance(value, CurrentPrice) or (isinstance(value, IndicatorOf) and value.indicator.kind in _PRICES)


def _is_near(one: float, other: float, points: float, *, prices: bool) -> bool:
    distance = abs(one - other)
    return distance < points if not prices else distance * 100 < points * max(abs(one), abs(other))
