"""The commands of the person on duty on the deployed sandbox: a run is started, paused while it trades, replaced."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

import httpx
import pytest

from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET
from sandbox.exchange.sessions import session_after
from tests.e2e.conftest import Inv, Sandbox
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import TRADE

PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class PausedRun:
    """A run that was paused while it traded, with what the commands printed."""

    day: date
    started: str
    paused: str
    cancelled: str

    @property
    def run_id(self) -> str:
        return f"local-{self.day}-r1"

    @property
    def stray(self) -> str:
        """The client order id of an order of the run that nobody works on."""
        return stray_of(self.day)

    @property
    def own(self) -> str:
        """The client order id of an order of the account's owner."""
        return own_of(self.day)


def stray_of(day: date) -> str:
    return f"local-{day}-r1-BUY-XOM-9"


def own_of(day: date) -> str:
    return f"own-{day}"


@pytest.fixture(scope="module")
def paused(first_day: object, deployed: Sandbox, inv: Inv) -> PausedRun:
    """Start a run whose orders rest, pause while one does, and pause again with --cancel-open."""

    def run(*words: str) -> str:
        done = inv(*words, "--env", "local")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with ExchangeControl(deployed.exchange_url) as exchange:
        day = load_data(deployed, exchange)
        exchange.plant("rest", times=200)
        started = run("run.start")
        await_true(lambda: bool(exchange.state().open_orders), "an order rests")
        submit(deployed, stray_of(day))
        submit(deployed, own_of(day))
        outcome = PausedRun(day, started, run("trading.pause"), run("trading.pause", "--cancel-open"))
        exchange.clear_faults()
    await_true(lambda: state_of(deployed, outcome.run_id) == "COMPLETED", f"{outcome.run_id} ends")
    return outcome


def load_data(sandbox: Sandbox, exchange: ExchangeControl) -> date:
    """Let data_v2 and the monitor work in the evening before the next day; go on to 15 minutes before its close."""
    known = exchange.state().session
    day = session_after(known).date
    exchange.set_clock(day, Phase.EVENING_BEFORE)
    data = sandbox.resources("alchemiser-local-data")
    body = '{"command": "refresh-market-data"}'
    sandbox.client("sqs").send_message(QueueUrl=data["DataInbox"], MessageBody=body)
    s3 = sandbox.client("s3")

    def is_checked() -> bool:
        verdict = json.load(s3.get_object(Bucket=data["Lake"], Key="quality/v1/latest.json")["Body"])
        return bool(verdict["as_of"] == known.isoformat())

    await_true(is_checked, "the market data are checked")
    exchange.set_clock(day, Phase.BEFORE_CLOSE)
    return day


def submit(sandbox: Sandbox, client_order_id: str) -> None:
    """Send an order that cannot fill, for a symbol that no run sells."""
    order = {"symbol": "XOM", "side": "buy", "qty": "1", "type": "limit", "time_in_force": "day", "limit_price": "1"}
    headers = {"APCA-API-KEY-ID": SANDBOX_KEY, "APCA-API-SECRET-KEY": SANDBOX_SECRET}
    body = order | {"client_order_id": client_order_id}
    httpx.post(f"{sandbox.exchange_url}/v2/orders", json=body, headers=headers).raise_for_status()


def status_of(sandbox: Sandbox, client_order_id: str) -> str:
    return str(sandbox.broker("/v2/orders:by_client_order_id", client_order_id=client_order_id)["status"])


def state_of(sandbox: Sandbox, run_id: str) -> str:
    table = sandbox.resources("alchemiser-local")["Runs"]
    key = {"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "META"}}
    return str(sandbox.client("dynamodb").get_item(TableName=table, Key=key)["Item"]["state"]["S"])


def filled_trades(sandbox: Sandbox, run_id: str) -> int:
    """Return how many trades of a run have filled completely."""
    run = DynamoRunStore(sandbox.client("dynamodb"), sandbox.resources("alchemiser-local")["Runs"]).load(run_id)
    assert run is not None
    return sum(item.body["type"] == "TradeExecuted" for item in run.items_of(TRADE).values())


def settle(sandbox: Sandbox, run_id: str) -> None:
    """Record that the run is settled, as the sweep does 110 seconds after its end."""
    sandbox.client("dynamodb").update_item(
        TableName=sandbox.resources("alchemiser-local")["Runs"],
        Key={"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "META"}},
        UpdateExpression="SET settled = :true",
        ExpressionAttributeValues={":true": {"BOOL": True}},
    )


def await_true(is_true: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_true():
        if time.monotonic() > give_up_at:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.05)


def rows_of(text: str) -> dict[str, str]:
    """Return the lines of a table of orders, by client order id."""
    return {line.split()[0]: line.rstrip() for line in text.splitlines() if line.startswith(("local-2", "own-2"))}


def test_start_names_the_run_and_how_to_follow_it(paused: PausedRun) -> None:
    lines = paused.started.splitlines()

    assert lines[0].startswith(f"local: start {paused.run_id}; it is {paused.day} 15:45 at the exchange")
    assert lines[-1] == f"to follow it: inv run.show {paused.run_id} --env local"


def test_pause_in_the_middle_of_a_run_lists_what_is_left_open(paused: PausedRun) -> None:
    rows = rows_of(paused.paused)

    assert paused.paused.startswith("local: trading is paused since ")
    assert f"of {paused.run_id} may still fill" in paused.paused
    assert paused.run_id in rows[paused.stray]
    assert "the account's owner" in rows[paused.own]


def test_cancel_open_cancels_the_orders_of_the_run_and_nothing_else(paused: PausedRun, deployed: Sandbox) -> None:
    assert rows_of(paused.cancelled)[paused.stray].endswith("canceled")
    assert (status_of(deployed, paused.stray), status_of(deployed, paused.own)) == ("canceled", "new")
    assert "open orders  1\n" in paused.cancelled


def test_paused_run_orders_nothing_more_and_says_why(paused: PausedRun, inv: Inv) -> None:
    done = inv("run.show", paused.run_id, "--env", "local", "--json")

    run: Any = json.loads(done.stdout)
    assert (run["state"], run["degraded"]) == ("COMPLETED", True)
    reasons = [trade["reason"] for trade in run["trades"]]
    # A trade or two may have ended before the pause, without a fill, because their orders rested.
    assert reasons.count("trading_paused") > len(reasons) / 2, reasons
    assert {trade["filled"] for trade in run["trades"]} == {"0"}
    orders = chain.from_iterable(trade["orders"] for trade in run["trades"])
    assert {order["status"] for order in orders} == {"canceled"}


def test_resumed_system_trades_in_the_place_of_the_paused_run(paused: PausedRun, deployed: Sandbox, inv: Inv) -> None:
    env, second = ("--env", "local"), f"local-{paused.day}-r2"
    resumed = inv("trading.resume", *env)
    settle(deployed, paused.run_id)
    started = inv("run.start", *env, "--replaces", paused.run_id)
    await_true(lambda: state_of(deployed, second) == "COMPLETED", f"{second} ends")

    assert resumed.returncode == 0, resumed.stderr
    assert started.returncode == 0, started.stdout + started.stderr
    assert filled_trades(deployed, second) > 0
