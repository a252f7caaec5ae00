"""The decision path of a day: each condition, ranking and volatility that the money passed, as plain data.

Steps are in the order from the root down. Numbers are floats rounded as they were compared; a value that did not
matter and is not defined is None. Only what has a part of the portfolio is on the path.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.comparing import compare
from the_alchemiser.strategy_v2.indicators import DECIMALS
from the_alchemiser.strategy_v2.program import Choice, InverseVolatility, Operation, Switch
from the_alchemiser.strategy_v2.streams import Evaluation, shares_of

Json = dict[str, Any]


def decision_path(evaluation: Evaluation, session: int) -> list[Json]:
    """The steps of one session, which is defined."""
    shares = shares_of(evaluation, np.array([session]))
    return [
        {
            **_step(evaluation, number, session),
            "line": operation.place.line,
            "column": operation.place.column,
            "share": round(float(shares[number][0]), DECIMALS),
        }
        for number, operation in _on_path(evaluation, shares)
    ]


def _on_path(evaluation: Evaluation, shares: list[Floats]) -> Iterator[tuple[int, Operation]]:
    operations = evaluation.program.operations
    for number in range(len(operations) - 1, -1, -1):
        if shares[number][0] > 0 and isinstance(operations[number], Switch | Choice | InverseVolatility):
            yield number, operations[number]


def _step(evaluation: Evaluation, number: int, session: int) -> Json:
    operation = evaluation.program.operations[number]
    match operation:
        case Switch():
            return _condition(evaluation, operation, session)
        case Choice():
            ranking = {
                "indicator": str(operation.indicator),
                "select": operation.select.value,
                "count": operation.count,
            }
            return {"step": "filter", **ranking, "candidates": _children(evaluation, number, session, name="score")}
        case _:
            return {"step": operation.label, "children": _children(evaluation, number, session, name="stdev")}


def _condition(evaluation: Evaluation, operation: Switch, session: int) -> Json:
    condition = operation.condition
    left, right = (float(evaluation.market.value(value)[session]) for value in (condition.left, condition.right))
    return {
        "step": "if",
        "left": {"of": str(condition.left), "value": left},
        "comparison": condition.comparison.value,
        "right": {"of": str(condition.right), "value": right},
        "margin": round(left - right, DECIMALS),
        "branch": "then" if compare(condition.comparison, left, right) else "else",
    }


def _children(evaluation: Evaluation, number: int, session: int, *, name: str) -> list[Json]:
    operation = evaluation.program.operations[number]
    stream = evaluation.streams[number]
    rows = []
    for child, fraction, score in zip(operation.children, stream.fractions, stream.scores, strict=True):
        part = fraction if isinstance(fraction, float) else float(fraction[session])
        shown = None if np.isnan(score[session]) else round(float(score[session]), DECIMALS)
        label = evaluation.program.operations[child].label
        rows.append({"of": label, name: shown, "weight": round(part, DECIMALS)})
    return rows
