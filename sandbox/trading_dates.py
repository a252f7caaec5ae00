"""Decide which sessions a run-day trades. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from automation.system.errors import CheckFailedError, UsageError
from sandbox.exchange.sessions import session_after, session_before, session_on, sessions_between
from the_alchemiser.shared.run.runs import RunState

FIRST_DATE = date(2022, 3, 16)
"""The first date to trade in a fresh sandbox: every bundled symbol has bars for years before and after it."""


@dataclass(frozen=True, slots=True)
class ChosenDates:
    """The requested dates, ascending: those still to trade, and those that were already traded."""

    to_trade: tuple[date, ...]
    already_traded: tuple[date, ...]


def choose_dates(
    wanted_date: date | None,
    days: int,
    *,
    states: Mapping[date, RunState],
    last_session: date,
    unchecked: Callable[[date], bool],
) -> ChosenDates:
    """Choose the dates for `--date` and `--days`.

    Args:
        wanted_date: the first date; None for the session after the last that was traded.
        days: how many sessions in a row, at least 1.
        states: the state of the run of each date that has one; a run that is not final is resumed.
        last_session: the last session that the exchange's history covers.
        unchecked: returns whether the run of a date was never checked, because a command was interrupted. The last
            date is then resumed.

    Raises:
        UsageError: the date is not a session or is before the last traded one, or too few sessions are left.
        CheckFailedError: the run of a requested date has failed.
    """
    if days < 1:
        raise UsageError(f"--days must be at least 1, got {days}")
    if wanted_date is not None:
        _require_session(wanted_date)

    last = max(states, default=None)
    to_check = last if last is not None and states[last].is_final and unchecked(last) else None
    dates = _consecutive(wanted_date or to_check or _next_date(states), days, last_session=last_session)
    already_traded = tuple(day for day in dates if states.get(day) is RunState.COMPLETED and day != to_check)
    failed = [day for day in dates if states.get(day) is RunState.FAILED and day != to_check]
    if failed:
        raise CheckFailedError(
            f"the run of {failed[0]} failed, and each date is traded only once; run inv run-day without --date to "
            "trade the next session, or inv sandbox.reset to start over"
        )

    to_trade = tuple(day for day in dates if day not in already_traded)
    if to_trade and last is not None and to_trade[0] < last:
        raise UsageError(
            f"{to_trade[0]} is before {last}, which was already traded, and the exchange's clock only moves forward; "
            "run inv sandbox.reset to start over"
        )
    return ChosenDates(to_trade, already_traded)


def parse_date(text: str) -> date:
    """Parse the value of `--date`.

    Raises:
        UsageError: it is not a date in the form YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(f"--date {text!r} is not a date; write it as 2022-03-16") from cause


def _require_session(day: date) -> None:
    if session_on(day) is None:
        raise UsageError(
            f"{day} ({day:%A}) is not a session of the exchange; the nearest sessions are "
            f"{session_before(day).date} and {session_after(day).date}"
        )


def _next_date(states: Mapping[date, RunState]) -> date:
    last = max(states, default=None)
    if last is None:
        return FIRST_DATE
    return session_after(last).date if states[last].is_final else last


def _consecutive(first: date, days: int, *, last_session: date) -> Sequence[date]:
    dates = [session.date for session in islice(sessions_between(first, last_session), days)]
    if len(dates) < days:
        raise UsageError(
            f"--days {days} is too many: the market history ends on {last_session}, {len(dates)} sessions from {first}"
        )
    return dates
