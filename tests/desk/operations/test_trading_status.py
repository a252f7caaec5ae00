"""`inv trading.status`: everything at a glance, for people and for programs."""

import json
from typing import Any

import pytest

from automation.system.errors import CheckFailedError
from desk.operations import trading_status
from tests.desk.operations.duty import (
    BUY_SPY,
    ROOT,
    RUN_ID,
    UNREACHABLE,
    FakeBroker,
    FakeSwitch,
    World,
    check,
    connected,
    differing_books,
    order,
    run,
    stored,
)
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.broker.models import OrderStatus
from the_alchemiser.shared.run.runs import RunState

Out = pytest.CaptureFixture[str]


def report(world: World, name: str = "prod", *, as_json: bool = False) -> None:
    trading_status.report(ROOT, name, as_json=as_json, connect=connected(world, name))


def report_json(world: World, capsys: Out) -> Any:
    report(world, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_status_in_order(capsys: Out) -> None:
    world = World(store=stored(run(settled=True), run(RunState.BUYING, f"{RUN_ID}-r1")))
    assert world.books.put(check(CheckState.ACCEPTED))

    report(world)

    assert capsys.readouterr().out.splitlines() == [
        "prod: AWS account 123456789012, us-east-1",
        "trading      enabled since 2022-11-28 14:02:11 UTC by arn:aws:iam::123456789012:user/eva",
        "market       2022-11-28 15:45 in New York: open until 2022-11-28 16:00",
        "account      PA1: ACTIVE, equity $12,345.67, cash $1,000.00",
        f"today's run  {RUN_ID}: COMPLETED, settled; {RUN_ID}-r1: BUYING",
        "books        ACCEPTED on 2022-11-25 by eva",
        "open orders  none",
        "nothing stands in the way of trading",
    ]
    assert world.broker.is_closed


def test_status_before_the_first_run(capsys: Out) -> None:
    report(World(broker=FakeBroker(time="08:00", number="")))

    out = capsys.readouterr().out
    assert "market       2022-11-28 08:00 in New York: closed until 2022-11-29 09:30" in out
    assert "account      an-id: ACTIVE" in out
    assert "today's run  none yet on 2022-11-28" in out
    assert "books        not checked yet: the first run opens them" in out


def test_status_lists_open_orders_with_their_owners(capsys: Out) -> None:
    mine = order("mine", OrderStatus.PARTIALLY_FILLED, filled="1.5", quantity=None).changed(limit_price=None)

    report(World(broker=FakeBroker(listed=[order().changed(raw_status="accepted"), mine])))

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "open orders 2" in lines
    assert f"{BUY_SPY} {RUN_ID} buy SPY limit $100.00 10 0 accepted" in lines
    assert "mine the account's owner buy SPY limit 1.5 partially_filled" in lines


def test_status_with_something_in_the_way_ends_with_findings(capsys: Out) -> None:
    world = World(switch=FakeSwitch("paused"), books=differing_books())

    with pytest.raises(CheckFailedError, match=r"^prod: 2 thing\(s\) stand in the way of trading$") as caught:
        report(world)

    assert [finding.where for finding in caught.value.findings] == ["paused", "books_differ"]
    out = capsys.readouterr().out
    assert "books        DIFFERS on 2022-11-25" in out
    assert "nothing stands in the way" not in out


def test_status_of_a_blocked_account_says_so(capsys: Out) -> None:
    with pytest.raises(CheckFailedError):
        report(World(broker=FakeBroker(is_blocked=True)))

    assert "PA1: ACTIVE, trading blocked, equity" in capsys.readouterr().out


def test_status_without_the_broker_shows_the_rest(capsys: Out) -> None:
    with pytest.raises(CheckFailedError) as caught:
        report(World(broker=FakeBroker(error=UNREACHABLE)))

    assert [finding.where for finding in caught.value.findings] == ["broker"]
    out = capsys.readouterr().out
    assert "market       the broker does not answer" in out
    assert "today's run  unknown: the broker says what day it is" in out
    assert "trading      enabled" in out
    assert "account" not in out.replace("AWS account", "").replace("account's owner", "")
    assert "open orders" not in out


def test_json_has_everything_as_text(capsys: Out) -> None:
    world = World(store=stored(run(settled=True)), broker=FakeBroker(listed=[order(), order("mine", filled="2")]))
    assert world.books.put(check(CheckState.AGREED))

    content = report_json(world, capsys)

    assert content["trading"] == {
        "value": "enabled",
        "since": "2022-11-28T14:02:11+00:00",
        "by": "arn:aws:iam::123456789012:user/eva",
    }
    assert (content["environment"], content["date"], content["findings"]) == ("prod", "2022-11-28", [])
    assert content["market"] == {
        "now": "2022-11-28T15:45:00-05:00",
        "is_open": True,
        "next_open": "2022-11-29T09:30:00-05:00",
        "next_close": "2022-11-28T16:00:00-05:00",
    }
    assert content["account"] == {
        "id": "an-id",
        "number": "PA1",
        "status": "ACTIVE",
        "trading_blocked": False,
        "equity": "12345.67",
        "cash": "1000",
        "buying_power": "900",
    }
    assert content["runs"] == [{"run_id": RUN_ID, "state": "COMPLETED", "settled": True}]
    assert content["books"] == {
        "trading_date": "2022-11-25",
        "state": "AGREED",
        "differences": [],
        "accepted_by": "",
    }
    assert [order["run_id"] for order in content["open_orders"]] == [RUN_ID, None]
    assert content["open_orders"][1] == {
        "id": "id-mine",
        "client_order_id": "mine",
        "run_id": None,
        "symbol": "SPY",
        "side": "BUY",
        "type": "limit",
        "status": "new",
        "limit_price": "100",
        "quantity": "10",
        "filled_quantity": "2",
        "filled_avg_price": "99.5",
        "submitted_at": "2022-11-28T15:46:00-05:00",
    }


def test_json_without_the_broker_has_nulls_and_the_findings(capsys: Out) -> None:
    with pytest.raises(CheckFailedError) as caught:
        report(World(broker=FakeBroker(error=UNREACHABLE), books=differing_books()), as_json=True)

    content = json.loads(capsys.readouterr().out)
    assert (content["market"], content["account"], content["open_orders"]) == (None, None, [])
    assert content["books"]["differences"] == ["SPY: the broker shows 12 shares, the books say 10"]
    assert [finding["where"] for finding in content["findings"]] == ["broker", "books_differ"]
    assert content["findings"][0]["fix"] == "look at the broker's status page"
    assert content["findings"][0]["what"] == "GET /v2/clock: connection refused"
    assert caught.value.findings == ()


def test_json_before_the_first_check_has_no_books(capsys: Out) -> None:
    assert report_json(World(), capsys)["books"] is None
