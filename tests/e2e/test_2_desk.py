"""`inv desk` over the deployed sandbox: every part is read, with the numbers of the tables and the exchange."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from tests.e2e.conftest import ROOT, Sandbox
from the_alchemiser.shared import formats
from the_alchemiser.shared.performance.table import DynamoPerformances

pytestmark = pytest.mark.usefixtures("first_day")
PARTS = ("today", "account", "equity", "strategies", "trades", "data", "queues", "alarms", "releases", "sizes")
LETTER = '{"command": "<b>sweep-runs</b>"}'


@pytest.fixture(scope="module")
def desk(deployed: Sandbox) -> Iterator[httpx.Client]:
    """Yield a connection to the desk, which any free port serves."""
    command = [sys.executable, "-m", "invoke", "desk", "--env", "local", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert url is not None, line
        with httpx.Client(base_url=url[0], trust_env=False) as client:
            yield client
        server.terminate()


def words(desk: httpx.Client, part: str) -> str:
    """Return the text of a part once it was read."""
    while "Reading" in (html := desk.get(f"/parts/{part}").raise_for_status().text):
        time.sleep(0.05)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_read(desk: httpx.Client, part: str) -> None:
    assert "could not be read" not in words(desk, part)


def test_today_is_the_run_that_completed_last(desk: httpx.Client, deployed: Sandbox) -> None:
    text, today = words(desk, "today"), deployed.broker("/v2/clock")["timestamp"][:10]

    assert f"Run completed local-{today}, settled" in text
    assert text.count(" done ") == 10
    assert "in the way of trading" not in text


def test_account_is_that_of_the_exchange(desk: httpx.Client, deployed: Sandbox) -> None:
    account, positions = deployed.broker("/v2/account"), deployed.broker("/v2/positions")
    text = words(desk, "account")

    assert f"Equity {formats.money(Decimal(account['equity']))} " in text
    assert f"Cash {formats.money(Decimal(account['cash']))} " in text
    assert account["account_number"] not in text
    for position in positions:
        shares, worth = formats.shares(Decimal(position["qty"])), formats.money(Decimal(position["market_value"]))
        assert re.search(rf"{position['symbol']} {re.escape(shares)} \S+ \S+ {re.escape(worth)} ", text)


def test_equity_is_that_of_the_performance_table(desk: httpx.Client, deployed: Sandbox) -> None:
    table = deployed.resources("alchemiser-local")["Performance"]
    latest = DynamoPerformances(deployed.client("dynamodb"), table).latest()
    assert latest is not None

    assert f"{latest.trading_date} {formats.money(latest.equity)}" in words(desk, "equity")


def test_dead_letter_is_shown_as_text_and_stays(desk: httpx.Client, deployed: Sandbox) -> None:
    sqs, url = deployed.client("sqs"), deployed.resources("alchemiser-local")["CoordinatorDlq"]
    sqs.send_message(QueueUrl=url, MessageBody=LETTER)
    try:
        while "CoordinatorDlq: 1 dead letter" not in words(desk, "queues"):
            time.sleep(0.2)
        assert "&lt;b&gt;sweep-runs&lt;/b&gt;" in desk.get("/parts/queues").text

        message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"][0]
        assert message["Body"] == LETTER
    finally:
        sqs.purge_queue(QueueUrl=url)


def test_another_site_reaches_nothing(desk: httpx.Client) -> None:
    assert desk.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert desk.post("/next-session", headers={"Origin": "http://evil.example"}).status_code == 403
