"""A program over a whole history at once.

Every operation becomes a few arrays over all sessions, children first; nothing recurses, and nothing in a column
depends on a later one. The same run serves one day and ten years.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from the_alchemiser.shared.symphony.tree import Indicator, Select
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.comparing import compare
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.indicators import rounded
from the_alchemiser.strategy_v2.market import Market
from the_alchemiser.strategy_v2.program import Choice, Fixed, InverseVolatility, Leaf, Operation, Program, Switch
from the_alchemiser.strategy_v2.scoring import Scores, indices_read, levels, prices_read

Fraction = float | Floats | Bools


@dataclass(frozen=True, slots=True)
class Stream:
    """What an operation does over time.

    Attributes:
        defined: (T,) whether it has weights on the session.
        fractions: per child, constant or (T,): its part; only meaningful where defined.
        scores: per child (T,), of a filter its scores, of an inverse volatility its stdevs in percent; empty where
            nothing is scored.
        daily: (T,) return of the weights of the session before, as a fraction; None where no index needs it.
    """

    defined: Bools
    fractions: tuple[Fraction, ...] = ()
    scores: tuple[Floats, ...] = ()
    daily: Floats | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A program, the market it ran on, and a stream an operation."""

    program: Program
    market: Market
    streams: tuple[Stream, ...]

    @property
    def root(self) -> Stream:
        """The stream of the strategy itself."""
        return self.streams[self.program.root]


def run(program: Program, history: PriceHistory) -> Evaluation:
    """Evaluate every session of a history; where data is missing the result is not defined, and nothing is raised."""
    market = Market(history, program.options)
    streams: dict[int, Stream] = {}
    scores: dict[tuple[int, Indicator], Floats] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        market.learn(prices_read(program))
        for level in levels(program):
            scores.update(_index_scores(program, level, streams, market))
            for number in level:
                operation = program.operations[number]
                stream = _stream(operation, program, streams, scores, market)
                if number in program.streamed:
                    stream = replace(stream, daily=_daily(stream, operation, streams, market))
                streams[number] = stream
    return Evaluation(program, market, tuple(streams[number] for number in range(len(streams))))


def target_weights(evaluation: Evaluation, sessions: Indices) -> tuple[tuple[str, ...], Floats]:
    """Symbols that can be held, ascending, (N,), and (N, D) their weights on these sessions.

    Of sessions on which the root is not defined the weights mean nothing.
    """
    shares = shares_of(evaluation, sessions)
    leaves = sorted(
        (operation.symbol, number)
        for number, operation in enumerate(evaluation.program.operations)
        if isinstance(operation, Leaf)
    )
    return tuple(symbol for symbol, _ in leaves), np.array([shares[number] for _, number in leaves])


def shares_of(evaluation: Evaluation, sessions: Indices) -> list[Floats]:
    """Per operation the part of the portfolio that flows through it on these sessions, (D,)."""
    operations = evaluation.program.operations
    shares = [np.zeros(len(sessions)) for _ in operations]
    shares[-1] += 1
    for number in range(len(operations) - 1, -1, -1):
        stream = evaluation.streams[number]
        if not shares[number].any():
            continue
        for child, fraction in zip(operations[number].children, stream.fractions, strict=True):
            part = fraction if isinstance(fraction, float) else fraction[sessions]
            shares[child] += np.where(shares[number] > 0, shares[number] * part, 0)
    return shares


def _index_scores(program: Program, level: Iterable[int], streams: Mapping[int, Stream], market: Market) -> Scores:
    read = (key for number in level for key in indices_read(program, program.operations[number]))
    wanted = tuple(dict.fromkeys(read))
    looked_at = [(indicator, streams[child].defined, _returns(streams[child])) for child, indicator in wanted]
    return dict(zip(wanted, market.index_indicators(looked_at), strict=True))


def _stream(
    operation: Operation, program: Program, streams: Mapping[int, Stream], scores: Scores, market: Market
) -> Stream:
    children = [streams[child] for child in operation.children]
    match operation:
        case Leaf():
            return Stream(~np.isnan(market.history.of(operation.symbol)))
        case Fixed():
            return Stream(_all_defined(children), operation.fractions)
        case Switch():
            return _switch(operation, children, market)
        case Choice() if operation.takes_all:
            return Stream(_all_defined(children), (1 / len(children),) * len(children))
        case Choice():
            return _choice(operation, children, _scores(operation.indicator, operation, program, scores, market))
        case InverseVolatility():
            return _inverse(children, _scores(operation.returns, operation, program, scores, market))


def _all_defined(children: Iterable[Stream]) -> Bools:
    defined: Bools = np.logical_and.reduce([child.defined for child in children])
    return defined


def _switch(operation: Switch, children: list[Stream], market: Market) -> Stream:
    left, right = (market.value(value) for value in (operation.condition.left, operation.condition.right))
    known = ~(np.isnan(left) | np.isnan(right))
    holds: Bools = compare(operation.condition.comparison, left, right) & known
    then, otherwise = children
    return Stream(known & np.where(holds, then.defined, otherwise.defined), (holds, ~holds))


def _choice(operation: Choice, children: list[Stream], scores: tuple[Floats, ...]) -> Stream:
    table = rounded(np.array(scores))
    ranking = np.argsort(-table if operation.select is Select.TOP else table, axis=0, kind="stable")
    taken = np.zeros(table.shape, dtype=bool)
    np.put_along_axis(taken, ranking[: operation.count], values=True, axis=0)
    defined = np.array([child.defined for child in children])
    known = ~np.isnan(table).any(axis=0) & (defined | ~taken).all(axis=0)
    return Stream(known, tuple(np.where(row, 1 / operation.count, 0.0) for row in taken), scores)


def _inverse(children: list[Stream], stdevs: tuple[Floats, ...]) -> Stream:
    table = np.array(stdevs)
    moves = rounded(table) > 0
    inverse = 1 / np.where(moves, table, 1)
    total = np.zeros(inverse.shape[1:])
    for row in inverse:
        total = total + row
    return Stream(moves.all(axis=0) & _all_defined(children), tuple(inverse / total), stdevs)


def _scores(
    indicator: Indicator, operation: Operation, program: Program, scores: Scores, market: Market
) -> tuple[Floats, ...]:
    """Per child: a bare asset is scored on its prices, anything else on its index."""
    children = ((child, program.operations[child]) for child in operation.children)
    return tuple(
        market.indicator(own.symbol, indicator) if isinstance(own, Leaf) else scores[child, indicator]
        for child, own in children
    )


def _daily(stream: Stream, operation: Operation, streams: Mapping[int, Stream], market: Market) -> Floats:
    """(T,) returns; weights of a session earn the return of the next."""
    if isinstance(operation, Leaf):
        return market.daily_returns(operation.symbol)
    earned = np.zeros(max(market.length - 1, 0))
    for child, fraction in zip(operation.children, stream.fractions, strict=True):
        earned += _contribution(_returns(streams[child]), fraction)
    daily = np.full(market.length, np.nan)
    daily[1:] = np.where(stream.defined[:-1], earned, np.nan)
    return daily


def _returns(stream: Stream) -> Floats:
    if stream.daily is None:
        raise AssertionError("what an index stands on has returns")
    return stream.daily


def _contribution(daily: Floats, fraction: Fraction) -> Floats:
    if isinstance(fraction, float):
        return daily[1:] * fraction
    # A child without a part may have no return; it must not spoil the others.
    return np.where(fraction[:-1] > 0, daily[1:] * fraction[:-1], 0.0)
