"""`inv pnl` over every day that this session has traded: each adds up, and the account agrees with the broker."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.conftest import Inv, Sandbox

pytestmark = pytest.mark.usefixtures("first_day")

ACTIVITIES = "/v2/account/activities"
DUST = Decimal("1e-12")


@pytest.fixture(scope="module")
def report(deployed: Sandbox, inv: Inv) -> dict[str, Any]:
    """Deposit after the last run, and return what the command then reports as JSON."""
    deposited = inv("sandbox.transfer", "--amount", "1234.56")
    assert deposited.returncode == 0, deposited.stdout + deposited.stderr

    done = inv("pnl", "--env", "local", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_every_day_adds_up_without_a_remainder(report: dict[str, Any]) -> None:
    assert report["days"]
    for day in (*report["days"], report["total"]):
        opening, deposits, pnl = (Decimal(day[name]) for name in ("opening_equity", "deposits", "pnl"))
        assert opening + deposits + pnl == Decimal(day["closing_equity"])
        assert abs(Decimal(day["breakdown"]["unexplained"])) < DUST, day


def test_strategies_earned_what_the_account_says_they_did(report: dict[str, Any]) -> None:
    strategies = (Decimal(owner["pnl"]) for owner in report["owners"] if owner["owner"] != "unattributed")

    assert abs(sum(strategies, Decimal(0)) - Decimal(report["total"]["breakdown"]["strategies"])) < DUST


def test_books_agree_with_the_broker_to_the_cent(report: dict[str, Any], deployed: Sandbox) -> None:
    account = deployed.broker("/v2/account")
    reconciliation = report["reconciliation"]

    assert (reconciliation["equal"], reconciliation["differences"]) == (True, [])
    assert Decimal(reconciliation["books_equity"]) == Decimal(account["equity"])
    assert Decimal(reconciliation["books_cash"]) == Decimal(account["cash"])


def test_deposits_are_those_of_the_broker(report: dict[str, Any], deployed: Sandbox) -> None:
    listed = deployed.broker(f"{ACTIVITIES}/TRANS")
    deposits = sum((Decimal(activity["net_amount"]) for activity in listed), Decimal(0))

    since = Decimal(report["reconciliation"]["moves"]["deposits"])
    assert since >= Decimal("1234.56")
    assert Decimal(report["total"]["deposits"]) + since == deposits


def test_text_says_that_books_and_broker_are_equal(report: dict[str, Any], inv: Inv) -> None:
    done = inv("pnl", "--env", "local", "--since", report["days"][-1]["through"])

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith(": equal")
    assert "since then" in done.stdout
