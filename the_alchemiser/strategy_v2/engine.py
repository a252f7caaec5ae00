"""One strategy, one day: its weights, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from the_alchemiser.shared.book import StrategyOptions
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.strategy_v2.compiler import compile_symphony
from the_alchemiser.strategy_v2.explain import decision_path
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.program import Program
from the_alchemiser.strategy_v2.rebalancing import Holding, holding_by_frequency, holding_by_threshold
from the_alchemiser.strategy_v2.streams import Evaluation, run
from the_alchemiser.strategy_v2.weights import exact_weights


@dataclass(frozen=True, slots=True)
class Decision:
    """What a strategy wants to hold.

    Attributes:
        weights: per symbol, above 0, at 1e-9, summing to exactly 1.
        closes: of the symbols in weights, adjusted close of as_of, USD.
        decided_on: the session whose data decided; before as_of where the strategy does not decide daily.
        path: the decision path of decided_on, plain data for JSON.
        bars_digest: of the bars that the strategy could look at, through as_of.
    """

    strategy: str
    as_of: date
    decided_on: date
    weights: Mapping[str, Decimal]
    closes: Mapping[str, Decimal]
    path: Mapping[str, Any]
    bars_digest: str


def evaluate(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    as_of: date,
    inception: date,
    options: StrategyOptions | None = None,
) -> Decision:
    """Decide one day on the closes through it; what the history knows of later days is not looked at.

    Args:
        strategy: parsed, or compiled (then with its own options).
        as_of: the session whose close is the last one known.
        inception: where the simulation of a rebalance-threshold begins; else without effect.
        options: conventions; None for the defaults.

    Raises:
        InsufficientHistoryError: a value that the decision needs is not defined.
        ZeroVolatilityError: an inverse volatility has nothing to divide by.
        NotStartedError: as_of is before the inception of a strategy with a rebalance-threshold.
        UnusableOptionError: a window without meaning under the options.
    """
    program = strategy if isinstance(strategy, Program) else compile_symphony(strategy, options)
    known = history.select(program.symbols).through(as_of)
    evaluation = run(program, known)
    holding = _holding(evaluation, inception)
    weights = exact_weights(holding.weights)
    decided_on = date.fromisoformat(str(known.dates[holding.decided]))
    return Decision(
        strategy=program.name,
        as_of=as_of,
        decided_on=decided_on,
        weights=weights,
        closes={symbol: Decimal(repr(float(known.of(symbol)[-1]))) for symbol in weights},
        path=_path(evaluation, holding, as_of=as_of, decided_on=decided_on),
        bars_digest=known.digest,
    )


def _path(evaluation: Evaluation, holding: Holding, *, as_of: date, decided_on: date) -> Mapping[str, Any]:
    return {
        "strategy": evaluation.program.name,
        "as_of": as_of.isoformat(),
        "decided_on": decided_on.isoformat(),
        "rebalance": _rule(evaluation.program),
        "steps": decision_path(evaluation, holding.decided),
    }


def _holding(evaluation: Evaluation, inception: date) -> Holding:
    rebalance = evaluation.program.rebalance
    if isinstance(rebalance, Threshold):
        return holding_by_threshold(evaluation, rebalance.points, inception=inception)
    return holding_by_frequency(evaluation, rebalance)


def _rule(program: Program) -> str:
    rebalance = program.rebalance
    return f"threshold {rebalance.points:g}" if isinstance(rebalance, Threshold) else rebalance.value
