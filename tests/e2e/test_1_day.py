"""One day through ten functions, checked from outside through the APIs of AWS and of the broker."""

import json
import subprocess
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import FIRST_DAY, Inv, Sandbox

pytestmark = pytest.mark.usefixtures("first_day")

STACKS = ("alchemiser-local-data", "alchemiser-local")
RUN_ID = f"local-{FIRST_DAY}"
FUNCTIONS = 10


def of_kind(sandbox: Sandbox, kind: str) -> dict[str, str]:
    """Return the physical ids of both stacks' resources of one type, by logical id."""
    cloudformation = sandbox.client("cloudformation")
    physical = {}
    for stack in STACKS:
        for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
            if resource["ResourceType"] == kind:
                physical[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    return physical


def items(sandbox: Sandbox, table: str) -> list[dict[str, Any]]:
    name = sandbox.resources("alchemiser-local")[table]
    rows: list[dict[str, Any]] = sandbox.client("dynamodb").scan(TableName=name)["Items"]
    return rows


def run_item(sandbox: Sandbox, sk: str) -> dict[str, Any]:
    rows = items(sandbox, "Runs")
    return next(row for row in rows if row["sk"]["S"] == sk and row["pk"]["S"] == f"RUN#{RUN_ID}")


def test_day_completes_and_prints_its_summary(first_day: subprocess.CompletedProcess[str]) -> None:
    assert first_day.returncode == 0, first_day.stdout + first_day.stderr
    for word in ("COMPLETED", "merged signal", "trend-shield", "equity", "mail", "report"):
        assert word in first_day.stdout


def test_day_runs_each_of_the_ten_functions(deployed: Sandbox) -> None:
    logs = deployed.client("logs")
    working = set()
    for name, physical in of_kind(deployed, "AWS::Lambda::Function").items():
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{physical}")["events"]
        if any(is_handled(event["message"]) for event in events):
            working.add(name)

    assert len(working) == FUNCTIONS


def is_handled(line: str) -> bool:
    return line.startswith("{") and json.loads(line)["message"] == "handled"


def test_day_leaves_every_queue_empty(deployed: Sandbox) -> None:
    sqs, queues = deployed.client("sqs"), of_kind(deployed, "AWS::SQS::Queue")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    messages = {}
    for name, url in queues.items():
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        messages[name] = sum(map(int, attributes.values()))

    assert len(messages) == 2 * FUNCTIONS
    assert set(messages.values()) == {0}


def test_day_sends_one_mail(deployed: Sandbox) -> None:
    sent = httpx.get(f"{deployed.emulator_url}/_ministack/ses/messages").raise_for_status().json()

    assert len(sent["messages"] if isinstance(sent, dict) else sent) == 1


def test_day_enters_one_ledger_entry_per_fill(deployed: Sandbox) -> None:
    fills = deployed.broker("/v2/account/activities/FILL")
    entries = items(deployed, "Ledger")

    assert fills
    assert sorted(fill["order_id"] for fill in fills) == sorted(entry["order_id"]["S"] for entry in entries)


def test_day_leaves_the_positions_of_the_plan(deployed: Sandbox) -> None:
    plan = json.loads(run_item(deployed, "PLAN")["body"]["S"])
    held = {position["symbol"]: Decimal(position["qty"]) for position in deployed.broker("/v2/positions")}

    targets = {decision["symbol"]: Decimal(decision["target_quantity"]) for decision in plan["decisions"]}
    assert {symbol for symbol, quantity in targets.items() if quantity} == set(held)
    assert all(abs(held[symbol] - targets[symbol]) <= Decimal("0.000001") for symbol in held)


def test_day_leaves_an_equity_of_cash_plus_positions(deployed: Sandbox) -> None:
    account, positions = deployed.broker("/v2/account"), deployed.broker("/v2/positions")

    total = Decimal(account["cash"]) + sum(Decimal(position["market_value"]) for position in positions)
    assert total == Decimal(account["equity"])


def test_day_writes_performance_of_strategies_and_account(deployed: Sandbox) -> None:
    rows = {(row["pk"]["S"], row["sk"]["S"]) for row in items(deployed, "Performance")}

    for strategy in ("trend-shield", "momentum-rotation", "all-weather", "dip-buyer", "ACCOUNT"):
        assert {(f"STRATEGY#{strategy}", FIRST_DAY), (f"STRATEGY#{strategy}", "LATEST")} <= rows


def test_same_day_again_trades_nothing(deployed: Sandbox, inv: Inv) -> None:
    before = deployed.broker("/v2/orders", status="all")

    again = inv("run-day", "--date", FIRST_DAY)

    assert again.returncode == 0
    assert "nothing traded" in again.stdout
    assert deployed.broker("/v2/orders", status="all") == before


def test_messages_delivered_twice_change_nothing(deployed: Sandbox, inv: Inv) -> None:
    sqs, queues = deployed.client("sqs"), of_kind(deployed, "AWS::SQS::Queue")
    before = (deployed.broker("/v2/orders", status="all"), items(deployed, "Ledger"), run_item(deployed, "META"))
    outbox = json.loads(before[2]["outbox"]["S"])[0]
    body = {"source": "alchemiser.trading", "detail-type": outbox["type"], "detail": outbox["message"]}

    sqs.send_message(QueueUrl=queues["CoordinatorInbox"], MessageBody='{"command": "start-run"}')
    for inbox in ("NotificationsInbox", "MetricsInbox"):
        sqs.send_message(QueueUrl=queues[inbox], MessageBody=json.dumps(body))
    next_day = inv("run-day")

    assert next_day.returncode == 0, next_day.stdout + next_day.stderr
    assert [order for order in deployed.broker("/v2/orders", status="all") if order in before[0]] == before[0]
    assert run_item(deployed, "META") == before[2]


def test_deploy_again_without_changes_says_so(deployed: Sandbox, inv: Inv) -> None:
    again = inv("deploy", "--env", "local")

    assert again.returncode == 0, again.stderr
    assert "nothing has changed in local" in again.stdout
