"""Twenty sessions in a row with a deposit, a split and a failed day. It takes minutes: it runs with `-m slow`."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.exchange.control import ExchangeControl
from tests.e2e.conftest import FIRST_DAY, Inv, Sandbox

SPLIT_SYMBOL = "GLD"
SPLIT_DAY = date(2022, 3, 25)
DUST = Decimal("1e-12")


@pytest.fixture(scope="module")
def states(sandbox: Sandbox, inv: Inv) -> list[str]:
    """Trade the days in a fresh sandbox; return the state of each run."""
    states: list[str] = []

    def trade(days: int, *words: str, code: int = 0) -> None:
        done = inv("run-day", "--days", str(days), "--json", *words)
        assert done.returncode == code, done.stdout + done.stderr
        states.extend(day["state"] for day in json.loads(done.stdout))

    def call(*words: str) -> None:
        done = inv(*words)
        assert done.returncode == 0, done.stdout + done.stderr

    call("sandbox.reset")
    call("deploy", "--env", "local")
    with ExchangeControl(sandbox.exchange_url) as exchange:
        # One symbol is held in whole shares only, so that its split leaves fractions that are paid in cash.
        exchange.reset(whole_shares=[SPLIT_SYMBOL])
        exchange.plant_action("reverse_split", SPLIT_SYMBOL, SPLIT_DAY, old_rate=7)
    trade(5, "--date", FIRST_DAY)
    call("sandbox.transfer", "--amount", "10000")
    trade(5)
    call("sandbox.plant", "--kind", "stale", "--symbol", "SPY", "--day", "2022-03-15")
    call("sandbox.transfer", "--amount", "-800.50")
    trade(1, code=3)
    call("sandbox.plant", "--clear")
    call("sandbox.transfer", "--amount", "-0.42", "--type", "FEE")
    call("sandbox.transfer", "--amount", "3.17", "--type", "DIV", "--symbol", "SPY")
    trade(9)
    return states


@pytest.fixture(scope="module")
def report(states: list[str], inv: Inv) -> Mapping[str, Any]:
    assert states
    done = inv("pnl", "--env", "local", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document: Mapping[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
def test_twenty_consecutive_days_complete_but_the_failed_one(states: list[str]) -> None:
    assert states == ["COMPLETED"] * 10 + ["FAILED"] + ["COMPLETED"] * 9


@pytest.mark.slow
def test_figures_of_twenty_days_add_up_to_the_cent(report: Mapping[str, Any]) -> None:
    days = report["days"]

    assert len(days) == 19
    assert Decimal(report["total"]["deposits"]) == Decimal("9199.50")
    deposits = [Decimal(day["deposits"]) for day in days]
    assert [deposit for deposit in deposits if deposit] == [Decimal(10_000), Decimal("-800.50")]
    assert Decimal(report["total"]["breakdown"]["fees"]) == Decimal("-0.42")
    assert Decimal(report["total"]["breakdown"]["dividends"]) == Decimal("3.17")
    for day in (*days, report["total"]):
        opening, deposited, pnl = (Decimal(day[name]) for name in ("opening_equity", "deposits", "pnl"))
        assert opening + deposited + pnl == Decimal(day["closing_equity"])
        assert abs(Decimal(day["breakdown"]["unexplained"])) < DUST, day


@pytest.mark.slow
def test_cash_in_lieu_differs_from_what_was_credited_by_a_named_amount(report: Mapping[str, Any]) -> None:
    named = {day["through"]: day["breakdown"]["other"] for day in report["days"] if day["breakdown"]["other"]}

    # The strategies are credited at a close, the broker pays the price of the open.
    assert {day: list(other) for day, other in named.items()} == {SPLIT_DAY.isoformat(): ["SPLIT"]}
    assert 0 < abs(Decimal(named[SPLIT_DAY.isoformat()]["SPLIT"])) < 10


@pytest.mark.slow
def test_account_after_twenty_days_agrees_with_the_broker(report: Mapping[str, Any], sandbox: Sandbox) -> None:
    account = sandbox.broker("/v2/account")
    splits = sandbox.broker("/v2/account/activities/SPLIT")

    assert report["reconciliation"]["equal"] is True
    assert Decimal(report["reconciliation"]["books_equity"]) == Decimal(account["equity"])
    assert [(split["symbol"], Decimal(split["net_amount"]) > 0) for split in splits] == [(SPLIT_SYMBOL, True)]
