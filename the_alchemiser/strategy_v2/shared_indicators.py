"""Compute what the decisions of many strategies on one session have in common, before each is decided by itself."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.tree import Indicator
from the_alchemiser.strategy_v2.capital_flow import trace_capital
from the_alchemiser.strategy_v2.evaluation_order import recursive_prices_read
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.market import Market
from the_alchemiser.strategy_v2.program_evaluation import Evaluation

Wanted = dict[StrategyOptions, list[tuple[str, Indicator]]]


def share_indicators(evaluations: Sequence[Evaluation], history: PriceHistory) -> None:
    """Compute the recursive indicators that decisions on the last session need, all at once.

    Args:
        history: what the histories of the evaluations were cut from; they share its cache.
    """
    last = len(history.dates) - 1
    wanted: Wanted = defaultdict(list)
    for evaluation in evaluations:
        program = evaluation.program
        wanted[program.options].extend(recursive_prices_read(program, range(len(program.operations))))
    for options, keys in wanted.items():
        Market(history, options).precompute_on(last, keys)

    # Which indicators are needed on all sessions depends on where the capital goes on the last one.
    wanted = defaultdict(list)
    for evaluation in evaluations:
        scored = trace_capital(evaluation, np.array([last])).scored
        wanted[evaluation.program.options].extend(evaluation.recursive_prices_below(scored))
    for options, keys in wanted.items():
        Market(history, options).precompute(keys)
