"""When a strategy decides, and how its weights drift between decisions.

The session of the last decision follows from the calendar of the history; in the period in which the history starts it
is the first session of the history. A period is decided on the close of its first session, or, with `before-period`, on
the last close before it: a session then belongs to the period of the session after it, which trades on its decision.
A session's weights are the same to the last bit for every requested range, because every sum over symbols includes all
of them, in the same order.
"""

from datetime import date
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.options import Decide
from the_alchemiser.shared.symphony.tree import Frequency, Threshold
from the_alchemiser.strategy_v2.arrays import Bools, Dates, Floats, Indices, run_starts
from the_alchemiser.strategy_v2.capital_flow import Targets, target_weights
from the_alchemiser.strategy_v2.errors import LateHistoryError, NotStartedError
from the_alchemiser.strategy_v2.indicators import round_for_comparison
from the_alchemiser.strategy_v2.missing_decision import require_bar, require_decision
from the_alchemiser.strategy_v2.program_evaluation import Evaluation


class Holdings(Frozen):
    """The weights held at the close of each of the last D sessions of a history.

    Attributes:
        symbols: the N symbols that the strategy can hold, ascending.
        weights: (D, N), not rounded; meaningless where not answered.
        cash: (D,) the rest: a row of weights and its cash sum to 1.
        decided: (D,) the session number of the last full rebalance.
        answered: (D,) true if the session has weights.
    """

    symbols: tuple[str, ...]
    weights: Floats
    cash: Floats
    decided: Indices
    answered: Bools


def compute_holdings(evaluation: Evaluation, begin: int, *, inception: date) -> Holdings:
    """Return the holdings of every session from number `begin` on; there must be at least one."""
    rebalance = evaluation.program.rebalance
    if isinstance(rebalance, Threshold):
        return _by_threshold(evaluation, rebalance.points, begin, inception)
    return _by_frequency(evaluation, rebalance, begin)


def raise_undecided(evaluation: Evaluation, *, inception: date) -> NoReturn:
    """Raise the error that says why the last session has no weights.

    Raises:
        EvaluationError: always.
    """
    rebalance = evaluation.program.rebalance
    if isinstance(rebalance, Threshold):
        _raise_undecided_simulation(evaluation, inception)
    _raise_undecided_period(evaluation, rebalance)


def _raise_undecided_simulation(evaluation: Evaluation, inception: date) -> NoReturn:
    name, dates = evaluation.program.name, evaluation.market.history.dates
    first = _session_of(dates, inception)
    if first == len(dates):
        raise NotStartedError(f"{name}: {dates[-1]} is before its inception, {inception}")

    known = target_weights(evaluation, np.arange(first, len(dates))).known
    require_decision(evaluation, first + int(np.argmin(known)))

    late = f"its bars start on {dates[0]}, but its rebalance-threshold is simulated from its inception, {inception}"
    raise LateHistoryError(f"{name}: {late}; provide earlier bars")


def _raise_undecided_period(evaluation: Evaluation, frequency: Frequency) -> NoReturn:
    dates = evaluation.market.history.dates
    decided = int(_decisions(evaluation, frequency)[-1])
    require_decision(evaluation, decided)
    targets = target_weights(evaluation, np.array([decided]))
    for symbol, (target,) in zip(targets.symbols, targets.weights, strict=True):
        if target > 0:
            require_bar(evaluation, symbol, len(dates) - 1)
    raise AssertionError(f"{evaluation.program.name}: {dates[-1]} has no weights, but everything it needs is defined")


def period_numbers(dates: Dates, frequency: Frequency) -> NDArray[Any]:
    """Return the (T,) number of the period that each session belongs to, ascending."""
    months = dates.astype("datetime64[M]").astype(np.int64)
    match frequency:
        case Frequency.DAILY:
            return np.arange(len(dates))
        case Frequency.WEEKLY:
            # The epoch was a Thursday; weeks begin on Monday.
            return (dates.astype(np.int64) + 3) // 7
        case Frequency.MONTHLY:
            return months
        case Frequency.QUARTERLY:
            return months // 3
        case Frequency.YEARLY:
            return months // 12


