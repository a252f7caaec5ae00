from collections.abc import Mapping
from datetime import date

import pytest

from automation.system.errors import CheckFailedError, UsageError
from sandbox.trading_dates import FIRST_DATE, ChosenDates, choose_dates, parse_date
from the_alchemiser.shared.run.runs import RunState

END = date(2022, 12, 30)
DONE = RunState.COMPLETED


def choose(
    wanted_date: date | None,
    days: int = 1,
    states: Mapping[date, RunState] | None = None,
    *,
    unchecked: tuple[date, ...] = (),
) -> ChosenDates:
    return choose_dates(wanted_date, days, states=states or {}, last_session=END, unchecked=unchecked.__contains__)


def test_choose_dates_in_a_fresh_sandbox_is_the_first_date() -> None:
    assert choose(None) == ChosenDates((FIRST_DATE,), ())


def test_choose_dates_by_default_is_the_next_session() -> None:
    assert choose(None, states={date(2022, 3, 17): DONE, date(2022, 3, 18): DONE}).to_trade == (date(2022, 3, 21),)


def test_choose_dates_after_an_interrupted_run_resumes_it() -> None:
    assert choose(None, states={date(2022, 3, 18): RunState.SELLING}).to_trade == (date(2022, 3, 18),)


def test_choose_dates_for_several_days_skips_holidays() -> None:
    assert choose(date(2022, 4, 14), 3).to_trade == (date(2022, 4, 14), date(2022, 4, 18), date(2022, 4, 19))


def test_choose_dates_with_a_completed_date_trades_nothing() -> None:
    assert choose(date(2022, 3, 16), states={date(2022, 3, 16): DONE}) == ChosenDates((), (date(2022, 3, 16),))


def test_choose_dates_after_a_completed_date_trades_the_rest() -> None:
    assert choose(date(2022, 3, 16), 2, states={date(2022, 3, 16): DONE}).to_trade == (date(2022, 3, 17),)


def test_choose_dates_on_a_weekend_names_nearest_sessions() -> None:
    with pytest.raises(UsageError, match=r"Saturday.*2022-03-18 and 2022-03-21"):
        choose(date(2022, 3, 19))


def test_choose_dates_before_the_last_traded_asks_for_reset() -> None:
    with pytest.raises(UsageError, match=r"inv sandbox\.reset"):
        choose(date(2022, 3, 15), states={date(2022, 3, 16): DONE})


def test_choose_dates_with_a_failed_date_fails() -> None:
    with pytest.raises(CheckFailedError, match="the run of 2022-03-16 failed"):
        choose(date(2022, 3, 16), states={date(2022, 3, 16): RunState.FAILED})


def test_choose_dates_beyond_the_history_says_how_many_are_left() -> None:
    with pytest.raises(UsageError, match=r"--days 5 is too many: .* 2022-12-30, 2 sessions from 2022-12-29"):
        choose(date(2022, 12, 29), 5)


def test_choose_dates_for_no_days_fails() -> None:
    with pytest.raises(UsageError, match="--days must be at least 1, got 0"):
        choose(None, 0)


def test_parse_date_in_another_form_fails() -> None:
    with pytest.raises(UsageError, match="write it as 2022-03-16"):
        parse_date("16.3.2022")


def test_parse_date_reads_a_date() -> None:
    assert parse_date("2022-03-16") == date(2022, 3, 16)


WEDNESDAY, THURSDAY, FRIDAY = (date(2022, 3, day) for day in (16, 17, 18))


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
@pytest.mark.parametrize("wanted_date", [None, THURSDAY])
def test_choose_dates_with_a_last_day_that_was_never_checked_resumes_it(
    state: RunState, wanted_date: date | None
) -> None:
    states = {WEDNESDAY: DONE, THURSDAY: state}

    assert choose(wanted_date, 2, states, unchecked=(THURSDAY,)) == ChosenDates((THURSDAY, FRIDAY), ())


def test_choose_dates_with_an_earlier_day_that_was_never_checked_leaves_it() -> None:
    """The exchange has moved on: its account is that of the last day."""
    states = {WEDNESDAY: DONE, THURSDAY: DONE}

    assert choose(None, states=states, unchecked=(WEDNESDAY,)) == ChosenDates((FRIDAY,), ())


def test_choose_dates_of_a_session_outside_the_calendar_wins_over_what_is_left() -> None:
    with pytest.raises(UsageError, match="Saturday"):
        choose(date(2022, 3, 19), states={THURSDAY: DONE}, unchecked=(THURSDAY,))
