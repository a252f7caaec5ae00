"""Decide one strategy of the book: the adapter between the service and the engine."""

from datetime import date

from the_alchemiser.shared.book import BookEntry
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.prices import Prices
from the_alchemiser.strategy_v2.service import StrategyDecision


def decide_strategy(entry: BookEntry, prices: Prices, as_of: date, trading_date: date) -> StrategyDecision:
    """Decide one strategy of the book on these prices.

    Raises:
        BookError, SymphonyError: the strategy file cannot be read or parsed.
        EvaluationError: the day cannot be decided. None of the three is retryable.
    """
    history = PriceHistory.from_series(prices.series, flaws=prices.unusable)
    decision = evaluate(
        entry.symphony,
        history,
        as_of=as_of,
        inception=entry.inception,
        next_session=trading_date,
        options=entry.options,
    )
    return StrategyDecision(decision.weights, decision.cash, decision.closes, decision.path, decision.bars_digest)
