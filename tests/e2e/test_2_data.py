"""The market data of the deployed sandbox: loaded, shown, printed, exported, and repaired after damage."""

import json
import time
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.exchange.control import ExchangeControl
from tests.e2e.conftest import FIRST_DAY, Inv, Sandbox

pytestmark = pytest.mark.usefixtures("first_day")

BARS = "/v2/stocks/bars"
STRATEGY = "momentum-rotation"


def call(inv: Inv, *words: str, code: int = 0) -> str:
    done = inv(*words, "--env", "local")
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
    return done.stdout + (done.stderr if code else "")


def plain(weights: Mapping[str, str]) -> Mapping[str, Decimal]:
    return {symbol: Decimal(weight) for symbol, weight in weights.items()}


@pytest.fixture
def status(inv: Inv) -> dict[str, Any]:
    """Return the status of the lake after the close of the day that was traded last: its bars are not due yet."""
    document: dict[str, Any] = json.loads(call(inv, "data.status", "--json"))
    return document


def test_status_of_the_loaded_lake_has_every_symbol_of_the_book(status: dict[str, Any]) -> None:
    rows = [row for row in status["symbols"] if row["needed_by"]]

    assert len(rows) >= 20
    assert {row["digest"] for row in rows} == {"ok"}
    assert {row["last"] for row in rows} == {status["due"]}


def test_decision_on_an_export_is_that_of_the_deployed_strategy(inv: Inv, tmp_path: Path) -> None:
    run = json.loads(call(inv, "run.show", FIRST_DAY, "--json"))
    (deployed,) = (row for row in run["strategies"] if row["strategy"] == STRATEGY)
    call(inv, "data.export", "--to", str(tmp_path / "bars"))

    words = ("--date", run["as_of"], "--bars", str(tmp_path / "bars"), "--json")
    decided = json.loads(inv("strategies.evaluate", STRATEGY, *words).stdout)

    assert plain(decided["weights"]) == plain(deployed["weights"])


def test_damaged_object_is_named_and_a_refresh_repairs_it_in_spite_of_refusals(
    inv: Inv, deployed: Sandbox, status: dict[str, Any]
) -> None:
    s3, bucket = deployed.client("s3"), deployed.resources("alchemiser-local-data")["Lake"]
    stored = s3.get_object(Bucket=bucket, Key="bars/v1/SPY.parquet")
    body = stored["Body"].read()
    s3.put_object(Bucket=bucket, Key="bars/v1/SPY.parquet", Body=body[:-9], Metadata=stored["Metadata"])

    named = call(inv, "data.get", "SPY", code=3)
    failed = call(inv, "data.status", code=3)
    with ExchangeControl(deployed.exchange_url) as exchange:
        exchange.plant("refuse", status=429, times=2, path=BARS)
        refreshed = call(inv, "data.refresh", "SPY", "NOPE", code=3)
        exchange.clear_faults()
    lines = call(inv, "data.get", "SPY", "--csv").splitlines()
    load_all(inv, deployed)

    assert f"s3://{bucket}/bars/v1/SPY.parquet cannot be used: damaged" in named
    assert "SPY: damaged: bars/v1/SPY.parquet does not match its digest; inv data.refresh SPY --env local" in failed
    assert "SPY     repaired" in refreshed
    assert "asset_not_found" in refreshed
    assert "1 of 2 symbols failed" in refreshed
    (spy,) = (row for row in status["symbols"] if row["symbol"] == "SPY")
    assert len(lines) == 1 + spy["bars"] + 1  # the header, and the bar of the day that was traded last


def load_all(inv: Inv, sandbox: Sandbox) -> None:
    """Load what the last session has brought, and wait until the lake passes its check, for the tests that follow."""
    call(inv, "data.refresh")
    as_of = json.loads(call(inv, "data.status", "--json"))["as_of"]
    s3, bucket = sandbox.client("s3"), sandbox.resources("alchemiser-local-data")["Lake"]
    for _ in range(600):
        verdict = json.load(s3.get_object(Bucket=bucket, Key="quality/v1/latest.json")["Body"])
        if verdict["as_of"] == as_of and not verdict["quarantined"]:
            return
        time.sleep(0.1)
    pytest.fail(f"the lake did not pass its check: {verdict}")


def test_lasting_difference_is_accepted_and_withdrawn(inv: Inv, deployed: Sandbox) -> None:
    with ExchangeControl(deployed.exchange_url) as exchange:
        exchange.plant_bar_fault("spike", "SPY", date(2022, 3, 10), factor=1.05, side="second")
        check_until_spy_is(inv, deployed, "quarantined")
        accepted = call(inv, "data.accept", "SPY", "--reason", "looked at both")
        card = await_spy(inv, "accepted")
        withdrawn = call(inv, "data.accept", "SPY", "--withdraw")
        quarantined = await_spy(inv, "quarantined")
        exchange.clear_bar_faults()
    check_until_spy_is(inv, deployed, "ok")

    assert "accepted 1 finding of SPY" in accepted
    assert "withdrew 1 acceptance of SPY" in withdrawn
    assert card is not None
    assert quarantined is not None
    (acceptance,) = card["accepted"]
    assert (acceptance["code"], acceptance["date"]) == ("disagreement", "2022-03-10")
    assert acceptance["reason"] == "looked at both"


def check_until_spy_is(inv: Inv, sandbox: Sandbox, wanted: str) -> None:
    """Let the monitor check until it has this state of SPY, whose turn of being compared may come in a later check."""
    inbox = sandbox.resources("alchemiser-local-data")["MonitorInbox"]
    as_of = json.loads(call(inv, "data.quality", "--json"))["as_of"]
    command = json.dumps({"command": "check-data-quality", "as_of": as_of})
    for _ in range(4):
        sandbox.client("sqs").send_message(QueueUrl=inbox, MessageBody=command)
        if await_spy(inv, wanted) is not None:
            return
    pytest.fail(f"SPY is not {wanted}")


def await_spy(inv: Inv, wanted: str) -> dict[str, Any] | None:
    """Return the card of SPY once it has a state; None if it does not get it."""
    for _ in range(8):
        (card,) = json.loads(call(inv, "data.quality", "--symbol", "SPY", "--json"))["symbols"]
        state = "quarantined" if card["quarantined_since"] else "accepted" if card["accepted"] else "ok"
        if state == wanted:
            return dict(card)
        time.sleep(0.5)
    return None
