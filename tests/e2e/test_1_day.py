"""One day through ten functions, looked at from outside: by AWS's and the broker's own interfaces."""

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
    pages = [
        sandbox.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"] for stack in STACKS
    ]
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages
        for one in page
        if one["ResourceType"] == kind
    }


def items(sandbox: Sandbox, table: str) -> list[dict[str, Any]]:
    name = sandbox.resources("alchemiser-local")[table]
    found: list[dict[str, Any]] = sandbox.client("dynamodb").scan(TableName=name)["Items"]
    return found


def run_item(sandbox: Sandbox, sk: str) -> dict[str, Any]:
    return next(one for one in items(sandbox, "Runs") if one["sk"]["S"] == sk and one["pk"]["S"] == f"RUN#{RUN_ID}")


def test_day_ends_well_and_tells_what_was_traded(first_day: subprocess.CompletedProcess[str]) -> None:
    assert first_day.returncode == 0, first_day.stdout + first_day.stderr
    for word in ("COMPLETED", "merged signal", "trend-shield", "equity", "mail", "report"):
        assert word in first_day.stdout


def test_day_ran_each_of_the_ten_functions(deployed: Sandbox) -> None:
    logs = deployed.client("logs")
    handled = {
        name
        for name, physical in of_kind(deployed, "AWS::Lambda::Function").items()
        for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{physical}")["events"]
        if event["message"].startswith("{") and json.loads(event["message"])["message"] == "handled"
    }

    assert len(handled) == FUNCTIONS


def test_day_leaves_every_queue_and_dead_letter_queue_empty(deployed: Sandbox) -> None:
    sqs, queues = deployed.client("sqs"), of_kind(deployed, "AWS::SQS::Queue")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = {
        name: sum(int(n) for n in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())
        for name, url in queues.items()
    }

    assert len(left) == 2 * FUNCTIONS
    assert set(left.values()) == {0}


def test_day_sends_one_mail(deployed: Sandbox) -> None:
    found = httpx.get(f"{deployed.emulator_url}/_ministack/ses/messages").raise_for_status().json()

    assert len(found["messages"] if isinstance(found, dict) else found) == 1


def test_day_enters_one_ledger_entry_a_fill(deployed: Sandbox) -> None:
    fills = deployed.broker("/v2/account/activities/FILL")
    entries = items(deployed, "Ledger")

    assert fills
    assert sorted(one["order_id"] for one in fills) == sorted(one["order_id"]["S"] for one in entries)


def test_day_leaves_the_positions_that_the_plan_aims_at(deployed: Sandbox) -> None:
    plan = json.loads(run_item(deployed, "PLAN")["body"]["S"])
    held = {one["symbol"]: Decimal(one["qty"]) for one in deployed.broker("/v2/positions")}

    targets = {one["symbol"]: Decimal(one["target_quantity"]) for one in plan["decisions"]}
    assert {symbol for symbol, quantity in targets.items() if quantity} == set(held)
    assert all(abs(held[symbol] - targets[symbol]) <= Decimal("0.000001") for symbol in held)


def test_day_leaves_cash_and_positions_that_add_up_to_the_cent(deployed: Sandbox) -> None:
    account, positions = deployed.broker("/v2/account"), deployed.broker("/v2/positions")

    total = Decimal(account["cash"]) + sum(Decimal(one["market_value"]) for one in positions)
    assert total == Decimal(account["equity"])


def test_day_writes_performance_of_each_strategy_and_the_account(deployed: Sandbox) -> None:
    rows = {(one["pk"]["S"], one["sk"]["S"]) for one in items(deployed, "Performance")}

    for strategy in ("trend-shield", "momentum-rotation", "all-weather", "dip-buyer", "ACCOUNT"):
        assert {(f"STRATEGY#{strategy}", FIRST_DAY), (f"STRATEGY#{strategy}", "LATEST")} <= rows


def test_same_day_again_trades_nothing_and_says_so(deployed: Sandbox, inv: Inv) -> None:
    before = deployed.broker("/v2/orders", status="all")

    again = inv("run-day", "--date", FIRST_DAY)

    assert again.returncode == 0
    assert "nothing traded" in again.stdout
    assert deployed.broker("/v2/orders", status="all") == before


def test_start_delivered_again_and_a_message_delivered_twice_change_nothing(deployed: Sandbox, inv: Inv) -> None:
    sqs, queues = deployed.client("sqs"), of_kind(deployed, "AWS::SQS::Queue")
    before = (deployed.broker("/v2/orders", status="all"), items(deployed, "Ledger"), run_item(deployed, "META"))
    outbox = json.loads(before[2]["outbox"]["S"])[0]
    body = {"source": "alchemiser.trading", "detail-type": outbox["type"], "detail": outbox["message"]}

    sqs.send_message(QueueUrl=queues["CoordinatorInbox"], MessageBody='{"command": "start-run"}')
    for inbox in ("NotificationsInbox", "MetricsInbox"):
        sqs.send_message(QueueUrl=queues[inbox], MessageBody=json.dumps(body))
    next_day = inv("run-day")

    assert next_day.returncode == 0, next_day.stdout + next_day.stderr
    assert [one for one in deployed.broker("/v2/orders", status="all") if one in before[0]] == before[0]
    assert run_item(deployed, "META") == before[2]


def test_deploy_again_with_nothing_changed_says_so(deployed: Sandbox, inv: Inv) -> None:
    again = inv("deploy", "--env", "local")

    assert again.returncode == 0, again.stderr
    assert "nothing has changed in local" in again.stdout
