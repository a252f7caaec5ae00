"""Compute what the decisions of many strategies on one session have in common, before each is decided by itself."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from the_alchemiser.strategy_v2.capital_flow import trace_capital
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.market import Market
from the_alchemiser.strategy_v2.program_evaluation import Evaluation


def share_indicators(evaluations: Sequence[Evaluation], history: PriceHistory) -> None:
    """Compute the recursive indicators that decisions on the last session need, all at once.

    Args:
        history: what the histories of the evaluations were cut from; they share its cache.
    """
    last = len(history.dates) - 1
    for options in {evaluation.program.options for evaluation in evaluations}:
        alike = [evaluation for evaluation in evaluations if evaluation.program.options == options]
        market = Market(history, options)
        market.precompute_on(last, chain.from_iterable(map(Evaluation.recursive_prices, alike)))

        # Which indicators are needed on all sessions depends on where the capital goes on the last one.
        scored = [trace_capital(evaluation, np.array([last])).scored for evaluation in alike]
        market.precompute(chain.from_iterable(map(Evaluation.recursive_prices_below, alike, scored)))
