"""How an operation splits its capital over its children, on all sessions of a history or on some of them."""

from collections.abc import Mapping

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.comparing import compare
from the_alchemiser.shared.symphony.program import (
    Cash,
    Choice,
    Fixed,
    InverseVolatility,
    Leaf,
    Operation,
    Program,
    Switch,
)
from the_alchemiser.shared.symphony.tree import Condition, Indicator, Junction, Predicate, Select, Value
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.indicators import round_for_comparison
from the_alchemiser.strategy_v2.market import Market

Fraction = float | Floats | Bools
IndexScores = Mapping[tuple[int, Indicator], Floats]


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


class Splits:
    """The splits of a program's operations on D sessions, computed on first use.

    A decision reads one session. It then computes only the last value of most indicators, which is the same, to the
    last bit, as that of a computation over all sessions.
    """

    def __init__(
        self, program: Program, market: Market, index_scores: IndexScores, sessions: Indices | None = None
    ) -> None:
        """Prepare the splits.

        Args:
            index_scores: indicators on the indices of operations, (T,); those that a split reads must be in it by then.
            sessions: their numbers; None for all T sessions of the market.
        """
        self._program = program
        self._market = market
        self._index_scores = index_scores
        self._sessions = slice(None) if sessions is None else sessions
        self._only = int(sessions[0]) if sessions is not None and len(sessions) == 1 else None
        self._splits: dict[int, Split] = {}
        self.every_session = np.ones(market.length, dtype=bool)[self._sessions]

    def of(self, number: int) -> Split:
        """Return the split of an operation; missing data makes it unknown."""
        if number not in self._splits:
            self._splits[number] = self._computed(self._program.operations[number])
        return self._splits[number]

    def value(self, value: Value) -> Floats:
        """Return (D,) one side of a condition, rounded for comparison."""
        if self._only is None:
            return self._market.value(value)[self._sessions]
        return self._market.value_on(self._only, value)

    def _computed(self, operation: Operation) -> Split:
        match operation:
            case Leaf():
                return Split(~np.isnan(self._market.history.of(operation.symbol)[self._sessions]))
            case Cash():
                return Split(self.every_session)
            case Fixed():
                return Split(self.every_session, operation.fractions)
            case Switch():
                holds, fails = outcomes(operation.condition, self)
                return Split(holds | fails, (holds, fails))
            case Choice() if operation.takes_all:
                count = len(operation.children)
                return Split(self.every_session, (1 / count,) * count)
            case Choice():
                return _choice(operation, self._scores(operation.children, operation.indicator))
            case InverseVolatility():
                return _inverse(self._scores(operation.children, operation.returns))

    def _scores(self, children: tuple[int, ...], indicator: Indicator) -> tuple[Floats, ...]:
        """Return the score of each child: a bare asset on its prices, any other operation on its index."""
        scores = []
        for child in children:
            candidate = self._program.operations[child]
            if not isinstance(candidate, Leaf):
                scores.append(self._index_scores[child, indicator][self._sessions])
            elif self._only is None:
                scores.append(self._market.indicator(candidate.symbol, indicator)[self._sessions])
            else:
                scores.append(np.array([self._market.indicator_on(self._only, candidate.symbol, indicator)]))
        return tuple(scores)


def outcomes(predicate: Predicate, splits: Splits) -> tuple[Bools, Bools]:
    """Return (D,) true where the condition holds, and (D,) true where it fails; neither where it is not known.

    A compound condition is known as soon as the defined parts settle it: for `any` a part that holds, for `all` a part
    that fails. Otherwise it needs every part.
    """
    if isinstance(predicate, Condition):
        left, right = splits.value(predicate.left), splits.value(predicate.right)
        known = ~(np.isnan(left) | np.isnan(right))
        holds: Bools = compare(predicate.comparison, left, right) & known
        return holds, known & ~holds

    parts = [outcomes(part, splits) for part in predicate.parts]
    some, every = (np.logical_or.reduce, np.logical_and.reduce)
    if predicate.junction is Junction.ANY:
        return some([part[0] for part in parts]), every([part[1] for part in parts])
    return every([part[0] for part in parts]), some([part[1] for part in parts])


def _choice(operation: Choice, scores: tuple[Floats, ...]) -> Split:
    table = round_for_comparison(np.array(scores))
    ranking = np.argsort(-table if operation.select is Select.TOP else table, axis=0, kind="stable")
    taken = np.zeros(table.shape, dtype=bool)
    np.put_along_axis(taken, ranking[: operation.count], values=True, axis=0)
    known = ~np.isnan(table).any(axis=0)
    return Split(known, tuple(np.where(row, 1 / operation.count, 0.0) for row in taken), scores)


@np.errstate(invalid="ignore")
def _inverse(stdevs: tuple[Floats, ...]) -> Split:
    table = np.array(stdevs)
    moves = round_for_comparison(table) > 0
    inverse = 1 / np.where(moves, table, 1)
    total = np.zeros(inverse.shape[1:])
    for row in inverse:
        total = total + row
    return Split(moves.all(axis=0), tuple(inverse / total), stdevs)
