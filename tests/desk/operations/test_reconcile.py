"""`inv reconcile`: every difference between account, books, lots and plan by name, and the acceptance of them."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from automation.system.errors import CheckFailedError, ConfigurationError
from tests.desk.operations.account import ACCEPT, Office, fill, office_that_agrees
from tests.desk.operations.duty import (
    AS_OF,
    RUN_ID,
    check,
    order,
    run,
    stored,
)
from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Difference, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import PLAN, TRADE, Run, RunItem, RunState
from the_alchemiser.shared.values import Side

Out = pytest.CaptureFixture[str]


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return office_that_agrees(monkeypatch)


def findings(failure: pytest.ExceptionInfo[CheckFailedError]) -> list[tuple[str, str, str]]:
    return [(finding.where, finding.what, finding.fix) for finding in failure.value.findings]


# --- what differs ---


def test_reconcile_of_an_account_that_agrees_says_so(office: Office, capsys: Out) -> None:
    office.world.ledger.record(fill("6", calm="4", bold="2"))

    office.reconcile()

    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["account    PA1", "books      AGREED on 2022-11-25", "last plan  none"]
    assert [line.split() for line in lines[3:] if "SPY" in line] == [["SPY", "10", "10", "6", "4"]]
    assert lines[-1] == "account and books agree"
    assert office.world.broker.is_closed


def test_reconcile_counts_unattributed_shares_as_nobodys(office: Office, capsys: Out) -> None:
    office.world.ledger.record(fill("6", calm="4", **{UNATTRIBUTED: "2"}))

    office.reconcile()

    assert ["SPY", "10", "10", "4", "6"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_reconcile_of_an_account_that_differs_names_each_difference(office: Office, capsys: Out) -> None:
    office.held.update({"SPY": Decimal(12), "BTCUSD": Decimal("0.5")})
    by_hand = order("by-hand", OrderStatus.FILLED, filled="2")
    office.world.broker.listed = [by_hand, order()]

    with pytest.raises(CheckFailedError, match=r"account and books differ in 3 places") as failure:
        office.reconcile()

    assert findings(failure) == [
        ("BTCUSD", "the broker shows 0.5 shares, the books say 0", ACCEPT),
        ("SPY", "the broker shows 12 shares, the books say 10 (ordered by hand: BUY 2)", ACCEPT),
        ("SPY", "the order prod-2022-11-28-BUY-SPY-1 for 10 shares is open", ACCEPT),
    ]
    text = " ".join(capsys.readouterr().out.split())
    assert "BTCUSD 0.5 0 0 0.5" in text
    assert "differs by 0.5 shares: cause not known" in text


def test_reconcile_of_one_difference_is_in_the_singular(office: Office) -> None:
    office.held["SPY"] = Decimal(12)

    with pytest.raises(CheckFailedError, match=r"differ in 1 place$"):
        office.reconcile()


def test_reconcile_before_the_first_run_has_no_books(office: Office, capsys: Out) -> None:
    office.books.stored.clear()

    office.reconcile()

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "books      none before the first run"
    assert ["SPY", "10", "0", "10"] in [line.split() for line in lines]
    assert lines[-1] == "the books are opened by the first run"


def test_reconcile_shows_who_accepted_the_books(office: Office, capsys: Out) -> None:
    office.books.stored.clear()
    office.books.put(check(CheckState.ACCEPTED))

    office.reconcile()

    assert "books      ACCEPTED on 2022-11-25 by eva" in capsys.readouterr().out


def test_reconcile_while_an_order_may_fill_shows_the_account_and_waits(office: Office, capsys: Out) -> None:
    office.world.store = stored(run(settled=False))

    with pytest.raises(CheckFailedError, match="cannot be compared yet") as failure:
        office.reconcile()

    assert findings(failure) == [
        (
            "prod",
            "an order of prod-2022-11-28, which is not settled, may still fill",
            "inv trading.sweep --env prod, 110 s after the end of the run or later; then this again",
        )
    ]
    assert ["SPY", "10", "0", "10"] in [line.split() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("settled", [True, False])
def test_reconcile_with_keys_of_another_account_is_refused(office: Office, settled: bool) -> None:
    office.world.account = "PA7"
    office.world.store = stored(run(settled=settled))

    message = "belong to account PA1, this environment trades PA7; run inv secrets.set broker --env prod, or set Broker"
    with pytest.raises(ConfigurationError, match=message):
        office.reconcile()


# --- the last plan ---


def planned(*decisions: Any, state: RunState = RunState.COMPLETED) -> Run:
    plan = make.plan(*decisions, run_id=RUN_ID).changed(untradable={"GONE": "not_tradable"})
    return replace(run(state, settled=True), items={PLAN: RunItem(PLAN, plan.to_content())})


def with_outcome(planned_run: Run, outcome: TradeExecuted | TradeFailed) -> Run:
    sk = f"{TRADE}#{outcome.trade_id}"
    return replace(planned_run, items={**planned_run.items, sk: RunItem(sk, outbox.encode(outcome))})


def rows_of(office: Office, capsys: Out) -> dict[str, Any]:
    office.reconcile(as_json=True)
    return {row["symbol"]: row for row in json.loads(capsys.readouterr().out)["symbols"]}


def test_reconcile_shows_the_last_plan_and_why_it_was_not_reached(office: Office, capsys: Out) -> None:
    aaa = make.decision("AAA", Side.BUY, "10").changed(target_quantity=Decimal("10.5"))
    others = (make.decision(symbol, Side.BUY, "10") for symbol in ("BBB", "CCC", "DDD"))
    last = planned(aaa, *others, make.decision("SPY", None), make.decision("EEE", Side.SELL, "3"))
    last = with_outcome(last, make.executed("AAA", Side.BUY, "10", run_id=RUN_ID))
    last = with_outcome(last, make.trade_failed("BBB", Side.BUY, "10", run_id=RUN_ID))
    last = with_outcome(last, make.executed("CCC", Side.BUY, "7", run_id=RUN_ID))
    last = with_outcome(last, make.executed("EEE", Side.SELL, "3", run_id=RUN_ID))
    release = Release(quantities={f"{RUN_ID}-BUY-CCC": Decimal(7), f"{RUN_ID}-BUY-AAA": Decimal(10)}, refused={})
    office.world.store = stored(replace(last, payloads={RunState.BUYING: release.to_content()}))

    rows = rows_of(office, capsys)

    assert {symbol: row["notes"] for symbol, row in rows.items()} == {
        "AAA": [],
        "BBB": ["target not reached: BUY failed: market_closed, 0 of 10 filled"],
        "CCC": ["target not reached: BUY scaled from 10 to 7"],
        "DDD": ["target not reached: BUY of 10 has no outcome"],
        "GONE": ["target not reached: not_tradable"],
        "SPY": [],
    }
    assert (rows["AAA"]["target"], rows["AAA"]["broker"], rows["GONE"]["target"]) == ("10.5", "0", None)


def test_reconcile_takes_the_latest_run_with_a_plan(office: Office, capsys: Out) -> None:
    older = replace(
        planned(make.decision("OLD", Side.BUY, "1")), run_id="prod-2022-11-23", trading_date=date(2022, 11, 23)
    )
    newer = replace(planned(make.decision("NEW", Side.BUY, "1")), run_id="prod-2022-11-25", trading_date=AS_OF)
    office.world.store = stored(older, newer, run(settled=True))

    office.reconcile()

    assert "last plan  prod-2022-11-25, COMPLETED" in capsys.readouterr().out


def test_reconcile_names_shares_that_strategies_own_and_the_account_lacks(office: Office, capsys: Out) -> None:
    office.world.ledger.record(fill("13", calm="13"))

    assert rows_of(office, capsys)["SPY"] == {
        "symbol": "SPY",
        "broker": "10",
        "books": "10",
        "strategies": "13",
        "nobodys": "-3",
        "target": None,
        "notes": ["strategies own 3 more than the account holds"],
    }


# --- JSON ---


def test_reconcile_as_json_has_everything_and_no_table(office: Office, capsys: Out) -> None:
    office.held["SPY"] = Decimal(12)

    with pytest.raises(CheckFailedError) as failure:
        office.reconcile(as_json=True)

    content = json.loads(capsys.readouterr().out)
    assert failure.value.findings == ()
    assert (content["environment"], content["account"], content["run"]) == ("prod", "PA1", None)
    assert content["differences"] == [Difference(symbol="SPY", broker=Decimal(12), books=Decimal(10)).to_content()]
    assert (content["books"]["state"], content["books"]["trading_date"]) == ("AGREED", "2022-11-25")
    assert "holdings" not in content["books"]


def test_reconcile_as_json_before_the_first_run_has_null_books(office: Office, capsys: Out) -> None:
    office.books.stored.clear()

    office.reconcile(as_json=True)

    content = json.loads(capsys.readouterr().out)
    assert (content["books"], content["symbols"][0]["books"]) == (None, None)
