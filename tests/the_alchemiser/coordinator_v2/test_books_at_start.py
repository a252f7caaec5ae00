"""A start opens the books, looks again after a difference, and is refused while it stands or the account is wrong."""

from datetime import date
from decimal import Decimal

import pytest

from tests.the_alchemiser.coordinator_v2.ended_runs import BUY_SPY, end, send_trades
from tests.the_alchemiser.coordinator_v2.office import FORCE, REPLACE, Log, Office, order
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, RUN_ID, WEDNESDAY, at
from tests.the_alchemiser.coordinator_v2.test_books import SPY, check_of, refusals, states
from tests.the_alchemiser.fakes import InMemoryBooks
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.broker.errors import BrokerServerError
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.run.runs import RunState


@pytest.fixture
def office() -> Office:
    """An account with 10 SPY, as the check of the half day says, on Monday at 15:45."""
    office = Office()
    office.floor.held = {"SPY": SPY}
    office.books.put(check_of(HALF_DAY))
    return office


def test_first_start_opens_the_books(office: Office) -> None:
    office.books.stored.clear()

    office.start()

    [check] = office.books.checks
    assert (check.trading_date, check.state, check.holdings) == (HALF_DAY, CheckState.OPENED, {"SPY": SPY})
    assert (check.held_at, check.runs) == (at(MONDAY, "15:45"), ())
    assert RUN_ID in office.store.runs


def test_first_start_after_runs_of_the_day_opens_the_books_with_them(office: Office) -> None:
    office.end_run()
    office.books.stored.clear()

    office.start(REPLACE)

    assert office.books.checks[0].runs == (RUN_ID,)


def test_start_that_is_refused_for_another_reason_opens_no_books(office: Office) -> None:
    office.books.stored.clear()
    office.enabled = False

    office.start()

    assert states(office) == []


@pytest.mark.parametrize("state", [CheckState.OPENED, CheckState.AGREED, CheckState.ACCEPTED])
def test_start_after_a_check_without_a_difference_asks_the_broker_nothing(office: Office, state: CheckState) -> None:
    office.books.stored.clear()
    office.books.put(check_of(HALF_DAY, state))
    office.floor.held["SPY"] = Decimal(12)

    office.start()

    assert RUN_ID in office.store.runs
    assert office.floor.calls == []


def differ(office: Office, *, day: date = HALF_DAY, shares: str = "12") -> None:
    """Let the latest check differ, and the account hold so many shares."""
    office.books.stored.clear()
    stored = (Difference(symbol="OLD", broker=SPY, books=Decimal(0)),)
    office.books.put(check_of(day, CheckState.DIFFERS, differences=stored))
    office.floor.held["SPY"] = Decimal(shares)


COMMAND = "to accept what the account holds: inv reconcile --env local --accept"
SHOWN = f"SPY: the broker shows 12 shares, the books say 10; {COMMAND}"


def test_start_while_the_books_differ_is_refused_with_what_differs_now(office: Office, log: Log) -> None:
    differ(office)

    office.start()

    assert refusals(office) == log.refusals() == [("books_differ", SHOWN)]
    assert (office.store.runs, states(office)) == ({}, [(HALF_DAY, CheckState.DIFFERS)])


def test_forced_start_while_the_books_differ_is_refused_too(office: Office) -> None:
    differ(office)

    office.start(FORCE)

    assert [reason for reason, _ in refusals(office)] == ["books_differ"]


@pytest.mark.parametrize(("count", "rest"), [(5, ""), (6, "; and 1 more"), (7, "; and 2 more")])
def test_refusal_names_five_differences(office: Office, count: int, rest: str) -> None:
    differ(office, shares="10")
    office.floor.held |= {f"NEW{number}": SPY for number in range(count)}

    office.start()

    [(_, detail)] = refusals(office)
    named = [f"NEW{number}: the broker shows 10 shares, the books say 0" for number in range(5)]
    assert detail == f"{'; '.join(named)}{rest}; {COMMAND}"


def test_start_that_finds_agreement_again_stores_it_and_starts(office: Office) -> None:
    differ(office, shares="10")

    office.start()

    [check] = office.books.checks
    assert (check.trading_date, check.state, check.held_at) == (HALF_DAY, CheckState.AGREED, at(MONDAY, "15:45"))
    assert RUN_ID in office.store.runs


