"""Choose the sessions of a backtest. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from automation.system.errors import UsageError
from desk.backtest.signals import Candidate, TradingSession, trading_sessions
from desk.decision_series import evaluate_day, first_decided_day
from desk.strategies.sufficiency import natural_inception
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.strategy_v2.history import PriceHistory

_WHERE = "backtest"


class NoBarsError(AlchemiserError):
    """None of the symbols that the strategies need has a bar."""


@dataclass(frozen=True, slots=True)
class RequestedPeriod:
    """The first and last session that the user requested; None means the earliest or latest possible."""

    start: date | None = None
    end: date | None = None


def choose_sessions(
    candidates: Sequence[Candidate], history: PriceHistory, requested: RequestedPeriod
) -> tuple[TradingSession, ...]:
    """Return the sessions of the backtest in ascending order.

    Without a start, they begin with the session after the first day on which every strategy can be evaluated. Without
    an end, they end with the last session for which every symbol with bars has a bar.

    Raises:
        UsageError: there is no session from start to end.
        NoBarsError: none of the symbols has a bar.
        EvaluationError: there is no day to start on; the error says why the last day cannot be evaluated.
    """
    days: list[date] = history.dates.tolist()
    if not days:
        raise NoBarsError(_describe_missing_bars(candidates, history))

    end = _default_end(history, days) if requested.end is None else requested.end
    _require_valid(requested, end=end, last=days[-1])
    start = _default_start(candidates, history, end) if requested.start is None else requested.start

    period = [day for day in days if start <= day <= end]
    if not period:
        message = f"there is no session from {start} to {end}; the bars cover {days[0]} to {days[-1]}"
        raise UsageError(message, where=_WHERE)

    earlier = [day for day in days if day < period[0]]
    return trading_sessions(period, before=earlier[-1] if earlier else period[0] - timedelta(days=1))


def _require_valid(requested: RequestedPeriod, *, end: date, last: date) -> None:
    """Raise a UsageError when the start is after the end, or the end after the last bar."""
    if requested.start is not None and requested.start > end:
        limit = f"--end {end}" if requested.end else f"{end}, the last session for which every symbol has a bar"
        raise UsageError(f"--start {requested.start} is after {limit}; give an earlier start", where=_WHERE)
    if end > last:
        message = f"--end {end} is after the last bar, {last}; give --end {last} or omit --end"
        raise UsageError(message, where=_WHERE)


def _default_end(history: PriceHistory, days: Sequence[date]) -> date:
    """Return the last session for which every symbol with bars has one. Flawed symbols do not count."""
    usable = (closes for symbol, closes in history.closes.items() if symbol not in history.flaws)
    last_rows = [np.flatnonzero(~np.isnan(closes))[-1] for closes in usable if not np.isnan(closes).all()]
    return days[int(min(last_rows))] if last_rows else days[-1]


def _default_start(candidates: Sequence[Candidate], history: PriceHistory, end: date) -> date:
    """Return the day after the first from which every strategy can be evaluated on each session before the end."""
    earlier = history.dates[history.dates < np.datetime64(end, "D")]
    if not earlier.size:
        return date.min
    known = history.through(earlier[-1].item())
    latest = max(_first_decided(candidate, known) for candidate in candidates)
    return latest + timedelta(days=1)


def _first_decided(candidate: Candidate, known: PriceHistory) -> date:
    last: date = known.dates[-1].item()
    inception = candidate.inception or natural_inception(candidate.program, known)
    first = first_decided_day(candidate.program, known, inception=inception)
    if first is None:
        # This raises the error that says why the strategy cannot be evaluated.
        evaluate_day(candidate.program, known, as_of=last, inception=inception)
        raise AssertionError(f"{candidate.name}: {last} can be evaluated on its own but not within a series")
    return first


def _describe_missing_bars(candidates: Sequence[Candidate], history: PriceHistory) -> str:
    needed: dict[str, int] = {}
    for candidate in candidates:
        needed.update(candidate.program.bars_needed)

    if not needed:
        return "the strategies name no symbols, so there are no sessions to trade; add one that does"
    symbol = min(needed)
    flaw = history.flaws.get(symbol)
    problem = f"its bars are not usable ({flaw})" if flaw else "0 bars"
    others = len(needed) - 1
    more = f"; {others} more {'symbol has' if others == 1 else 'symbols have'} no bars either" if others else ""
    return f"{symbol}: {problem}, {needed[symbol]} needed{more}"
