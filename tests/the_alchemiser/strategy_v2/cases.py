"""Small handmade markets: closes by symbol on weekdays from Monday 2021-01-04."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from desk.decision_series import evaluate_day
from tests.the_alchemiser.strategy_v2.symphonies import file_of, sessions
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.engine import Decision
from the_alchemiser.strategy_v2.history import DAY, PriceHistory

START = date(2021, 1, 4)


def market(**closes: Sequence[float | None]) -> PriceHistory:
    """Build a history from closes, None where a symbol has no bar; shorter sequences end at the last session."""
    count = max(map(len, closes.values()))
    dates = np.array(sessions(count), dtype=DAY)
    return PriceHistory(dates, {symbol: _right_aligned(values, count) for symbol, values in closes.items()})


def _right_aligned(values: Sequence[float | None], count: int) -> Floats:
    return np.array([None] * (count - len(values)) + list(values), dtype=np.float64)


def decide(
    node: str,
    history: PriceHistory,
    *,
    rule: str = ":rebalance-frequency :daily",
    as_of: date | None = None,
    inception: date = START,
    options: StrategyOptions | None = None,
) -> Decision:
    """Decide a node, on the last session unless `as_of` is given."""
    day = history.dates[-1].item() if as_of is None else as_of
    return evaluate_day(
        parse(file_of(node, rule), source="case.clj"), history, as_of=day, inception=inception, options=options
    )


def weights(node: str, history: PriceHistory, *, rule: str = ":rebalance-frequency :daily") -> dict[str, float]:
    """Decide a node on the last session and return only its weights."""
    return {symbol: float(weight) for symbol, weight in decide(node, history, rule=rule).weights.items()}


def asset(symbol: str) -> str:
    """Return the text of an asset node."""
    return f'(asset "{symbol}" nil)'
