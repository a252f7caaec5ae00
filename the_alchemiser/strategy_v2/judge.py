"""The engine, as the service calls it."""

from datetime import date

from the_alchemiser.shared.book import BookEntry
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.prices import Prices
from the_alchemiser.strategy_v2.service import Judgement


def judge(entry: BookEntry, prices: Prices, as_of: date) -> Judgement:
    """Decide one strategy of the book on the prices given.

    Raises:
        SymphonyError, EvaluationError: there is no decision; trying again changes nothing.
    """
    history = PriceHistory.from_series(prices.series, flaws=prices.absent)
    decision = evaluate(entry.symphony, history, as_of=as_of, inception=entry.inception, options=entry.options)
    return Judgement(decision.weights, decision.closes, decision.path, decision.bars_digest)
