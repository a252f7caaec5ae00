"""Which sessions a run-day trades. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from automation.system.errors import CheckFailedError, UsageError
from sandbox.exchange.sessions import session_after, session_before, session_on, sessions_between
from the_alchemiser.shared.run.runs import RunState

FIRST_DATE = date(2022, 3, 16)
"""Traded first in a fresh sandbox: every bundled symbol has bars years before and after it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The dates to trade, ascending, and those asked for that have been traded already."""

    to_trade: tuple[date, ...]
    done: tuple[date, ...]


def choose(asked: date | None, days: int, *, traded: Mapping[date, RunState], last_session: date) -> Choice:
    """The dates for `--date` and `--days`.

    Args:
        asked: None for the session after the last that was traded.
        traded: the dates that have a run, with its state; one that is not final is taken up again.
        last_session: the last one the exchange's history covers.

    Raises:
        UsageError: asked is no session, lies before one that was traded, or there are too few sessions left.
        CheckFailedError: the run of a date asked for has failed.
    """
    if days < 1:
        raise UsageError(f"--days is {days}; it must be 1 or more")
    wanted = _consecutive(_first(asked, traded), days, last_session=last_session)
    done = tuple(day for day in wanted if traded.get(day) is RunState.COMPLETED)
    failed = [day for day in wanted if traded.get(day) is RunState.FAILED]
    if failed:
        raise CheckFailedError(
            f"the run of {failed[0]} has failed, and a date is traded once; leave --date out to go on with the next "
            "session, or run inv sandbox.reset to start over"
        )
    to_trade = tuple(day for day in wanted if day not in done)
    last = max(traded, default=None)
    if to_trade and last is not None and to_trade[0] < last:
        raise UsageError(
            f"{to_trade[0]} lies before {last}, which has been traded, and time only goes forward; "
            "run inv sandbox.reset to start over"
        )
    return Choice(to_trade, done)


def parse_date(text: str) -> date:
    """A date as `--date` gives it.

    Raises:
        UsageError: it is not written YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(f"--date {text!r} is not a date; write it as 2022-03-16") from cause


def _first(asked: date | None, traded: Mapping[date, RunState]) -> date:
    if asked is None:
        return _next(traded)
    if session_on(asked) is None:
        raise UsageError(
            f"{asked} ({asked:%A}) is not a session of the exchange; the nearest are {session_before(asked).date} and "
            f"{session_after(asked).date}"
        )
    return asked


def _next(traded: Mapping[date, RunState]) -> date:
    last = max(traded, default=None)
    if last is None:
        return FIRST_DATE
    return session_after(last).date if traded[last].is_final else last


def _consecutive(first: date, days: int, *, last_session: date) -> Sequence[date]:
    wanted = [session.date for session in islice(sessions_between(first, last_session), days)]
    if len(wanted) < days:
        raise UsageError(
            f"the market history ends on {last_session}: from {first} on it has {len(wanted)} sessions, and {days} are "
            "asked for"
        )
    return wanted