def test_start_whose_agreement_comes_after_an_acceptance_starts(office: Office) -> None:
    differ(office, shares="10")
    accepted = check_of(HALF_DAY, CheckState.ACCEPTED, accepted_by="a-person")

    class Accepted(InMemoryBooks):
        """A person accepts between the look and the write."""

        def replace(self, check: BooksCheck, *, previous: BooksCheck) -> bool:
            super().replace(accepted, previous=previous)
            return super().replace(check, previous=previous)

    books = Accepted()
    books.stored = office.books.stored
    office.books = books

    office.start()

    assert office.books.checks == [accepted]
    assert RUN_ID in office.store.runs


def test_start_while_orders_of_a_run_may_be_open_repeats_the_stored_differences(office: Office) -> None:
    differ(office)
    office.create_run(HALF_DAY)

    office.start()

    assert refusals(office) == [("books_differ", f"OLD: the broker shows 10 shares, the books say 0; {COMMAND}")]


def test_start_after_an_evening_without_a_check_makes_it(office: Office) -> None:
    office.books.stored.clear()
    office.books.put(check_of(WEDNESDAY))

    office.start()

    assert states(office) == [(WEDNESDAY, CheckState.AGREED), (HALF_DAY, CheckState.AGREED)]
    assert office.books.checks[-1].held_at == at(MONDAY, "15:45")
    assert RUN_ID in office.store.runs


@pytest.mark.parametrize("before", [CheckState.AGREED, CheckState.DIFFERS])
def test_start_after_an_evening_without_a_check_is_refused_for_a_difference(office: Office, before: CheckState) -> None:
    office.books.stored.clear()
    office.books.put(check_of(WEDNESDAY, before))
    office.floor.held["SPY"] = Decimal(12)

    office.start()

    assert refusals(office) == [("books_differ", SHOWN)]
    assert states(office) == [(WEDNESDAY, before), (HALF_DAY, CheckState.DIFFERS)]


def test_start_that_cannot_check_the_evening_before_starts(office: Office) -> None:
    office.books.stored.clear()
    office.books.put(check_of(WEDNESDAY))
    office.create_run(HALF_DAY)
    office.floor.held["SPY"] = Decimal(12)

    office.start()

    assert RUN_ID in office.store.runs
    assert states(office) == [(WEDNESDAY, CheckState.AGREED)]


def test_start_after_the_run_that_it_replaces_counts_its_fills_as_included(office: Office) -> None:
    office.end_run()
    office.books.stored.clear()
    office.books.put(check_of(WEDNESDAY))

    office.start(REPLACE)

    assert office.books.checks[-1].runs == (RUN_ID,)


def test_start_while_the_broker_does_not_answer_starts_nothing(office: Office) -> None:
    differ(office)
    office.floor.error = BrokerServerError("down", status=500)

    with pytest.raises(BrokerServerError):
        office.start()
    assert office.store.runs == {}


# --- the account ---


@pytest.mark.parametrize("stored", ["checked", "differs", "no books", "not settled"])
def test_start_with_keys_of_another_account_is_refused(office: Office, stored: str) -> None:
    if stored == "differs":
        differ(office)
    if stored == "no books":
        office.books.stored.clear()
    if stored == "not settled":
        office.books.stored.clear()
        office.books.put(check_of(WEDNESDAY))
        office.create_run(HALF_DAY)
    before, runs = states(office), dict(office.store.runs)
    office.account = "PA2"

    office.start()

    detail = "the broker's keys belong to account PA1, this environment trades PA2"
    assert refusals(office) == [("wrong_account", detail)]
    assert (office.store.runs, states(office)) == (runs, before)


def test_start_with_keys_of_its_account_reads_its_number_only(office: Office) -> None:
    office.account = "PA1"

    office.start()

    assert office.floor.calls == ["account"]
    assert RUN_ID in office.store.runs


def test_sweep_with_keys_of_another_account_settles_nothing(office: Office) -> None:
    office.create_run(MONDAY)
    send_trades(office.store)
    end(office.store, RunState.FAILED, missing=(BUY_SPY,))
    office.later(3)
    office.floor.listed = [order(f"{BUY_SPY}-1")]
    office.account = "PA2"

    office.sweep()
    assert not office.store.runs[RUN_ID].settled
    assert (office.floor.cancelled, office.floor.asked) == ([], [])

    office.account = "PA1"
    office.sweep()
    assert office.store.runs[RUN_ID].settled
