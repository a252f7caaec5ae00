"""From when to when a backtest runs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from automation.system.errors import UsageError
from desk.backtest.signals import Candidate, Turn
from desk.strategies.sufficiency import natural_inception
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.strategy_v2.engine import evaluate, first_decided_day
from the_alchemiser.strategy_v2.history import PriceHistory

_WHERE = "backtest"


class NoBarsError(AlchemiserError):
    """None of the symbols that the strategies need has a bar."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for; None for the longest that there is."""

    start: date | None = None
    end: date | None = None


def choose_turns(candidates: Sequence[Candidate], history: PriceHistory, asked: Asked) -> tuple[Turn, ...]:
    """The sessions of the backtest, each with the one before it, whose close it is decided on.

    Without a start it begins on the session after the first from which every strategy is decided; without an end it
    runs to the last session of which every symbol that has bars has one.

    Raises:
        UsageError: there is no session from start to end.
        NoBarsError: none of the symbols has a bar.
        EvaluationError: there is no day to start on; what keeps the last one from being decided.
    """
    sessions: list[date] = history.dates.tolist()
    if not sessions:
        raise NoBarsError(_missing(candidates, history))
    end = _end(history, sessions) if asked.end is None else asked.end
    if asked.start is not None and asked.start > end:
        given = f"--end {end}" if asked.end else f"the last session of which every symbol has a bar, {end}"
        raise UsageError(f"--start {asked.start} is after {given}; give an earlier one", where=_WHERE)
    if end > sessions[-1]:
        message = f"--end {end} is after the last bar, of {sessions[-1]}; give --end {sessions[-1]} or leave it out"
        raise UsageError(message, where=_WHERE)
    start = _start(candidates, history, end) if asked.start is None else asked.start
    within = [session for session in sessions if start <= session <= end]
    if not within:
        told = f"the bars are of {sessions[0]} to {sessions[-1]}"
        raise UsageError(f"there is no session from {start} to {end}; {told}", where=_WHERE)
    earlier = [session for session in sessions if session < within[0]]
    before = earlier[-1] if earlier else within[0] - timedelta(days=1)
    return tuple(Turn(day, as_of) for as_of, day in zip((before, *within), within, strict=False))


def _end(history: PriceHistory, sessions: Sequence[date]) -> date:
    """The last session of which every symbol that has bars at all has one; a bad bar does not end a symbol."""
    sound = (closes for symbol, closes in history.closes.items() if symbol not in history.flaws)
    lasts = [np.flatnonzero(~np.isnan(closes))[-1] for closes in sound if not np.isnan(closes).all()]
    return sessions[int(min(lasts))] if lasts else sessions[-1]


def _start(candidates: Sequence[Candidate], history: PriceHistory, end: date) -> date:
    """The session after the first from which every strategy is decided through the one before the end."""
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
        evaluate(candidate.program, known, as_of=last, inception=inception)
        raise AssertionError(f"{candidate.name}: {last} is decided alone, yet not among others")
    return first


def _missing(candidates: Sequence[Candidate], history: PriceHistory) -> str:
    needed = {symbol: bars for candidate in candidates for symbol, bars in candidate.program.bars_needed.items()}
    symbol = min(needed)
    flaw = history.flaws.get(symbol)
    more = f"; nor is there any of {len(needed) - 1} others" if len(needed) > 1 else ""
    return f"{symbol}: {f'not usable ({flaw})' if flaw else '0 bars'}, {needed[symbol]} needed{more}"
