"""The sweep checks the books once after each close; a start opens them, looks again, and is refused for differences."""

from datetime import UTC, date
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError

from tests.the_alchemiser.coordinator_v2.office import SWEEP, Bell, Office
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, RUN_ID, at
from tests.the_alchemiser.fakes import InMemoryBooks
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.broker.errors import BrokerServerError, NotAuthorizedError
from the_alchemiser.shared.messaging.messages import BooksDiffer, Difference, RunRefused

THANKSGIVING = date(2022, 11, 24)
SPY = Decimal(10)


@pytest.fixture
def office() -> Office:
    """An account with 10 SPY, as the check of the half day says, on Monday at 15:45."""
    office = Office()
    office.floor.held = {"SPY": SPY}
    office.books.put(check_of(HALF_DAY))
    return office


def check_of(day: date, state: CheckState = CheckState.AGREED, **changes: object) -> BooksCheck:
    held_at = at(HALF_DAY, "13:10").astimezone(UTC)
    agreed = BooksCheck(
        trading_date=day, state=state, checked_at=held_at, holdings={"SPY": SPY}, held_at=held_at, account="PA1"
    )
    return agreed.changed(**changes)


def states(office: Office) -> list[tuple[date, CheckState]]:
    return [(check.trading_date, check.state) for check in office.books.checks]


def news(office: Office) -> list[BooksDiffer]:
    return [message for message in office.published if isinstance(message, BooksDiffer)]


def refusals(office: Office) -> list[tuple[str, str]]:
    return [(message.reason, message.detail) for message in office.published if isinstance(message, RunRefused)]


def sweep_after_the_close(office: Office, time: str = "16:05") -> None:
    office.bell = Bell(MONDAY, time)
    office.sweep()


# --- after the close ---


def test_sweep_after_the_close_stores_that_the_books_agree(office: Office) -> None:
    sweep_after_the_close(office)

    latest = office.books.checks[-1]
    assert (latest.trading_date, latest.state, latest.holdings) == (MONDAY, CheckState.AGREED, {"SPY": SPY})
    assert latest.checked_at == latest.held_at == at(MONDAY, "16:05")
    assert office.published == []


@pytest.mark.parametrize(("time", "is_checked"), [("16:05", True), ("16:04", False), ("15:50", False), ("19:55", True)])
def test_sweep_checks_from_five_minutes_after_the_close(office: Office, time: str, *, is_checked: bool) -> None:
    sweep_after_the_close(office, time)

    assert (len(states(office)) == 2) is is_checked


def test_sweep_before_the_first_run_has_no_books_to_check(office: Office) -> None:
    office.books.stored.clear()

    sweep_after_the_close(office)

    assert states(office) == []


def test_sweep_on_a_holiday_checks_nothing(office: Office) -> None:
    office.bell = Bell(THANKSGIVING, "16:05")

    office.sweep()

    assert states(office) == [(HALF_DAY, CheckState.AGREED)]


def test_sweep_of_a_difference_tells_people_once(office: Office) -> None:
    office.floor.held["SPY"] = Decimal(12)

    for time in ("16:05", "16:10"):
        sweep_after_the_close(office, time)

    [message] = news(office)
    assert message.message_id == "local-2022-11-28/BooksDiffer/books"
    assert message.differences == (Difference(symbol="SPY", broker=Decimal(12), books=SPY),)
    assert states(office)[-1] == (MONDAY, CheckState.DIFFERS)


def test_sweep_that_was_killed_before_it_published_is_repeated(office: Office) -> None:
    office.floor.held["SPY"] = Decimal(12)
    office.bell = Bell(MONDAY, "16:05")
    office.coordinator.sweep(SWEEP)

    sweep_after_the_close(office, "16:10")

    assert [message.message_id for message in news(office)] == ["local-2022-11-28/BooksDiffer/books"]


def test_sweep_looks_once_per_day(office: Office) -> None:
    sweep_after_the_close(office)
    office.floor.held["SPY"] = Decimal(12)
    office.floor.calls.clear()

    sweep_after_the_close(office, "16:10")

    assert office.floor.calls == []
    assert states(office)[-1] == (MONDAY, CheckState.AGREED)


