"""How an operation splits its capital over its children, on all sessions of a history or on some of them."""

from typing import Protocol

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.comparing import compare
from the_alchemiser.shared.symphony.program import Choice, Fixed, InverseVolatility, Leaf, Program, Switch, scored_by
from the_alchemiser.shared.symphony.tree import Comparison, Indicator, Select, Value
from the_alchemiser.strategy_v2.arrays import Bools, Floats
from the_alchemiser.strategy_v2.indicators import round_for_comparison

Fraction = float | Floats | Bools


class Split(Frozen):
    """How an operation splits its capital over its children.

    Attributes:
        known: (D,) true if the split is known on the session.
        fractions: for each child, a constant or (D,): its fraction of the capital; meaningless where not known.
        scores: for each child (D,): the scores of a filter, or the stdevs in percent of an inverse volatility; empty if
            nothing is scored.
    """

    known: Bools
    fractions: tuple[Fraction, ...] = ()
    scores: tuple[Floats, ...] = ()


class Readings(Protocol):
    """What a split is computed from: arrays over the same D sessions."""

    @property
    def every_session(self) -> Bools:
        """(D,) true."""

    def closes(self, symbol: str) -> Floats:
        """Return (D,) closes; NaN without a bar."""

    def value(self, value: Value) -> Floats:
        """Return (D,) one side of a condition, rounded for comparison."""

    def indicator(self, symbol: str, indicator: Indicator) -> Floats:
        """Return (D,) an indicator on the prices of a symbol."""

    def index_indicator(self, number: int, indicator: Indicator) -> Floats:
        """Return (D,) an indicator on the index of an operation."""


def split_of(program: Program, number: int, readings: Readings) -> Split:
    """Return the split of an operation on the sessions of the readings; missing data makes it unknown."""
    operation = program.operations[number]
    match operation:
        case Leaf():
            return Split(~np.isnan(readings.closes(operation.symbol)))
        case Fixed():
            return Split(readings.every_session, operation.fractions)
        case Switch():
            condition = operation.condition
            return _switch(readings.value(condition.left), readings.value(condition.right), condition.comparison)
        case Choice() if operation.takes_all:
            count = len(operation.children)
            return Split(readings.every_session, (1 / count,) * count)
        case Choice():
            return _choice(operation, _scores(program, operation, readings))
        case InverseVolatility():
            return _inverse(_scores(program, operation, readings))


def _scores(program: Program, operation: Choice | InverseVolatility, readings: Readings) -> tuple[Floats, ...]:
    """Return the score of each child: a bare asset on its prices, any other operation on its index."""
    indicator = scored_by(operation)
    if indicator is None:
        raise AssertionError(f"{operation.label} scores nothing")
    scores = []
    for child in operation.children:
        candidate = program.operations[child]
        if isinstance(candidate, Leaf):
            scores.append(readings.indicator(candidate.symbol, indicator))
        else:
            scores.append(readings.index_indicator(child, indicator))
    return tuple(scores)


def _switch(left: Floats, right: Floats, comparison: Comparison) -> Split:
    known = ~(np.isnan(left) | np.isnan(right))
    holds: Bools = compare(comparison, left, right) & known
    return Split(known, (holds, known & ~holds))


def _choice(operation: Choice, scores: tuple[Floats, ...]) -> Split:
    table = round_for_comparison(np.array(scores))
    ranking = np.argsort(-table if operation.select is Select.TOP else table, axis=0, kind="stable")
    taken = np.zeros(table.shape, dtype=bool)
    np.put_along_axis(taken, ranking[: operation.count], values=True, axis=0)
    known = ~np.isnan(table).any(axis=0)
    return Split(known, tuple(np.where(row, 1 / operation.count, 0.0) for row in taken), scores)


def _inverse(stdevs: tuple[Floats, ...]) -> Split:
    table = np.array(stdevs)
    moves = round_for_comparison(table) > 0
    inverse = 1 / np.where(moves, table, 1)
    total = np.zeros(inverse.shape[1:])
    for row in inverse:
        total = total + row
    return Split(moves.all(axis=0), tuple(inverse / total), stdevs)
