"""A second, slow evaluator: one day at a time, with plain floats and recursion.

It was written from the rules of the language and shares only the syntax tree with the engine; the two must agree.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import pairwise

from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Comparison,
    Condition,
    CurrentPrice,
    Empty,
    Filter,
    Frequency,
    Group,
    If,
    Indicator,
    IndicatorKind,
    Junction,
    Number,
    Predicate,
    Select,
    Symphony,
    Threshold,
    Value,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)

Weights = dict[str | None, float]
"""The weights of a portfolio, which sum to 1; None is cash."""


class UndefinedError(Exception):
    """A value that the day needs is missing.

    Attributes:
        symbol: the symbol whose bars are too few; empty if the index of a node is short because the history starts.
    """

    def __init__(self, symbol: str = "") -> None:
        self.symbol = symbol
        super().__init__(symbol)


class StillError(Exception):
    """A child of an inverse volatility did not move."""


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def stdev(values: Sequence[float], ddof: int) -> float:
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - ddof))


def ema_series(values: Sequence[float], window: int) -> list[float]:
    if len(values) < window:
        raise UndefinedError
    out = [mean(values[:window])]
    alpha = 2 / (window + 1)
    for value in values[window:]:
        out.append(alpha * value + (1 - alpha) * out[-1])
    return out


def changes_in_percent(closes: Sequence[float]) -> list[float]:
    return [(after - before) / before * 100 for before, after in pairwise(closes)]


def last(values: Sequence[float], count: int) -> Sequence[float]:
    if len(values) < count:
        raise UndefinedError
    return values[-count:]


def rsi(closes: Sequence[float], window: int, *, cutler: bool = False) -> float:
    moves = [after - before for before, after in pairwise(closes)]
    if len(moves) < window:
        raise UndefinedError
    first = moves[-window:] if cutler else moves[:window]
    gain = mean([max(move, 0.0) for move in first])
    loss = mean([max(-move, 0.0) for move in first])
    for move in [] if cutler else moves[window:]:
        gain = (gain * (window - 1) + max(move, 0.0)) / window
        loss = (loss * (window - 1) + max(-move, 0.0)) / window
    if gain == loss == 0:
        return 50.0
    return 100.0 if loss == 0 else 100 - 100 / (1 + gain / loss)


def max_drawdown(closes: Sequence[float]) -> float:
    return max((1 - min(closes[at:]) / high) * 100 for at, high in enumerate(closes))


def ppo_series(closes: Sequence[float], short: int, long: int) -> list[float]:
    count = len(closes) - max(short, long) + 1
    if count < 1:
        raise UndefinedError
    pairs = zip(ema_series(closes, short)[-count:], ema_series(closes, long)[-count:], strict=True)
    return [(fast - slow) / slow * 100 for fast, slow in pairs]


def indicator_value(indicator: Indicator, closes: Sequence[float], *, ddof: int = 1, cutler: bool = False) -> float:
    windows = indicator.windows
    first = windows[0]
    by_kind: dict[IndicatorKind, Callable[[], float]] = {
        IndicatorKind.RSI: lambda: rsi(closes, first, cutler=cutler),
        IndicatorKind.MOVING_AVERAGE_PRICE: lambda: mean(last(closes, first)),
        IndicatorKind.MOVING_AVERAGE_RETURN: lambda: mean(last(changes_in_percent(closes), first)),
        IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE: lambda: ema_series(closes, first)[-1],
        IndicatorKind.CUMULATIVE_RETURN: lambda: (closes[-1] / last(closes, first + 1)[0] - 1) * 100,
        IndicatorKind.STDEV_RETURN: lambda: stdev(last(changes_in_percent(closes), first), ddof),
        IndicatorKind.STDEV_PRICE: lambda: stdev(last(closes, first), 1),
        IndicatorKind.MAX_DRAWDOWN: lambda: max_drawdown(last(closes, first)),
        IndicatorKind.PPO: lambda: ppo_series(closes, *windows)[-1],
        IndicatorKind.PPO_SIGNAL: lambda: ema_series(ppo_series(closes, *windows[:2]), windows[2])[-1],
    }
    return by_kind[indicator.kind]()


class NaiveEvaluator:
    """Evaluates one strategy.

    Prices are {symbol: {session number: close}}, without an entry where there is no bar. With `before_period`, the days
    must include the session after the last one.
    """

    def __init__(
        self,
        symphony: Symphony,
        prices: Mapping[str, Mapping[int, float]],
        days: Sequence[date],
        *,
        ddof: int = 1,
        cutler: bool = False,
        before_period: bool = False,
    ) -> None:
        self.before_period = before_period
        self.ddof = ddof
        self.cutler = cutler
        self.symphony = symphony
        self.prices = prices
        self.days = days
        self.weights_of = cache(self._weights_of)
        self.index_of = cache(self._index_of)

    def holding(self, day: int, *, inception: int = 0) -> Weights:
        rebalance = self.symphony.rebalance
        if isinstance(rebalance, Threshold):
            return self._by_threshold(day, rebalance.points, inception)
        traded = day + self.before_period
        period = self._period(traded, rebalance)
        first = min(session for session in range(traded + 1) if self._period(session, rebalance) == period)
        first = max(first - self.before_period, 0)
        weights = self.root(first)
        return self._drifted(weights, first, day) if first < day else weights

    def root(self, day: int) -> Weights:
        return self.weights_of(len(self.symphony.nodes) - 1, day)

    def _by_threshold(self, day: int, points: float, inception: int) -> Weights:
        held = self.root(inception)
        for session in range(inception + 1, day + 1):
            target = self.root(session)
            if held.keys() == target.keys():
                drifted = self._drifted(held, session - 1, session)
                if all(round(abs(drifted[symbol] - target[symbol]), 8) <= points for symbol in target):
                    held = drifted
                    continue
            held = target
        return held

    def _drifted(self, weights: Weights, begin: int, end: int) -> Weights:
        grown = {
            symbol: weight * self.close(symbol, end) / self.close(symbol, begin)
            for symbol, weight in sorted(weights.items(), key=lambda held: held[0] or "")
        }
        total = sum(grown.values())
        return {symbol: value / total for symbol, value in grown.items()}

    def _period(self, day: int, frequency: Frequency) -> tuple[int, ...]:
        moment = self.days[day]
        match frequency:
            case Frequency.DAILY:
                return (day,)
            case Frequency.WEEKLY:
                return moment.isocalendar()[:2]
            case Frequency.MONTHLY:
                return (moment.year, moment.month)
            case Frequency.QUARTERLY:
                return (moment.year, (moment.month - 1) // 3)
            case Frequency.YEARLY:
                return (moment.year,)

    def close(self, symbol: str | None, day: int) -> float:
        if symbol is None:
            return 1.0
        if day not in self.prices.get(symbol, {}):
            raise UndefinedError(symbol)
        return self.prices[symbol][day]

    def closes(self, symbol: str, day: int) -> list[float]:
        self.close(symbol, day)
        return [close for session, close in sorted(self.prices[symbol].items()) if session <= day]

    def _weights_of(self, number: int, day: int) -> Weights:
        node = self.symphony.nodes[number]
        match node:
            case Asset():
                self.close(node.symbol, day)
                return {node.symbol: 1.0}
            case Empty():
                return {None: 1.0}
            case WeightEqual():
                return self.equal(node.children, day)
            case Group():
                return self.equal(node.body, day)
            case WeightSpecified():
                pairs = [(child, part) for child, part in zip(node.children, node.fractions, strict=True) if part]
                return self.mixed(pairs, day)
            case WeightInverseVolatility():
                return self.inverse(node, day)
            case If():
                return self.equal(node.then if self.holds(node.condition, day) else node.otherwise, day)
            case Filter():
                return self.equal(self.chosen(node, day), day)

    def mixed(self, pairs: Sequence[tuple[int, float]], day: int) -> Weights:
        total = sum(part for _, part in pairs)
        weights: Weights = {}
        for child, part in pairs:
            for symbol, weight in self.weights_of(child, day).items():
                weights[symbol] = weights.get(symbol, 0.0) + weight * part / total
        return weights

    def equal(self, children: Block, day: int) -> Weights:
        return self.mixed([(child, 1.0) for child in children], day)

    def inverse(self, node: WeightInverseVolatility, day: int) -> Weights:
        indicator = Indicator(IndicatorKind.STDEV_RETURN, (node.window,))
        stdevs = [self.score(child, indicator, day) for child in node.children]
        if any(round(value, 8) == 0 for value in stdevs):
            raise StillError
        return self.mixed([(child, 1 / value) for child, value in zip(node.children, stdevs, strict=True)], day)

    def chosen(self, node: Filter, day: int) -> Block:
        if node.count >= len(node.candidates):
            return node.candidates
        scores = [round(self.score(child, node.indicator, day), 8) for child in node.candidates]
        sign = -1 if node.select is Select.TOP else 1
        places = sorted(range(len(scores)), key=lambda place: sign * scores[place])
        return tuple(node.candidates[place] for place in places[: node.count])

    def score(self, number: int, indicator: Indicator, day: int) -> float:
        node = self.symphony.nodes[number]
        if isinstance(node, Asset):
            return self.on_prices(indicator, node.symbol, day)
        levels, cut_by = self.index_of(number, day)
        try:
            return indicator_value(indicator, levels, ddof=self.ddof, cutler=self.cutler)
        except UndefinedError:
            raise cut_by from None

    def _index_of(self, number: int, day: int) -> tuple[list[float], Exception]:
        """Return the index, and the reason why it does not reach further back."""
        self.weights_of(number, day)
        gains: list[float] = []
        cut_by: Exception = UndefinedError()
        for session in range(day, 0, -1):
            try:
                weights = self.weights_of(number, session - 1)
                gains.insert(0, sum(weight * self.gain(symbol, session) for symbol, weight in weights.items()))
            except (UndefinedError, StillError) as error:
                cut_by = error
                break
        levels = [100.0]
        for gain in gains:
            levels.append(levels[-1] * (1 + gain))
        return levels, cut_by

    def gain(self, symbol: str | None, day: int) -> float:
        return self.close(symbol, day) / self.close(symbol, day - 1) - 1

    def holds(self, predicate: Predicate, day: int) -> bool:
        if isinstance(predicate, Condition):
            return self.compared(predicate, day)
        settled_by = predicate.junction is Junction.ANY
        missing: list[UndefinedError] = []
        for part in predicate.parts:
            try:
                if self.holds(part, day) is settled_by:
                    return settled_by
            except UndefinedError as error:
                missing.append(error)
        if missing:
            raise missing[0]
        return not settled_by

    def compared(self, condition: Condition, day: int) -> bool:
        left, right = (round(self.value(value, day), 8) for value in (condition.left, condition.right))
        outcomes = {
            Comparison.GREATER: left > right,
            Comparison.LESS: left < right,
            Comparison.GREATER_OR_EQUAL: left >= right,
            Comparison.LESS_OR_EQUAL: left <= right,
            Comparison.EQUAL: left == right,
        }
        return outcomes[condition.comparison]

    def value(self, value: Value, day: int) -> float:
        match value:
            case Number():
                return value.value
            case CurrentPrice():
                return self.close(value.symbol, day)
            case _:
                return self.on_prices(value.indicator, value.symbol, day)

    def on_prices(self, indicator: Indicator, symbol: str, day: int) -> float:
        try:
            return indicator_value(indicator, self.closes(symbol, day), ddof=self.ddof, cutler=self.cutler)
        except UndefinedError:
            raise UndefinedError(symbol) from None
