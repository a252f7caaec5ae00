"""Evaluate a program on all sessions of a history at once, but only the operations that are needed.

A split is what an operation does by itself on each session: the fraction of its capital that goes to each child. A
stream adds everything below the operation: where it has weights, and what they earned. Only operations that a filter or
an inverse volatility scores need a stream; `capital_flow` walks the rest from the root down, along the splits. All
values are arrays over all sessions. Nothing recurses, and no session depends on a later one.
"""

from collections.abc import Iterable

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.comparing import compare
from the_alchemiser.shared.symphony.program import (
    Choice,
    Fixed,
    InverseVolatility,
    Leaf,
    Operation,
    Program,
    Switch,
    scored_by,
)
from the_alchemiser.shared.symphony.tree import Indicator, Select
from the_alchemiser.strategy_v2.arrays import Bools, Floats
from the_alchemiser.strategy_v2.evaluation_order import (
    evaluation_levels,
    indices_read,
    recursive_prices_read,
    with_descendants,
)
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.indicators import round_for_comparison
from the_alchemiser.strategy_v2.market import Market

Fraction = float | Floats | Bools


class Split(Frozen):
    """How an operation splits its capital over its children.

    Attributes:
        known: (T,) true if the split is known on the session.
        fractions: for each child, a constant or (T,): its fraction of the capital; meaningless where not known.
        scores: for each child (T,): the scores of a filter, or the stdevs in percent of an inverse volatility; empty if
            nothing is scored.
    """

    known: Bools
    fractions: tuple[Fraction, ...] = ()
    scores: tuple[Floats, ...] = ()


class Stream(Frozen):
    """An operation together with everything below it.

    Attributes:
        defined: (T,) true if the operation has weights on the session.
        daily: (T,) the return, as a fraction, of the weights of the previous session; None if no index needs it.
    """

    defined: Bools
    daily: Floats | None


class Evaluation:
    """A program evaluated on a history. Missing data makes a session undefined; it raises nothing.

    Splits, streams and scores are computed on first use and kept.
    """

    def __init__(self, program: Program, history: PriceHistory) -> None:
        self.program = program
        self.market = Market(history, program.options)
        self._splits: dict[int, Split] = {}
        self._streams: dict[int, Stream] = {}
        self._scores: dict[tuple[int, Indicator], Floats] = {}
        self.market.precompute(recursive_prices_read(program))

    @property
    def root(self) -> Stream:
        """The stream of the whole strategy; every operation is evaluated."""
        self._evaluate(range(len(self.program.operations)), ())
        return self.stream(self.program.root)

    def evaluate_scores(self, numbers: Iterable[int]) -> None:
        """Compute the scores of these operations in batches, which is faster than one by one on demand."""
        scored = sorted(set(numbers))
        children: list[int] = []
        for number in scored:
            children.extend(child for child, _ in indices_read(self.program, self.program.operations[number]))
        self._evaluate(with_descendants(self.program, children), scored)

    def split(self, number: int) -> Split:
        """Return the split of an operation, whose scores must have been evaluated."""
        if number not in self._splits:
            with np.errstate(invalid="ignore", divide="ignore"):
                self._splits[number] = self._split(self.program.operations[number])
        return self._splits[number]

    def stream(self, number: int) -> Stream:
        """Return the stream of an operation, which must have been evaluated."""
        return self._streams[number]

    def _evaluate(self, whole: Iterable[int], scored: Iterable[int]) -> None:
        """Compute the streams of `whole`, which includes all its descendants, and the scores that `scored` needs."""
        pending = {number for number in whole if number not in self._streams}
        for level in evaluation_levels(self.program, pending.union(scored)):
            self._score(level)
            for number in level:
                if number in pending:
                    self._streams[number] = self._stream(number)

    def _score(self, level: Iterable[int]) -> None:
        keys: dict[tuple[int, Indicator], None] = {}
        for number in level:
            keys.update(dict.fromkeys(indices_read(self.program, self.program.operations[number])))
        missing = [key for key in keys if key not in self._scores]

        requests = [(indicator, self.stream(child).defined, self._returns(child)) for child, indicator in missing]
        self._scores.update(zip(missing, self.market.index_indicators(requests), strict=True))

    def _split(self, operation: Operation) -> Split:
        match operation:
            case Leaf():
                return Split(~np.isnan(self.market.history.of(operation.symbol)))
            case Fixed():
                return Split(self._every_session, operation.fractions)
            case Switch():
                return _switch(operation, self.market)
            case Choice() if operation.takes_all:
                count = len(operation.children)
                return Split(self._every_session, (1 / count,) * count)
            case Choice():
                return _choice(operation, self._scores_of(operation))
            case InverseVolatility():
                return _inverse(self._scores_of(operation))

    @property
    def _every_session(self) -> Bools:
        return np.ones(self.market.length, dtype=bool)

    def _scores_of(self, operation: Choice | InverseVolatility) -> tuple[Floats, ...]:
        """Return the scores of each child: a bare asset on its prices, any other operation on its index."""
        indicator = scored_by(operation)
        if indicator is None:
            raise AssertionError(f"{operation.label} scores nothing")
        scores = []
        for child in operation.children:
            candidate = self.program.operations[child]
            if isinstance(candidate, Leaf):
                scores.append(self.market.indicator(candidate.symbol, indicator))
            else:
                scores.append(self._scores[child, indicator])
        return tuple(scores)

    def _stream(self, number: int) -> Stream:
        operation, split = self.program.operations[number], self.split(number)
        defined = split.known
        for child, fraction in zip(operation.children, split.fractions, strict=True):
            needed = self.stream(child).defined
            defined = defined & (needed if isinstance(fraction, float) else needed | ~(fraction > 0))

        if number not in self.program.streamed:
            return Stream(defined, None)
        if isinstance(operation, Leaf):
            return Stream(defined, self.market.daily_returns(operation.symbol))
        return Stream(defined, self._earned(operation.children, split, defined))

    def _earned(self, children: Iterable[int], split: Split, defined: Bools) -> Floats:
        """Return (T,) daily returns; the weights of a session earn the return of the next one."""
        earned = np.zeros(max(self.market.length - 1, 0))
        for child, fraction in zip(children, split.fractions, strict=True):
            earned += _contribution(self._returns(child), fraction)
        daily = np.full(self.market.length, np.nan)
        daily[1:] = np.where(defined[:-1], earned, np.nan)
        return daily

    def _returns(self, number: int) -> Floats:
        daily = self.stream(number).daily
        if daily is None:
            raise AssertionError("every operation below an index has returns")
        return daily


def _switch(operation: Switch, market: Market) -> Split:
    left, right = (market.value(value) for value in (operation.condition.left, operation.condition.right))
    known = ~(np.isnan(left) | np.isnan(right))
    holds: Bools = compare(operation.condition.comparison, left, right) & known
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


def _contribution(daily: Floats, fraction: Fraction) -> Floats:
    if isinstance(fraction, float):
        return daily[1:] * fraction
    # A child without capital may have no return; its NaN must not reach the sum.
    return np.where(fraction[:-1] > 0, daily[1:] * fraction[:-1], 0.0)