def test_sweep_that_loses_to_another_publishes_what_that_one_stored(office: Office) -> None:
    class LateBooks(InMemoryBooks):
        """Another sweep stores its check between the look and the write."""

        def put(self, check: BooksCheck) -> bool:
            super().put(
                check_of(MONDAY, CheckState.DIFFERS, differences=(Difference(symbol="TLT", broker=SPY, books=SPY),))
            )
            return super().put(check)

    late = LateBooks()
    late.stored = office.books.stored
    office.books = late

    sweep_after_the_close(office)

    assert [difference.symbol for message in news(office) for difference in message.differences] == ["TLT"]


def test_sweep_of_standing_differences_tells_again_on_the_next_day(office: Office) -> None:
    office.books.stored.clear()
    office.books.put(check_of(HALF_DAY, CheckState.DIFFERS))
    office.floor.held["SPY"] = Decimal(12)

    sweep_after_the_close(office)

    assert [message.message_id for message in news(office)] == ["local-2022-11-28/BooksDiffer/books"]
    assert states(office) == [(HALF_DAY, CheckState.DIFFERS), (MONDAY, CheckState.DIFFERS)]


def test_sweep_waits_until_every_run_is_settled(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    office.create_run(MONDAY)
    office.later(0)
    sweep_after_the_close(office)
    assert states(office) == [(HALF_DAY, CheckState.AGREED)]
    waiting = [record for record in caplog.records if record.message.startswith("books not checked: orders of a run")]
    assert [vars(record)["runs"] for record in waiting] == [["local-2022-11-28"]]

    office.later(30)  # overdue: it fails, and is settled at once because it has sent nothing
    sweep_after_the_close(office, "16:40")
    assert states(office)[-1] == (MONDAY, CheckState.AGREED)
    assert office.books.checks[-1].runs == (RUN_ID,)


@pytest.mark.parametrize(
    "error",
    [
        BrokerServerError("down", status=500),
        NotAuthorizedError("no", status=401),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Query"),
    ],
)
def test_sweep_that_cannot_look_still_sweeps_and_looks_the_next_time(
    office: Office, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    office.floor.error = error
    office.create_run(MONDAY)
    office.later(30)

    sweep_after_the_close(office)
    assert [type(message).__name__ for message in office.published] == ["RunFailed"]
    assert "books not checked" in caplog.messages

    office.floor.error = None
    sweep_after_the_close(office, "16:10")
    assert states(office)[-1] == (MONDAY, CheckState.AGREED)


def test_sweep_with_keys_of_another_account_checks_nothing(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.account = "PA2"

    sweep_after_the_close(office)

    assert states(office) == [(HALF_DAY, CheckState.AGREED)]
    [line] = [vars(record) for record in caplog.records if record.message == "books not checked"]
    assert (line["reason"], line["levelname"]) == ("wrong_account", "WARNING")


def test_sweep_publishes_unsent_messages_of_runs_before_the_difference(office: Office) -> None:
    office.floor.held["SPY"] = Decimal(12)
    office.create_run(MONDAY)
    office.later(30)

    sweep_after_the_close(office)

    assert [type(message).__name__ for message in office.published] == ["RunFailed", "BooksDiffer"]
    assert office.store.runs[RUN_ID].sent
    assert office.books.stored[MONDAY].sent


@pytest.mark.parametrize(("held", "level"), [(SPY, "INFO"), (Decimal(12), "WARNING")])
def test_sweep_logs_each_check_with_its_differences(
    office: Office, caplog: pytest.LogCaptureFixture, held: Decimal, level: str
) -> None:
    caplog.set_level("INFO")
    office.floor.held["SPY"] = held

    sweep_after_the_close(office)

    [line] = [vars(record) for record in caplog.records if record.message == "books checked"]
    differences = [] if held == SPY else ["SPY: the broker shows 12 shares, the books say 10"]
    assert (line["levelname"], line["date"], line["differences"]) == (level, MONDAY, differences)
