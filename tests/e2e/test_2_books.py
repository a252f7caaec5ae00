"""A difference at the broker is found after the close, mailed, and blocks the next day until it is accepted."""

import json
import time
from datetime import date
from decimal import Decimal

import pytest

from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.test_1_day import mail_subjects
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore

pytestmark = pytest.mark.usefixtures("first_day")

SWEEP = '{"command": "sweep-runs"}'
WAIT_S = 60


def settle_runs(sandbox: Sandbox) -> None:
    """Record what the sweep records two minutes after the end of a run: its orders are final."""
    dynamodb, table = sandbox.client("dynamodb"), sandbox.resources("alchemiser-local")["Runs"]
    store = DynamoRunStore(dynamodb, table)
    for row in dynamodb.scan(TableName=table)["Items"]:
        if row["sk"]["S"] == "META" and row["pk"]["S"].startswith("RUN#"):
            store.mark_settled(row["pk"]["S"].removeprefix("RUN#"))


def plant_share(sandbox: Sandbox) -> str:
    """Let the account hold one more share of a symbol, 5 minutes after the close; return the symbol."""
    held = sandbox.broker("/v2/positions")[0]
    today = date.fromisoformat(sandbox.broker("/v2/clock")["timestamp"][:10])
    with ExchangeControl(sandbox.exchange_url) as control:
        control.put_position(held["symbol"], Decimal(held["qty"]) + 1, avg_entry_price=held["avg_entry_price"])
        control.set_clock(today, Phase.AFTER_CLOSE)
    return str(held["symbol"])


def wait_for_mail(sandbox: Sandbox, text: str) -> None:
    until = time.monotonic() + WAIT_S
    while not any(text in subject for subject in mail_subjects(sandbox)):
        assert time.monotonic() < until, f"no mail says {text!r}"
        time.sleep(0.1)


def test_difference_at_the_broker_blocks_until_it_is_accepted(deployed: Sandbox, inv: Inv) -> None:
    settle_runs(deployed)
    symbol = plant_share(deployed)
    inbox = deployed.resources("alchemiser-local")["CoordinatorInbox"]
    deployed.client("sqs").send_message(QueueUrl=inbox, MessageBody=SWEEP)
    wait_for_mail(deployed, "the books DIFFER from the account, 1 difference")

    shown = inv("reconcile", "--env", "local")
    blocked = inv("run-day")
    accepted = inv("reconcile", "--env", "local", "--accept", "--yes")
    traded = inv("run-day", "--json")

    assert (shown.returncode, f"{symbol}: the broker shows" in shown.stdout) == (3, True), shown.stdout + shown.stderr
    assert "differs by 1 share: cause not known" in " ".join(shown.stdout.split())
    assert (blocked.returncode, "books_differ" in blocked.stderr) == (3, True), blocked.stdout + blocked.stderr
    assert (accepted.returncode, "accepted by" in accepted.stdout) == (0, True), accepted.stdout + accepted.stderr
    assert traded.returncode == 0, traded.stdout + traded.stderr
    assert [day["state"] for day in json.loads(traded.stdout)] == ["COMPLETED"]
