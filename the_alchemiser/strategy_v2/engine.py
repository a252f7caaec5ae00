"""Evaluate a strategy on a history: the weights of one day with their reasons, or the weights of a range of days."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import Threshold
from the_alchemiser.shared.symphony.weight_rounding import cash_beside, round_weights
from the_alchemiser.strategy_v2.arrays import Dates, Floats, Indices
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


class DecisionSeries(Frozen):
    """The weights that a strategy holds on each session of a range.

    Attributes:
        dates: (D,) the sessions, ascending.
        symbols: (N,) the symbols that the strategy can hold, ascending.
        weights: (D, N) weights held at the close of each session, drift included, not rounded.
        cash: (D,) the rest: a row of weights and its cash sum to 1.
        decided: (D,) for each session, the position in `sessions` of the session that last decided.
        sessions: (T,) the sessions of the history through the last of `dates`.
    """

    strategy: str
    dates: Dates
    symbols: tuple[str, ...]
    weights: Floats
    cash: Floats
    decided: Indices
    sessions: Dates

    def on(self, day: date) -> Mapping[str, Decimal]:
        """Return the rounded weights of a day, exactly as `evaluate` returns them.

        Raises:
            KeyError: the day is not a session of the series.
        """
        row = self._row(day)
        return _rounded_weights(self.symbols, self.weights[row], self.cash[row])

    def decided_on(self, day: date) -> date:
        """Return the session whose closes decided the weights of a day.

        Raises:
            KeyError: the day is not a session of the series.
        """
        return _date(self.sessions[self.decided[self._row(day)]])

    def _row(self, day: date) -> int:
        row = int(np.searchsorted(self.dates, np.datetime64(day, "D")))
        if row == len(self.dates) or self.dates[row] != np.datetime64(day, "D"):
            raise KeyError(f"{day} is not a session of the series")
        return row


def evaluate(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    as_of: date,
    inception: date,
    next_session: date | None = None,
    options: StrategyOptions | None = None,
    fragile_points: float = FRAGILE_POINTS,
) -> Decision:
    """Decide one day on the closes through that day; later bars of the history are ignored.

    Args:
        strategy: a parsed strategy, or a compiled one, which has its own options.
        as_of: the session whose close is the last one known.
        inception: the day from which a rebalance-threshold is simulated; without effect on other strategies.
        next_session: the session after as_of; a strategy that decides `before-period` decides on as_of if that session
            begins a period. None for the first later session of the history, or the next weekday if there is none.
        options: indicator conventions for a parsed strategy; None for the defaults.
        fragile_points: the distance below which a step of the path is fragile; see `explain`.

    Raises:
        InsufficientHistoryError: a value that the decision needs is undefined.
        ZeroVolatilityError: the returns of a child of an inverse volatility are all equal.
        NotStartedError: as_of is before the inception of a strategy with a rebalance-threshold.
        LateHistoryError: the inception of such a strategy is before the first session of the history.
        UnusableOptionError: a window is too short for the options.
    """
    evaluation = _evaluation(strategy, history, through=as_of, options=options, next_session=next_session)
    known = evaluation.market.history
    last = compute_holdings(evaluation, len(known.dates) - 1, inception=inception)
    if not last.answered[0]:
        raise_undecided(evaluation, inception=inception)

    weights = _rounded_weights(last.symbols, last.weights[0], last.cash[0])
    decided = int(last.decided[0])
    return Decision(
        strategy=evaluation.program.name,
        as_of=as_of,
        decided_on=_date(known.dates[decided]),
        weights=weights,
        cash=cash_beside(weights),
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
    """Decide every session of the history from first to last, each on the closes through that session.

    Args:
        first, last: the range of days; both are included.
        strategy, inception, options: as for `evaluate`.

    Raises:
        EvaluationError: the error that `evaluate` raises for the first session that cannot be decided.
    """
    evaluation = _evaluation(strategy, history, through=last, options=options)
    program, dates = evaluation.program, evaluation.market.history.dates
    count = int(np.searchsorted(history.dates, np.datetime64(last, "D"), side="right"))
    begin = min(int(np.searchsorted(dates, np.datetime64(first, "D"))), count)

    held = compute_holdings(evaluation, begin, inception=inception)
    wanted = slice(0, count - begin)
    if not held.answered[wanted].all():
        day = _date(dates[begin + int(np.argmin(held.answered[wanted]))])
        evaluate(program, history, as_of=day, inception=inception)
        raise AssertionError(f"{program.name}: {day} can be decided by itself, but not as part of a range")

    return DecisionSeries(
        strategy=program.name,
        dates=dates[begin:count],
        symbols=held.symbols,
        weights=held.weights[wanted],
        cash=held.cash[wanted],
        decided=held.decided[wanted],
        sessions=dates[:count],
    )


def first_decided_day(
    strategy: Symphony | Program, history: PriceHistory, *, inception: date, options: StrategyOptions | None = None
) -> date | None:
    """Return the first session from which on every session can be decided; None if the last one cannot."""
    if not len(history.dates):
        return None

    evaluation = _evaluation(strategy, history, through=_date(history.dates[-1]), options=options)
    answered = compute_holdings(evaluation, 0, inception=inception).answered
    first = len(answered) - int(np.argmin(answered[::-1])) if not answered.all() else 0
    return _date(history.dates[first]) if first < len(answered) else None


def _evaluation(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    through: date,
    options: StrategyOptions | None,
    next_session: date | None = None,
) -> Evaluation:
    program = strategy if isinstance(strategy, Program) else compile_symphony(strategy, options)
    known = history.select(program.symbols).through(through)
    following = _session_after(history, through) if next_session is None else np.datetime64(next_session, "D")
    return Evaluation(program, known, following)


def _session_after(history: PriceHistory, day: date) -> np.datetime64:
    """Return the first later session of the history; the next weekday if there is none."""
    later = history.dates[history.dates > np.datetime64(day, "D")]
    following = later[0] if len(later) else np.busday_offset(np.datetime64(day, "D"), 1, roll="backward")
    return np.datetime64(following, "D")


def _rounded_weights(symbols: tuple[str, ...], weights: Floats, cash: float) -> dict[str, Decimal]:
    held = {symbol: weight for symbol, weight in zip(symbols, weights.tolist(), strict=True) if weight > 0}
    return round_weights(held, float(cash))


def _path(evaluation: Evaluation, decided: int, *, as_of: date, fragile_points: float) -> Mapping[str, Any]:
    steps = decision_path(evaluation, decided, fragile_points=fragile_points)
    return {
        "strategy": evaluation.program.name,
        "as_of": as_of.isoformat(),
        "decided_on": _date(evaluation.market.history.dates[decided]).isoformat(),
        "rebalance": _rebalance_rule(evaluation.program),
        "fragile": sum(step.get("fragile", False) for step in steps),
        "steps": steps,
    }


def _rebalance_rule(program: Program) -> str:
    rebalance = program.rebalance
    return f"threshold {rebalance.points:g}" if isinstance(rebalance, Threshold) else rebalance.value


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
