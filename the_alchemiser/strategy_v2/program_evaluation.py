"""Evaluate a program on a history, but only the operations and the sessions that are needed.

A split is what an operation does by itself on a session: the fraction of its capital that goes to each child. A stream
adds everything below the operation: where it has weights, and what they earned. Only operations that a filter or an
inverse volatility scores need a stream, over all sessions; `capital_flow` walks the rest from the root down, along the
splits of some sessions. Nothing recurses, and no session depends on a later one.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.evaluation_order import (
    evaluation_levels,
    indices_read,
    recursive_prices_read,
    with_descendants,
)
from the_alchemiser.shared.symphony.program import Cash, Leaf, Program
from the_alchemiser.shared.symphony.tree import Indicator
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.market import Market
from the_alchemiser.strategy_v2.splits import Fraction, Split, Splits


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

    Attributes:
        splits: the splits on all sessions.
        next_session: the session after the last one of the history, on which its decision is traded.
        flows: the capital flows that were traced, by their sessions; `capital_flow` fills it.
    """

    def __init__(self, program: Program, history: PriceHistory, next_session: np.datetime64) -> None:
        self.program = program
        self.next_session = next_session
        self.market = Market(history, program.options)
        self.flows: dict[bytes, Any] = {}
        self._streams: dict[int, Stream] = {}
        self._scores: dict[tuple[int, Indicator], Floats] = {}
        self.splits = Splits(program, self.market, self._scores)

    @property
    def root(self) -> Stream:
        """The stream of the whole strategy; every operation is evaluated."""
        self._evaluate(range(len(self.program.operations)), ())
        return self.stream(self.program.root)

    def evaluate_scores(self, numbers: Iterable[int]) -> None:
        """Compute the scores of these operations in batches, which is faster than one by one on demand."""
        scored = sorted(set(numbers))
        self._evaluate(self._streams_below(scored), scored)

    def _streams_below(self, numbers: Iterable[int]) -> set[int]:
        children: list[int] = []
        for number in numbers:
            children.extend(child for child, _ in indices_read(self.program, self.program.operations[number]))
        return with_descendants(self.program, children)

    def split(self, number: int) -> Split:
        """Return the split of an operation on all sessions; its scores must have been evaluated."""
        return self.splits.of(number)

    def splits_on(self, sessions: Indices) -> Splits:
        """Return the splits on some sessions; scores of indices must have been evaluated before they are read."""
        if len(sessions) == 1:
            self.market.precompute_on(int(sessions[0]), self._recursive_prices())
        else:
            self.market.precompute(self._recursive_prices())
        return Splits(self.program, self.market, self._scores, sessions)

    def stream(self, number: int) -> Stream:
        """Return the stream of an operation, which must have been evaluated."""
        return self._streams[number]

    def _recursive_prices(self) -> Iterator[tuple[str, Indicator]]:
        return recursive_prices_read(self.program, range(len(self.program.operations)))

    def _evaluate(self, whole: Iterable[int], scored: Iterable[int]) -> None:
        """Compute the streams of `whole`, which includes all its descendants, and the scores that `scored` needs."""
        pending = {number for number in whole if number not in self._streams}
        self.market.precompute(recursive_prices_read(self.program, pending))
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
        if isinstance(operation, Cash):
            return Stream(defined, np.zeros(self.market.length))
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


def _contribution(daily: Floats, fraction: Fraction) -> Floats:
    if isinstance(fraction, float):
        return daily[1:] * fraction
    # A child without capital may have no return; its NaN must not reach the sum.
    return np.where(fraction[:-1] > 0, daily[1:] * fraction[:-1], 0.0)
