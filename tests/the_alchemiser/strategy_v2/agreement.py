"""Engine and naive evaluator side by side, on every day of a history."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from tests.the_alchemiser.strategy_v2.naive import NaiveEvaluator, StillError, UndefinedError, Weights
from the_alchemiser.shared.symphony import Symphony, parse
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.shared.symphony.options import RsiMethod, StrategyOptions
from the_alchemiser.strategy_v2.engine import evaluate, evaluate_days, first_decided_day
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError
from the_alchemiser.strategy_v2.history import PriceHistory

FAILING_DAYS = 5
# Both round to 1e-9, from floats that differ in their last bits.
TOLERANCE = 2e-9

Failure = tuple[type[Exception], str]


def disagreement(text: str, history: PriceHistory, options: StrategyOptions, begin: int) -> str:
    """The first day on which the two differ, and how; empty when they agree on all.

    Args:
        begin: number of the session of inception.
    """
    strategy = parse(text)
    days = history.dates.tolist()
    naive = _naive(strategy, history, options)
    try:
        first = first_decided_day(strategy, history, inception=days[begin], options=options)
    except UnusableOptionError:
        return ""
    decided = len(days) if first is None else days.index(first)
    for number in range(max(begin, decided - FAILING_DAYS), decided):
        ours = _outcome(strategy, history, days[number], days[begin], options)
        if found := difference(ours, _naive_outcome(naive, number, begin)):
            return f"{days[number]}: {found}"
        if number == decided - 1 and isinstance(ours, dict):
            return f"{days[number]}: decided, yet the first decided day is {first}"
    return "" if first is None else next(_decided(strategy, history, naive, options, decided, begin), "")


def _decided(
    strategy: Symphony, history: PriceHistory, naive: NaiveEvaluator, options: StrategyOptions, first: int, begin: int
) -> Iterator[str]:
    days = history.dates.tolist()
    series = evaluate_days(strategy, history, first=days[first], last=days[-1], inception=days[begin], options=options)
    for number in range(max(first, begin), len(days)):
        if found := difference(dict(series.on(days[number])), _naive_outcome(naive, number, begin)):
            yield f"{days[number]}: {found}"


def _naive(strategy: Symphony, history: PriceHistory, options: StrategyOptions) -> NaiveEvaluator:
    prices = {
        symbol: {number: close for number, close in enumerate(closes.tolist()) if close > 0}
        for symbol, closes in history.closes.items()
    }
    cutler = options.rsi is RsiMethod.CUTLER
    return NaiveEvaluator(strategy, prices, history.dates.tolist(), ddof=options.ddof, cutler=cutler)


def _outcome(
    strategy: Symphony, history: PriceHistory, day: date, inception: date, options: StrategyOptions
) -> dict[str, Decimal] | Failure:
    try:
        return dict(evaluate(strategy, history, as_of=day, inception=inception, options=options).weights)
    except InsufficientHistoryError as error:
        return InsufficientHistoryError, error.symbol
    except ZeroVolatilityError:
        return ZeroVolatilityError, ""


def _naive_outcome(naive: NaiveEvaluator, number: int, begin: int) -> Weights | Failure:
    try:
        return naive.holding(number, inception=begin)
    except UndefinedError as error:
        return InsufficientHistoryError, error.symbol
    except StillError:
        return ZeroVolatilityError, ""


def difference(ours: dict[str, Decimal] | Failure, naive: Weights | Failure) -> str:
    """How two outcomes of a day differ; empty when they agree."""
    if isinstance(ours, dict) and isinstance(naive, dict):
        apart = {symbol: (float(ours.get(symbol, 0)), naive.get(symbol, 0.0)) for symbol in ours.keys() | naive.keys()}
        far = {symbol: pair for symbol, pair in apart.items() if abs(pair[0] - pair[1]) > TOLERANCE}
        return f"{far}" if far else ""
    # An index that begins with the history is short of no symbol in particular.
    unnamed = (
        naive == (InsufficientHistoryError, "") and isinstance(ours, tuple) and ours[0] is InsufficientHistoryError
    )
    return "" if unnamed or ours == naive else f"{ours} here, {naive} there"
