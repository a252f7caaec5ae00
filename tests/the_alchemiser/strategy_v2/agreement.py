"""Compare the engine with the naive evaluator on every day of a history."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from desk.decision_series import evaluate_day, evaluate_days, first_decided_day, session_after
from tests.the_alchemiser.strategy_v2.naive import NaiveEvaluator, StillError, UndefinedError, Weights
from the_alchemiser.shared.symphony import Symphony, parse
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.shared.symphony.options import Decide, RsiMethod, StrategyOptions
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError
from the_alchemiser.strategy_v2.history import PriceHistory

FAILING_DAYS = 5
# The engine rounds to 1e-9, from floats that differ from the naive ones in their last bits.
TOLERANCE = 2e-9

Failure = tuple[type[Exception], str]


def disagreement(text: str, history: PriceHistory, options: StrategyOptions, begin: int) -> str:
    """Describe the first day on which the two differ; empty if they agree on all.

    Args:
        begin: session number of the inception.
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
        outcome = _outcome(strategy, history, days[number], days[begin], options)
        if mismatch := difference(outcome, _naive_outcome(naive, number, begin)):
            return f"{days[number]}: {mismatch}"
        if number == decided - 1 and isinstance(outcome, dict):
            return f"{days[number]}: decided, but the first decided day is {first}"

    return "" if first is None else next(_decided(strategy, history, naive, options, decided, begin), "")


def _decided(
    strategy: Symphony, history: PriceHistory, naive: NaiveEvaluator, options: StrategyOptions, first: int, begin: int
) -> Iterator[str]:
    days = history.dates.tolist()
    series = evaluate_days(strategy, history, first=days[first], last=days[-1], inception=days[begin], options=options)
    for number in range(max(first, begin), len(days)):
        if mismatch := difference(dict(series.on(days[number])), _naive_outcome(naive, number, begin)):
            yield f"{days[number]}: {mismatch}"


def _naive(strategy: Symphony, history: PriceHistory, options: StrategyOptions) -> NaiveEvaluator:
    prices = {symbol: _by_session(closes) for symbol, closes in history.closes.items()}
    cutler = options.rsi is RsiMethod.CUTLER
    days = [*history.dates.tolist(), session_after(history, history.dates[-1].item())]
    before_period = options.decide is Decide.BEFORE_PERIOD
    return NaiveEvaluator(strategy, prices, days, ddof=options.ddof, cutler=cutler, before_period=before_period)


def _by_session(closes: Floats) -> dict[int, float]:
    return {number: close for number, close in enumerate(closes.tolist()) if close > 0}


def _outcome(
    strategy: Symphony, history: PriceHistory, day: date, inception: date, options: StrategyOptions
) -> dict[str, Decimal] | Failure:
    try:
        return dict(evaluate_day(strategy, history, as_of=day, inception=inception, options=options).weights)
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


def difference(engine: dict[str, Decimal] | Failure, naive: Weights | Failure) -> str:
    """Describe how two outcomes of a day differ; empty if they agree."""
    if isinstance(engine, dict) and isinstance(naive, dict):
        decided: dict[str | None, Decimal] = dict(engine.items())
        decided[None] = 1 - sum(engine.values(), Decimal(0))
        symbols = decided.keys() | naive.keys()
        pairs = {symbol: (float(decided.get(symbol, 0)), naive.get(symbol, 0.0)) for symbol in symbols}
        too_far = {symbol: pair for symbol, pair in pairs.items() if abs(pair[0] - pair[1]) > TOLERANCE}
        return f"{too_far}" if too_far else ""

    # The naive evaluator names no symbol if an index is short because the history starts there.
    is_short = isinstance(engine, tuple) and engine[0] is InsufficientHistoryError
    if engine == naive or (is_short and naive == (InsufficientHistoryError, "")):
        return ""
    return f"engine: {engine}, naive: {naive}"
