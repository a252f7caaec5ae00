from collections.abc import Mapping
from datetime import date

import pytest

from automation.system.errors import CheckFailedError, UsageError
from sandbox.trading_dates import FIRST_DATE, Choice, choose, parse_date
from the_alchemiser.shared.run.runs import RunState

END = date(2022, 12, 30)
DONE = RunState.COMPLETED


def chosen(asked: date | None, days: int = 1, traded: Mapping[date, RunState] | None = None) -> Choice:
    return choose(asked, days, traded=traded or {}, last_session=END)


def test_choose_in_a_fresh_sandbox_is_the_first_date() -> None:
    assert chosen(None) == Choice((FIRST_DATE,), ())


def test_choose_without_a_date_is_the_session_after_the_last_traded() -> None:
    assert chosen(None, traded={date(2022, 3, 17): DONE, date(2022, 3, 18): DONE}).to_trade == (date(2022, 3, 21),)


def test_choose_without_a_date_after_an_interrupted_run_is_that_run() -> None:
    assert chosen(None, traded={date(2022, 3, 18): RunState.SELLING}).to_trade == (date(2022, 3, 18),)


def test_choose_several_days_skips_what_is_no_session() -> None:
    assert chosen(date(2022, 4, 14), 3).to_trade == (date(2022, 4, 14), date(2022, 4, 18), date(2022, 4, 19))


def test_choose_a_completed_date_has_nothing_to_trade() -> None:
    assert chosen(date(2022, 3, 16), traded={date(2022, 3, 16): DONE}) == Choice((), (date(2022, 3, 16),))


def test_choose_days_that_begin_with_a_completed_one_trades_the_rest() -> None:
    assert chosen(date(2022, 3, 16), 2, traded={date(2022, 3, 16): DONE}).to_trade == (date(2022, 3, 17),)


def test_choose_a_weekend_names_the_nearest_sessions() -> None:
    with pytest.raises(UsageError, match=r"Saturday.*2022-03-18 and 2022-03-21"):
        chosen(date(2022, 3, 19))


def test_choose_a_date_before_the_last_traded_asks_for_a_reset() -> None:
    with pytest.raises(UsageError, match=r"inv sandbox\.reset"):
        chosen(date(2022, 3, 15), traded={date(2022, 3, 16): DONE})


def test_choose_a_failed_date_is_refused() -> None:
    with pytest.raises(CheckFailedError, match="2022-03-16 has failed"):
        chosen(date(2022, 3, 16), traded={date(2022, 3, 16): RunState.FAILED})


def test_choose_more_days_than_there_is_history_says_how_many_there_are() -> None:
    with pytest.raises(UsageError, match=r"it has 2 sessions, and 5"):
        chosen(date(2022, 12, 29), 5)


def test_choose_no_days_is_refused() -> None:
    with pytest.raises(UsageError, match="--days is 0"):
        chosen(None, 0)


def test_parse_date_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="write it as 2022-03-16"):
        parse_date("16.3.2022")


def test_parse_date_reads_a_date() -> None:
    assert parse_date("2022-03-16") == date(2022, 3, 16)
