"""`inv reconcile --accept`: what the account holds becomes the books, if it still is what was shown."""

import json
from decimal import Decimal
from typing import Any

import pytest

from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.desk.operations.account import ARN, Office, office_that_agrees
from tests.desk.operations.duty import (
    AS_OF,
    RUN_ID,
    run,
)
from tests.the_alchemiser.coordinator_v2.test_admission import MONDAY, at
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.run.runs import RunState

Out = pytest.CaptureFixture[str]


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return office_that_agrees(monkeypatch)


def accept(office: Office, **options: Any) -> BooksCheck:
    office.reconcile(accept=True, **options)
    return office.books.checks[-1]


def test_accept_stores_what_the_account_holds_and_who_accepted_it(office: Office, capsys: Out) -> None:
    office.held["SPY"], office.answers = Decimal(12), ["prod"]

    accepted = accept(office)

    assert (accepted.state, accepted.trading_date, accepted.holdings) == (
        CheckState.ACCEPTED,
        AS_OF,
        {"SPY": Decimal(12)},
    )
    assert (accepted.accepted_by, accepted.held_at) == (f"eva ({ARN})", at(MONDAY, "15:45"))
    assert office.asked == ["Type prod to accept what prod holds:"]
    assert f"accepted by eva ({ARN}): the next check starts from 1 holding" in " ".join(capsys.readouterr().out.split())


def test_accept_with_yes_asks_nothing(office: Office) -> None:
    office.held["SPY"] = Decimal(12)

    assert accept(office, yes=True).state is CheckState.ACCEPTED
    assert office.asked == []


def test_accept_without_a_terminal_needs_yes(office: Office) -> None:
    office.held["SPY"] = Decimal(12)

    with pytest.raises(UsageError, match="add --yes"):
        accept(office)
    assert office.books.checks[-1].state is CheckState.AGREED


def test_accept_that_is_not_confirmed_changes_nothing(office: Office) -> None:
    office.held["SPY"], office.answers = Decimal(12), ["y"]

    with pytest.raises(UsageError, match="nothing was changed"):
        accept(office)
    assert office.books.checks[-1].state is CheckState.AGREED


def test_accept_of_an_account_that_agrees_asks_and_changes_nothing(office: Office, capsys: Out) -> None:
    office.answers = ["prod"]

    assert accept(office).state is CheckState.AGREED
    assert office.asked == []
    assert capsys.readouterr().out.splitlines()[-1] == "account and books agree"


def test_accept_of_an_account_that_changed_since_it_was_shown_is_refused(office: Office) -> None:
    office.held["SPY"], office.answers = Decimal(12), ["prod"]
    office.on_ask = lambda: office.held.update({"SPY": Decimal(13)})

    with pytest.raises(
        CheckFailedError, match="the account has changed meanwhile; run inv reconcile --env prod --accept"
    ):
        accept(office)
    assert office.books.checks[-1].state is CheckState.AGREED


def test_accept_while_a_run_has_begun_is_refused(office: Office) -> None:
    office.held["SPY"], office.answers = Decimal(12), ["prod"]
    office.on_ask = lambda: office.world.store.runs.update({RUN_ID: run(RunState.BUYING)})

    with pytest.raises(CheckFailedError, match="the account has changed meanwhile"):
        accept(office)


def test_accept_with_keys_of_another_account_is_refused(office: Office) -> None:
    office.held["SPY"], office.world.account = Decimal(12), "PA7"

    with pytest.raises(ConfigurationError, match="belong to account PA1, this environment trades PA7; run inv secrets"):
        accept(office, yes=True)
    assert office.books.checks[-1].state is CheckState.AGREED


def test_accept_whose_keys_were_changed_since_it_was_shown_is_refused(office: Office) -> None:
    office.held["SPY"], office.answers, office.world.account = Decimal(12), ["prod"], "PA1"

    def change_keys() -> None:
        office.world.broker.number = "PA7"

    office.on_ask = change_keys

    with pytest.raises(ConfigurationError, match="belong to account PA7, this environment trades PA1"):
        accept(office)
    assert office.books.checks[-1].state is CheckState.AGREED


def test_accept_after_another_check_was_stored_is_refused(office: Office) -> None:
    office.held["SPY"], office.answers = Decimal(12), ["prod"]
    replaced = office.books.stored[AS_OF].check.changed(state=CheckState.ACCEPTED)

    def interfere() -> None:
        office.books.replace(replaced, previous=office.books.stored[AS_OF].check)

    office.on_ask = interfere

    with pytest.raises(CheckFailedError, match="the books have changed meanwhile; run inv reconcile --env prod again"):
        accept(office)
    assert office.books.checks[-1] == replaced


@pytest.mark.parametrize(("time", "is_refused"), [("09:29", True), ("09:30", False)])
def test_accept_before_the_open_of_a_splits_day_is_refused(office: Office, time: str, *, is_refused: bool) -> None:
    office.splits = (CorporateAction("SPY", MONDAY, CorporateActionKind.SPLIT, Decimal(1), Decimal(2)),)
    office.world.broker.time = time

    if is_refused:
        with pytest.raises(CheckFailedError, match="SPY: today's split may not be booked yet; accept after the open"):
            accept(office, yes=True)
    else:
        assert accept(office, yes=True).state is CheckState.ACCEPTED


def test_accept_as_json_prints_json_only(office: Office, capsys: Out) -> None:
    office.held["SPY"] = Decimal(12)

    accept(office, yes=True, as_json=True)

    assert json.loads(capsys.readouterr().out)["differences"]
