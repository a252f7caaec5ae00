"""Decide a session, or each one of a range, with the engine of the deployed strategies: what the desk's tools read."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from the_alchemiser.shared.market_data.exchange_calendar import shipped_calendar
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.strategy_v2.arrays import Dates, Floats, Indices
from the_alchemiser.strategy_v2.engine import Decision, date_of, evaluate, prepare, rounded_weights
from the_alchemiser.strategy_v2.explain import FRAGILE_POINTS
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.rebalancing import compute_holdings

LONGEST_CLOSURE = timedelta(days=14)  # since 1990, the exchange was closed for six days at most


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
        return rounded_weights(self.symbols, self.weights[row], self.cash[row])

    def decided_on(self, day: date) -> date:
        """Return the session whose closes decided the weights of a day.

        Raises:
            KeyError: the day is not a session of the series.
        """
        return date_of(self.sessions[self.decided[self._row(day)]])

    def _row(self, day: date) -> int:
        row = int(np.searchsorted(self.dates, np.datetime64(day, "D")))
        if row == len(self.dates) or self.dates[row] != np.datetime64(day, "D"):
            raise KeyError(f"{day} is not a session of the series")
        return row


def session_after(history: PriceHistory, day: date) -> date:
    """Return the first later session of the history; after its last one, the exchange's next session.

    After the last year of the shipped calendar, it is the next weekday.
    """
    later = history.dates[history.dates > np.datetime64(day, "D")]
    if len(later):
        return date_of(later[0])
    sessions = shipped_calendar().sessions(day + timedelta(days=1), day + LONGEST_CLOSURE)
    return sessions[0].date if sessions else date_of(np.busday_offset(np.datetime64(day, "D"), 1, roll="backward"))


def evaluate_day(
    strategy: Symphony | Program,
    history: PriceHistory,
    *,
    as_of: date,
    inception: date,
    options: StrategyOptions | None = None,
    fragile_points: float = FRAGILE_POINTS,
) -> Decision:
    """Decide one day as `evaluate` does, with its arguments and errors; the next session is that of `session_after`."""
    following = session_after(history, as_of)
    return evaluate(
        strategy,
        history,
        as_of=as_of,
        inception=inception,
        next_session=following,
        options=options,
        fragile_points=fragile_points,
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
    evaluation = prepare(strategy, history, through=last, next_session=session_after(history, last), options=options)
    program, dates = evaluation.program, evaluation.market.history.dates
    count = int(np.searchsorted(history.dates, np.datetime64(last, "D"), side="right"))
    begin = min(int(np.searchsorted(dates, np.datetime64(first, "D"))), count)

    held = compute_holdings(evaluation, begin, inception=inception)
    wanted = slice(0, count - begin)
    if not held.answered[wanted].all():
        day = date_of(dates[begin + int(np.argmin(held.answered[wanted]))])
        evaluate_day(program, history, as_of=day, inception=inception)
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

    last = date_of(history.dates[-1])
    evaluation = prepare(strategy, history, through=last, next_session=session_after(history, last), options=options)
    answered = compute_holdings(evaluation, 0, inception=inception).answered
    first = len(answered) - int(np.argmin(answered[::-1])) if not answered.all() else 0
    return date_of(history.dates[first]) if first < len(answered) else None
