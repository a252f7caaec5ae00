"""A program over a whole history at once, as far as it is asked for.

A step is what an operation does by itself, session by session: how it splits over its children. A stream adds what is
below it: where it has weights, and what they earned. Only what filters and inverse volatilities look at needs a
stream; the rest of a strategy is walked from the root down (`flow`), along the steps that the money takes. All are
arrays over all sessions; nothing recurses, and nothing in a column depends on a later one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

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
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.indicators import rounded
from the_alchemiser.strategy_v2.market import Market
from the_alchemiser.strategy_v2.scoring import below, indices_read, levels, recursive_prices_read

Fraction = float | Floats | Bools


@dataclass(frozen=True, slots=True)
class Step:
    """How an operation splits over its children.

    Attributes:
        known: (T,) whether it can be told on the session.
        fractions: per child, constant or (T,): its part; only meaningful where known.
        scores: per child (T,), of a filter its scores, of an inverse volatility its stdevs in percent; empty where
            nothing is scored.
    """

    known: Bools
    fractions: tuple[Fraction, ...] = ()
    scores: tuple[Floats, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """An operation with all that is below it.

    Attributes:
        defined: (T,) whether it has weights on the session.
        daily: (T,) return of the weights of the session before, as a fraction; None where no index needs it.
    """

    defined: Bools
    daily: Floats | None


class Evaluation:
    """A program on a history; where data is missing a session is not defined, and nothing is raised."""

    def __init__(self, program: Program, history: PriceHistory) -> None:
        self.program = program
        self.market = Market(history, program.options)
        self._steps: dict[int, Step] = {}
        self._streams: dict[int, Stream] = {}
        self._scores: dict[tuple[int, Indicator], Floats] = {}
        self.market.learn(recursive_prices_read(program))

    @property
    def root(self) -> Stream:
        """The strategy as a whole, every operation of it evaluated."""
        self._evaluate(range(len(self.program.operations)), ())
        return self.stream(self.program.root)

    def look_below(self, numbers: Iterable[int]) -> None:
        """Evaluate whatever these operations look at, many at once: quicker than one by one when it is needed."""
        wanted = sorted(set(numbers))
        read = (child for number in wanted for child, _ in indices_read(self.program, self.program.operations[number]))
        self._evaluate(below(self.program, read), wanted)

    def step(self, number: int) -> Step:
        """What an operation does by itself; what it looks at is known."""
        if number not in self._steps:
            with np.errstate(invalid="ignore", divide="ignore"):
                self._steps[number] = self._step(self.program.operations[number])
        return self._steps[number]

    def stream(self, number: int) -> Stream:
        """What an operation does with all below it, which has been looked at."""
        return self._streams[number]

    def _evaluate(self, whole: Iterable[int], scored: Iterable[int]) -> None:
        """Streams of operations that are whole (children included), and what others look at."""
        pending = {number for number in whole if number not in self._streams}
        for level in levels(self.program, pending.union(scored)):
            self._score(level)
            for number in level:
                if number in pending:
                    self._streams[number] = self._stream(number)

    def _score(self, level: Iterable[int]) -> None:
        read = (key for number in level for key in indices_read(self.program, self.program.operations[number]))
        wanted = [key for key in dict.fromkeys(read) if key not in self._scores]
        looked_at = [(indicator, self.stream(child).defined, self._returns(child)) for child, indicator in wanted]
        self._scores.update(zip(wanted, self.market.index_indicators(looked_at), strict=True))

    def _step(self, operation: Operation) -> Step:
        match operation:
            case Leaf():
                return Step(~np.isnan(self.market.history.of(operation.symbol)))
            case Fixed():
                return Step(self._always, operation.fractions)
            case Switch():
                return _switch(operation, self.market)
            case Choice() if operation.takes_all:
                count = len(operation.children)
                return Step(self._always, (1 / count,) * count)
            case Choice():
                return _choice(operation, self._scores_of(operation))
            case InverseVolatility():
                return _inverse(self._scores_of(operation))

    @property
    def _always(self) -> Bools:
        return np.ones(self.market.length, dtype=bool)

    def _scores_of(self, operation: Choice | InverseVolatility) -> tuple[Floats, ...]:
        """Per child: a bare asset is scored on its prices, anything else on its index."""
        indicator = scored_by(operation)
        if indicator is None:
            raise AssertionError(f"{operation.label} scores nothing")
        children = ((child, self.program.operations[child]) for child in operation.children)
        return tuple(
            self.market.indicator(own.symbol, indicator) if isinstance(own, Leaf) else self._scores[child, indicator]
            for child, own in children
        )

    def _stream(self, number: int) -> Stream:
        operation, step = self.program.operations[number], self.step(number)
        defined = step.known
        for child, fraction in zip(operation.children, step.fractions, strict=True):
            needed = self.stream(child).defined
            defined = defined & (needed if isinstance(fraction, float) else needed | ~(fraction > 0))
        if number not in self.program.streamed:
            return Stream(defined, None)
        if isinstance(operation, Leaf):
            return Stream(defined, self.market.daily_returns(operation.symbol))
        return Stream(defined, self._earned(operation.children, step, defined))

    def _earned(self, children: Iterable[int], step: Step, defined: Bools) -> Floats:
        """(T,) returns; weights of a session earn the return of the next."""
        earned = np.zeros(max(self.market.length - 1, 0))
        for child, fraction in zip(children, step.fractions, strict=True):
            earned += _contribution(self._returns(child), fraction)
        daily = np.full(self.market.length, np.nan)
        daily[1:] = np.where(defined[:-1], earned, np.nan)
        return daily

    def _returns(self, number: int) -> Floats:
        daily = self.stream(number).daily
        if daily is None:
            raise AssertionError("what an index stands on has returns")
        return daily


def _switch(operation: Switch, market: Market) -> Step:
    left, right = (market.value(value) for value in (operation.condition.left, operation.condition.right))
    known = ~(np.isnan(left) | np.isnan(right))
    holds: Bools = compare(operation.condition.comparison, left, right) & known
    return Step(known, (holds, known & ~holds))


def _choice(operation: Choice, scores: tuple[Floats, ...]) -> Step:
    table = rounded(np.array(scores))
    ranking = np.argsort(-table if operation.select is Select.TOP else table, axis=0, kind="stable")
    taken = np.zeros(table.shape, dtype=bool)
    np.put_along_axis(taken, ranking[: operation.count], values=True, axis=0)
    known = ~np.isnan(table).any(axis=0)
    return Step(known, tuple(np.where(row, 1 / operation.count, 0.0) for row in taken), scores)


def _inverse(stdevs: tuple[Floats, ...]) -> Step:
    table = np.array(stdevs)
    moves = rounded(table) > 0
    inverse = 1 / np.where(moves, table, 1)
    total = np.zeros(inverse.shape[1:])
    for row in inverse:
        total = total + row
    return Step(moves.all(axis=0), tuple(inverse / total), stdevs)


def _contribution(daily: Floats, fraction: Fraction) -> Floats:
    if isinstance(fraction, float):
        return daily[1:] * fraction
    # A child without a part may have no return; it must not spoil the others.
    return np.where(fraction[:-1] > 0, daily[1:] * fraction[:-1], 0.0)
