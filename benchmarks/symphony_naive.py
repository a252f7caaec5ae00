"""Run the engine and the tests' naive evaluator on the same days of the same strategy, in one process."""

import json
import time

from benchmarks.corpus import generate, generate_bars, symbol_names
from benchmarks.symphony_work import AS_OF
from desk.decision_series import evaluate_days
from tests.the_alchemiser.strategy_v2.naive import NaiveEvaluator, Weights
from the_alchemiser.shared.symphony import parse
from the_alchemiser.strategy_v2.history import PriceHistory

_SESSIONS = 500
_DAYS = 20
_NAIVE_DAYS = 3
_SYMBOLS = symbol_names(60)


def main() -> None:
    """Print the seconds per day of both, as JSON, and check that they agree on the last days."""
    symphony = parse(generate(seed=1, target_bytes=60_000, symbols=_SYMBOLS, depth=60, distinct=400))
    bars = generate_bars(_SYMBOLS, _SESSIONS, seed=1)
    dates = [day.item() for day in bars[_SYMBOLS[0]][0]]

    started = time.perf_counter()
    history = PriceHistory.from_series(bars)
    ours = evaluate_days(symphony, history, first=dates[-_DAYS], last=AS_OF, inception=dates[0])
    ours_s = (time.perf_counter() - started) / _DAYS

    closes = {symbol: dict(enumerate(values.tolist())) for symbol, (_, values) in bars.items()}
    started = time.perf_counter()
    for number in range(_SESSIONS - _NAIVE_DAYS, _SESSIONS):
        held = NaiveEvaluator(symphony, closes, dates).holding(number)
        _require_equal(held, {symbol: float(weight) for symbol, weight in ours.on(dates[number]).items()})
    naive_s = (time.perf_counter() - started) / _NAIVE_DAYS

    print(json.dumps({"ours_s": ours_s, "naive_s": naive_s}))  # noqa: T201 - read by the parent process


def _require_equal(naive: Weights, ours: dict[str, float]) -> None:
    symbols = ours.keys() | {symbol for symbol in naive if symbol is not None}
    worst = max(abs(naive.get(symbol, 0) - ours.get(symbol, 0)) for symbol in symbols)
    if worst > 1e-8:
        raise AssertionError(f"the weights of the engine and the naive evaluator differ by {worst}")
