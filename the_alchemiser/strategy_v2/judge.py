"""The engine, as the service calls it."""

from datetime import date

import numpy as np

from the_alchemiser.shared.book import BookEntry
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.history import DAY, PriceHistory
from the_alchemiser.strategy_v2.prices import Prices
from the_alchemiser.strategy_v2.service import Judgement


def judge(entry: BookEntry, prices: Prices, as_of: date) -> Judgement:
    """Decide one strategy of the book on the prices given.

    Raises:
        SymphonyError, EvaluationError: there is no decision; trying again changes nothing.
    """
    series = {
        symbol: (np.array(known.dates, dtype=DAY), np.array(known.closes, dtype=np.float64))
        for symbol, known in prices.series.items()
    }
    history = PriceHistory.from_series(series, flaws=prices.absent)
    decision = evaluate(entry.symphony, history, as_of=as_of, inception=entry.inception, options=entry.options)
    return Judgement(decision.weights, decision.closes, decision.path, decision.bars_digest)
