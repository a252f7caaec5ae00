"""Evaluate a strategy on a history: the weights of one day with their reasons, or the weights of a range of days."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.collector import collector_paused
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.shared.symphony.weight_rounding import cash_beside, round_weights
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.explain import FRAGILE_POINTS, decision_path
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.program_evaluation import Evaluation
from the_alchemiser.strategy_v2.rebalancing import compute_holdings, raise_undecided


class Decision(Frozen):
    """The weights that a strategy wants to hold at the close of one day, and why.

    Attributes:
        weights: for each held symbol its weight, above 0, rounded to 1e-9.
        cash: the rest: with the weights it sums to exactly 1.
        closes: the adjusted close on as_of of each held symbol, USD.
        decided_on: the session whose closes decided; before as_of if the strategy does not decide daily.
        path: the decision path of decided_on, plain data for JSON.
        bars_digest: digest of the bars that the strategy could read, through as_of.
    """

    strategy: str
    as_of: date
    decided_on: date
    weights: Mapping[str, Decimal]
    cash: Decimal
    closes: Mapping[str, Decimal]
    path: Mapping[str, Any]
    bars_digest: str


@collector_paused()
def evaluate(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    as_of: date,
    inception: date,
    next_session: date,
    options: StrategyOptions | None = None,
    fragile_points: float = FRAGILE_POINTS,
) -> Decision:
    """Decide one day on the closes through that day; later bars of the history are ignored.

    Args:
        strategy: a parsed strategy, or a compiled one, which has its own options.
        as_of: the session whose close is the last one known.
        inception: the day from which a rebalance-threshold is simulated; without effect on other strategies.
        next_session: the session after as_of; a strategy that decides `before-period` decides on as_of if that session
            begins a period.
        options: indicator conventions for a parsed strategy; None for the defaults.
        fragile_points: the distance below which a step of the path is fragile; see `explain`.

    Raises:
        InsufficientHistoryError: a value that the decision needs is undefined.
        ZeroVolatilityError: the returns of a child of an inverse volatility are all equal.
        NotStartedError: as_of is before the inception of a strategy with a rebalance-threshold.
        LateHistoryError: the inception of such a strategy is before the first session of the history.
        UnusableOptionError: a window is too short for the options.
    """
    evaluation = prepare(strategy, history, through=as_of, next_session=next_session, options=options)
    known = evaluation.market.history
    last = compute_holdings(evaluation, len(known.dates) - 1, inception=inception)
    if not last.answered[0]:
        raise_undecided(evaluation, inception=inception)

    weights = rounded_weights(last.symbols, last.weights[0], last.cash[0])
    decided = int(last.decided[0])
    return Decision(
        strategy=evaluation.program.name,
        as_of=as_of,
        decided_on=date_of(known.dates[decided]),
        weights=weights,
        cash=cash_beside(weights),
        closes={symbol: Decimal(repr(float(known.of(symbol)[-1]))) for symbol in weights},
        path=_path(evaluation, decided, as_of=as_of, fragile_points=fragile_points),
        bars_digest=known.digest,
    )


def prepare(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    through: date,
    next_session: date,
    options: StrategyOptions | None,
) -> Evaluation:
    """Return a strategy on what was known at the close of a day; the arguments are those of `evaluate`."""
    program = strategy if isinstance(strategy, Program) else compile_symphony(strategy, options)
    known = history.select(program.symbols).through(through)
    return Evaluation(program, known, np.datetime64(next_session, "D"))


def rounded_weights(symbols: tuple[str, ...], weights: Floats, cash: float) -> dict[str, Decimal]:
    """Return the rounded weights above 0, given (N,) weights of the symbols and the part in cash."""
    held = {symbol: weight for symbol, weight in zip(symbols, weights.tolist(), strict=True) if weight > 0}
    return round_weights(held, float(cash))


def _path(evaluation: Evaluation, decided: int, *, as_of: date, fragile_points: float) -> Mapping[str, Any]:
    steps = decision_path(evaluation, decided, fragile_points=fragile_points)
    return {
        "strategy": evaluation.program.name,
        "as_of": as_of.isoformat(),
        "decided_on": date_of(evaluation.market.history.dates[decided]).isoformat(),
        "rebalance": _rebalance_rule(evaluation.program),
        "fragile": sum(step.get("fragile", False) for step in steps),
        "steps": steps,
    }


def _rebalance_rule(program: Program) -> str:
    rebalance = program.rebalance
    return f"threshold {rebalance.points:g}" if isinstance(rebalance, Threshold) else rebalance.value


def date_of(day: np.datetime64) -> date:
    """Return a session as a date."""
    return date.fromisoformat(str(day))
