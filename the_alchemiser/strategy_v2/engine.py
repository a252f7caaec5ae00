"""A strategy on a history: the weights of one day and why, or those of every day of a range."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from the_alchemiser.shared.book import StrategyOptions
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.strategy_v2.arrays import Dates, Floats, Indices
from the_alchemiser.strategy_v2.explain import FRAGILE_POINTS, decision_path
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.rebalancing import holdings, refuse
from the_alchemiser.strategy_v2.streams import Evaluation
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


@dataclass(frozen=True, slots=True)
class DecisionSeries:
    """What a strategy holds, session by session.

    Attributes:
        dates: (D,) the sessions, ascending.
        symbols: (N,) all that the strategy can hold, ascending.
        weights: (D, N) held at the close of each session, drift included; rows sum to 1.
        decided: (D,) of each session the number, among the sessions of the history, of the one that last decided.
        sessions: (T,) the sessions of the history through the last of dates.
    """

    strategy: str
    dates: Dates
    symbols: tuple[str, ...]
    weights: Floats
    decided: Indices
    sessions: Dates

    def on(self, day: date) -> Mapping[str, Decimal]:
        """The weights of a day, exactly those that `evaluate` gives for it.

        Raises:
            KeyError: the day is none of the sessions.
        """
        return _exact(self.symbols, self.weights[self._row(day)])

    def decided_on(self, day: date) -> date:
        """The session whose data decided what is held on a day.

        Raises:
            KeyError: the day is none of the sessions.
        """
        return _date(self.sessions[self.decided[self._row(day)]])

    def _row(self, day: date) -> int:
        row = int(np.searchsorted(self.dates, np.datetime64(day, "D")))
        if row == len(self.dates) or self.dates[row] != np.datetime64(day, "D"):
            raise KeyError(f"{day} is no session of the series")
        return row


def evaluate(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    as_of: date,
    inception: date,
    options: StrategyOptions | None = None,
    fragile_points: float = FRAGILE_POINTS,
) -> Decision:
    """Decide one day on the closes through it; what the history knows of later days is not looked at.

    Args:
        strategy: parsed, or compiled (then with its own options).
        as_of: the session whose close is the last one known.
        inception: where the simulation of a rebalance-threshold begins; else without effect.
        options: conventions; None for the defaults.
        fragile_points: how near to its opposite a step of the path counts as fragile.

    Raises:
        InsufficientHistoryError: a value that the decision needs is not defined.
        ZeroVolatilityError: an inverse volatility has nothing to divide by.
        NotStartedError: as_of is before the inception of a strategy with a rebalance-threshold.
        LateHistoryError: its inception is before the first session of the history.
        UnusableOptionError: a window without meaning under the options.
    """
    evaluation = _evaluation(strategy, history, through=as_of, options=options)
    known = evaluation.market.history
    last = holdings(evaluation, len(known.dates) - 1, inception=inception)
    if not last.answered[0]:
        refuse(evaluation, inception=inception)
    weights = _exact(last.symbols, last.weights[0])
    decided = int(last.decided[0])
    return Decision(
        strategy=evaluation.program.name,
        as_of=as_of,
        decided_on=_date(known.dates[decided]),
        weights=weights,
        closes={symbol: Decimal(repr(float(known.of(symbol)[-1]))) for symbol in weights},
        path=_path(evaluation, decided, as_of=as_of, fragile_points=fragile_points),
        bars_digest=known.digest,
    )


def evaluate_days(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    first: date,
    last: date,
    inception: date,
    options: StrategyOptions | None = None,
) -> DecisionSeries:
    """Decide every session of the history from first to last, each on the closes through it.

    Raises:
        EvaluationError: what `evaluate` raises for the first of the sessions that has no answer.
    """
    evaluation = _evaluation(strategy, history, through=last, options=options)
    program, dates = evaluation.program, evaluation.market.history.dates
    count = int(np.searchsorted(history.dates, np.datetime64(last, "D"), side="right"))
    begin = min(int(np.searchsorted(dates, np.datetime64(first, "D"))), count)
    held = holdings(evaluation, begin, inception=inception)
    asked = slice(0, count - begin)
    if not held.answered[asked].all():
        day = _date(dates[begin + int(np.argmin(held.answered[asked]))])
        evaluate(program, history, as_of=day, inception=inception)
        raise AssertionError(f"{program.name}: {day} is answered alone, yet not among others")
    return DecisionSeries(
        program.name, dates[begin:count], held.symbols, held.weights[asked], held.decided[asked], dates[:count]
    )


def first_decided_day(
    strategy: Symphony | Program, history: PriceHistory, *, inception: date, options: StrategyOptions | None = None
) -> date | None:
    """The first session from which every later one of the history has an answer; None when the last has none."""
    if not len(history.dates):
        return None
    evaluation = _evaluation(strategy, history, through=_date(history.dates[-1]), options=options)
    answered = holdings(evaluation, 0, inception=inception).answered
    first = len(answered) - int(np.argmin(answered[::-1])) if not answered.all() else 0
    return _date(history.dates[first]) if first < len(answered) else None


def _evaluation(
    strategy: Symphony | Program, history: PriceHistory, *, through: date, options: StrategyOptions | None
) -> Evaluation:
    program = strategy if isinstance(strategy, Program) else compile_symphony(strategy, options)
    return Evaluation(program, history.select(program.symbols).through(through))


def _exact(symbols: tuple[str, ...], weights: Floats) -> dict[str, Decimal]:
    held = {symbol: weight for symbol, weight in zip(symbols, weights.tolist(), strict=True) if weight > 0}
    return exact_weights(held)


def _path(evaluation: Evaluation, decided: int, *, as_of: date, fragile_points: float) -> Mapping[str, Any]:
    steps = decision_path(evaluation, decided, fragile_points=fragile_points)
    return {
        "strategy": evaluation.program.name,
        "as_of": as_of.isoformat(),
        "decided_on": _date(evaluation.market.history.dates[decided]).isoformat(),
        "rebalance": _rule(evaluation.program),
        "fragile": sum(step.get("fragile", False) for step in steps),
        "steps": steps,
    }


def _rule(program: Program) -> str:
    rebalance = program.rebalance
    return f"threshold {rebalance.points:g}" if isinstance(rebalance, Threshold) else rebalance.value


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
