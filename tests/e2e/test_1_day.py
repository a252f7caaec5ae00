"""One day through ten functions, checked from outside through the APIs of AWS and of the broker."""

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
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
    logs, functions = deployed.client("logs"), deployed.client("lambda")
    working = set()
    for name, physical in of_kind(deployed, "AWS::Lambda::Function").items():
        group = functions.get_function_configuration(FunctionName=physical)["LoggingConfig"]["LogGroup"]
        events = logs.filter_log_events(logGroupName=group)["events"]
        if any(is_handled(event["message"]) for event in events):
            working.add(name)

    assert len(working) == FUNCTIONS


def is_handled(line: str) -> bool:
    return line.startswith("{") and json.loads(line)["message"] == "handled"


def test_day_leaves_every_queue_empty(deployed: Sandbox) -> None:
    messages = waiting(deployed)

    assert len(messages) == 2 * FUNCTIONS
    assert set(messages.values()) == {0}


def waiting(sandbox: Sandbox) -> dict[str, int]:
    """Return the number of messages in each queue, also of those that are being handled."""
    sqs, names = sandbox.client("sqs"), ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    messages = {}
    for name, url in of_kind(sandbox, "AWS::SQS::Queue").items():
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        messages[name] = sum(map(int, attributes.values()))
    return messages


def mail_subjects(sandbox: Sandbox) -> list[str]:
    """Return the subjects of the sandbox's mails, in order."""
    answer = httpx.get(f"{sandbox.emulator_url}/_ministack/ses/messages").raise_for_status().json()
    return [mail["Subject"] for mail in answer["messages"].get("000000000000", [])]


def test_day_sends_one_mail(deployed: Sandbox) -> None:
    assert len(mail_subjects(deployed)) == 1


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


def test_refused_start_reaches_a_person_once(deployed: Sandbox) -> None:
    with ExchangeControl(deployed.exchange_url) as exchange:
        day = exchange.set_clock(exchange.state().session, Phase.AFTER_CLOSE).session
    sqs, inbox = deployed.client("sqs"), of_kind(deployed, "AWS::SQS::Queue")["CoordinatorInbox"]
    before = mail_subjects(deployed)

    for body in ('{"command": "start-run", "force": true}',) * 2:
        sqs.send_message(QueueUrl=inbox, MessageBody=body)
    await_queues(deployed)

    assert mail_subjects(deployed)[len(before) :] == [f"[local] {day}: run REFUSED: market closed"]


def test_check_day_publishes_its_figure(deployed: Sandbox) -> None:
    inbox = of_kind(deployed, "AWS::SQS::Queue")["CoordinatorInbox"]
    deployed.client("sqs").send_message(QueueUrl=inbox, MessageBody='{"command": "check-day"}')
    await_queues(deployed)

    now = datetime.now(UTC)
    [figure] = deployed.client("cloudwatch").get_metric_statistics(
        Namespace="Alchemiser",
        MetricName="DaysWithoutRun",
        Dimensions=[{"Name": "Stage", "Value": "local"}],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(minutes=1),
        Period=2 * 86400,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert (figure["Sum"], figure["SampleCount"]) == (0, 1)


def await_queues(sandbox: Sandbox) -> None:
    """Wait until all queues have been empty for a second."""
    empty_since, deadline = time.monotonic(), time.monotonic() + 60
    while time.monotonic() - empty_since < 1:
        if time.monotonic() > deadline:
            pytest.fail(f"the queues still hold messages: {waiting(sandbox)}")
        if any(waiting(sandbox).values()):
            empty_since = time.monotonic()
        time.sleep(0.1)