def _decisions(evaluation: Evaluation, frequency: Frequency) -> Indices:
    """Return the (T,) number of the session that decides for each session."""
    dates = evaluation.market.history.dates
    if evaluation.program.options.decide is Decide.FIRST_SESSION:
        periods = period_numbers(dates, frequency)
        return np.searchsorted(periods, periods)

    periods = period_numbers(np.append(dates, evaluation.next_session), frequency)
    return np.maximum(np.searchsorted(periods, periods[1:]) - 1, 0)


def _session_of(dates: Dates, inception: date) -> int:
    return int(np.searchsorted(dates, np.datetime64(inception, "D")))


def _by_frequency(evaluation: Evaluation, frequency: Frequency, begin: int) -> Holdings:
    """Return the weights decided on each period's first session, drifted by the returns since then."""
    history = evaluation.market.history
    decided = _decisions(evaluation, frequency)[begin:]
    is_new = run_starts(decided)
    targets = target_weights(evaluation, decided[is_new])

    period = np.cumsum(is_new) - 1
    weights, cash, answered = targets.weights[:, period], targets.cash[period], targets.known[period]
    drifting = decided < np.arange(begin, len(history.dates))
    for symbol, row in zip(targets.symbols, weights, strict=True):
        held = drifting & (row > 0)
        if held.any():
            closes = history.of(symbol)
            row[held] *= closes[begin:][held] / closes[decided[held]]
            answered = answered & ~np.isnan(row)

    total = _total(weights, cash)
    with np.errstate(invalid="ignore"):
        return Holdings(targets.symbols, (weights / total).T, cash / total, decided, answered)


def _by_threshold(evaluation: Evaluation, points: float, begin: int, inception: date) -> Holdings:
    """Simulate from inception: rebalance fully when a weight leaves its band or the chosen symbols change."""
    history = evaluation.market.history
    count = len(history.dates)
    first = min(_session_of(history.dates, inception), count)
    targets = target_weights(evaluation, np.arange(first, count))
    end = count if targets.known.all() else first + int(np.argmin(targets.known))

    closes = np.array([history.of(symbol)[first:end] for symbol in targets.symbols])
    held, kept, last_decided = _simulate(targets, closes.reshape(len(targets.symbols), end - first).T, points)

    weights = np.full((count, len(targets.symbols)), np.nan)
    weights[first:end] = held
    cash = np.full(count, np.nan)
    cash[first:end] = kept
    decided = np.zeros(count, dtype=np.intp)
    decided[first:end] = first + last_decided
    sessions = np.arange(begin, count)
    simulated = (sessions >= first) & (sessions < end) & (history.dates[0] <= np.datetime64(inception, "D"))
    return Holdings(targets.symbols, weights[begin:], cash[begin:], decided[begin:], simulated)


def _simulate(targets: Targets, closes: Floats, points: float) -> tuple[Floats, Floats, Indices]:
    """Simulate a rebalance-threshold over the first D sessions of the targets; cash is a holding of constant price.

    Args:
        closes: (D, N) adjusted closes, USD.
        points: the allowed distance of a weight from its target.

    Returns:
        (D, N) the weights held at each close, (D,) the cash, and (D,) the session of the last rebalance.
    """
    count = len(closes)
    held, cash = targets.weights[:, :count].T.copy(), targets.cash[:count].copy()
    decided = np.arange(count)
    for session in range(1, count):
        target, before = held[session], held[session - 1]
        if not np.array_equal(before > 0, target > 0) or (cash[session - 1] > 0) != (cash[session] > 0):
            continue
        # A symbol that is not held may have no price; np.where drops its NaN.
        drifted = np.where(before > 0, before * (closes[session] / closes[session - 1]), 0.0)
        total = drifted.sum() + cash[session - 1]
        drifted, kept = drifted / total, cash[session - 1] / total
        moves = np.abs(np.append(drifted - target, kept - cash[session]))
        if not np.any(round_for_comparison(moves) > points):
            held[session], cash[session] = drifted, kept
            decided[session] = decided[session - 1]

    return held, cash, decided


def _total(weights: Floats, cash: Floats) -> Floats:
    """Add up (N, D) values and (D,) cash, always in the same order."""
    total = np.zeros(cash.shape)
    for row in weights:
        total = total + row
    return total + cash
