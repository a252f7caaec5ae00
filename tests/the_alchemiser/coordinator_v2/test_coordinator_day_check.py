"""The coordinator publishes whether the day had its run; it publishes nothing while it does not know."""

from datetime import date

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.contracts import books_check
from tests.the_alchemiser.coordinator_v2.office import REPLACE, Bell, Office
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, RUN_ID, SESSIONS
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.broker.errors import BrokerUnavailableError, NotAuthorizedError
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Session


def figures(office: Office, name: str = "DaysWithoutRun") -> list[tuple[str, int]]:
    return [(gauge.name, int(gauge.value)) for gauge in office.gauges.published if gauge.name == name]


def unchecked(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    lines = [vars(record) for record in caplog.records if record.message == "day not checked"]
    return [(line["reason"], line["detail"]) for line in lines]


def check(office: Office, day: date, time: str) -> list[tuple[str, int]]:
    office.bell = Bell(day, time)
    assert office.check_day().messages == ()
    return figures(office)


def test_check_day_before_the_close_publishes_zero(office: Office) -> None:
    assert check(office, MONDAY, "15:55") == [("DaysWithoutRun", 0)]


@pytest.mark.parametrize(("day", "time"), [(MONDAY, "16:55"), (HALF_DAY, "13:55"), (MONDAY, "23:55")])
def test_check_day_after_a_session_without_a_run_publishes_one(office: Office, day: date, time: str) -> None:
    assert check(office, day, time) == [("DaysWithoutRun", 1)]


def test_check_day_on_a_holiday_publishes_zero(office: Office) -> None:
    assert check(office, date(2022, 11, 24), "16:55") == [("DaysWithoutRun", 0)]


def test_check_day_after_a_completed_run_publishes_zero(office: Office) -> None:
    office.start()
    make.move_to(office.store, RunState.COMPLETED, run_id=RUN_ID)

    assert check(office, MONDAY, "16:55") == [("DaysWithoutRun", 0)]


def test_check_day_after_a_forced_run_completed_publishes_zero(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    make.move_to(office.store, RunState.FAILED, run_id=run_id)
    office.store.mark_settled(run_id)
    office.start(REPLACE)
    make.move_to(office.store, RunState.COMPLETED, run_id=f"{RUN_ID}-r1")

    assert check(office, MONDAY, "16:55") == [("DaysWithoutRun", 0)]


def test_check_day_after_a_failed_run_publishes_one(office: Office) -> None:
    office.start()
    make.move_to(office.store, RunState.FAILED, run_id=RUN_ID)

    assert check(office, MONDAY, "16:55") == [("DaysWithoutRun", 1)]


def test_check_day_after_a_paused_start_publishes_one(office: Office) -> None:
    office.enabled = False
    office.start()

    assert check(office, MONDAY, "16:55") == [("DaysWithoutRun", 1)]


def test_check_day_of_another_days_run_publishes_one(office: Office) -> None:
    make.move_to(office.store, RunState.COMPLETED, run_id=office.create_run(HALF_DAY))

    assert check(office, MONDAY, "16:55") == [("DaysWithoutRun", 1)]


def test_check_day_twice_publishes_the_same_figure(office: Office) -> None:
    check(office, MONDAY, "16:55")

    assert check(office, MONDAY, "16:55") == [("DaysWithoutRun", 1)] * 2


def test_check_day_without_the_broker_publishes_nothing(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.bell.error = BrokerUnavailableError("no answer")

    office.check_day()

    assert figures(office) == []
    assert unchecked(caplog) == [("broker_unavailable", "no answer")]


def test_check_day_refused_by_the_broker_fails(office: Office) -> None:
    office.bell.error = NotAuthorizedError("the key is unknown")

    with pytest.raises(AlchemiserError, match="the key is unknown"):
        office.check_day()

    assert figures(office) == []


@pytest.mark.parametrize("sessions", [SESSIONS[2:], ()], ids=["only today", "empty"])
def test_check_day_on_an_incomplete_calendar_publishes_nothing(
    office: Office, caplog: pytest.LogCaptureFixture, sessions: tuple[Session, ...]
) -> None:
    office.bell.sessions = sessions

    office.check_day()

    assert figures(office) == []
    assert unchecked(caplog) == [("calendar_too_short", "the broker's calendar has no session before 2022-11-28")]


@pytest.mark.parametrize(("state", "figure"), [(CheckState.DIFFERS, 1), (CheckState.ACCEPTED, 0)])
@pytest.mark.parametrize("day", [MONDAY, date(2022, 11, 24)], ids=["session", "holiday"])
def test_check_day_publishes_whether_the_latest_books_differ(
    office: Office, day: date, state: CheckState, figure: int
) -> None:
    office.books.put(books_check(CheckState.DIFFERS, days=-1))
    office.books.put(books_check(state))

    check(office, day, "16:55")

    assert figures(office, "BooksDiffering") == [("BooksDiffering", figure)]


def test_check_day_before_the_first_check_says_that_the_books_do_not_differ(office: Office) -> None:
    check(office, MONDAY, "16:55")

    assert figures(office, "BooksDiffering") == [("BooksDiffering", 0)]
