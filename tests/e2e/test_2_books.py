"""A difference at the broker is found after the close, mailed, and blocks the next day until it is accepted."""

import json
from decimal import Decimal

import pytest

from sandbox.exchange.control import ExchangeControl
from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.test_1_day import mail_subjects

pytestmark = pytest.mark.usefixtures("first_day")


def plant_share(sandbox: Sandbox) -> str:
    """Let the account hold one more share of a symbol, as if its owner had bought it; return the symbol."""
    held = sandbox.broker("/v2/positions")[0]
    with ExchangeControl(sandbox.exchange_url) as control:
        control.put_position(held["symbol"], Decimal(held["qty"]) + 1, avg_entry_price=held["avg_entry_price"])
    return str(held["symbol"])


def test_difference_at_the_broker_blocks_until_it_is_accepted(deployed: Sandbox, inv: Inv) -> None:
    symbol = plant_share(deployed)

    differing = inv("run-day")
    shown = inv("reconcile", "--env", "local")
    blocked = inv("run-day")
    accepted = inv("reconcile", "--env", "local", "--accept", "--yes")
    traded = inv("run-day", "--json")

    assert (differing.returncode, f"{symbol}: the broker shows" in differing.stdout) == (3, True), differing.stdout
    assert any("the books DIFFER from the account, 1 difference" in subject for subject in mail_subjects(deployed))
    assert (shown.returncode, f"{symbol}: the broker shows" in shown.stdout) == (3, True), shown.stdout + shown.stderr
    assert "differs by 1 share: cause not known" in " ".join(shown.stdout.split())
    assert (blocked.returncode, "books_differ" in blocked.stderr) == (3, True), blocked.stdout + blocked.stderr
    assert (accepted.returncode, "accepted by" in accepted.stdout) == (0, True), accepted.stdout + accepted.stderr
    assert traded.returncode == 0, traded.stdout + traded.stderr
    assert [day["state"] for day in json.loads(traded.stdout)] == ["COMPLETED"]
