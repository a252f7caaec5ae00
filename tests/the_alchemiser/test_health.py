"""The health message through each lambda_handler, with real clients: it only reads, and names what does not answer."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.fakes import Context
from tests.the_alchemiser.paper import Paper
from the_alchemiser.shared.broker.credentials import broker_credentials

ENVIRONMENT = {
    "STAGE": "local",
    "BUS_NAME": "the-bus",
    "BUCKET_NAME": "the-bucket",
    "CLAIMS_TABLE": "claims",
    "RUNS_TABLE": "runs",
    "LEDGER_TABLE": "ledger",
    "PERFORMANCE_TABLE": "performance",
    "FETCH_REQUESTS_TABLE": "fetch-requests",
    "KILL_SWITCH_PARAMETER": "/alchemiser/local/trading",
    "TRADE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/trades.fifo",
    "BROKER_SECRET": "/alchemiser/local/broker",
    "BROKER_ACCOUNT": "",
    "SECOND_SOURCE_SECRET": "/alchemiser/local/second-source",
    "SECOND_SOURCE_URL": "http://127.0.0.1:9",
    "SECOND_SOURCE_SAMPLE": "8",
    "SECOND_SOURCE_BUDGET_S": "10",
    "DEPLOYMENT_FRACTION": "0.99",
    "MAIL_FROM": "alchemiser@example.com",
    "MAIL_TO": "a@example.com",
    "FIGURES_WAIT_S": "6",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:alerts",
}
BUS, SECRET = "events:DescribeEventBus", "secretsmanager:GetSecretValue"
CLAIMS, QUERY, TABLE, SWITCH = "dynamodb:GetItem", "dynamodb:Query", "dynamodb:DescribeTable", "ssm:GetParameter"
BARS, QUALITY = "s3:GET /bars/v1/health-check", "s3:GET /quality/v1/health-check"
ACTIONS = "s3:GET /corporate-actions/v1/health-check"
DECISIONS = "s3:GET /decisions/v1/health-check"
# The operations of each module's health message; the grants of its role are in the templates.
OPERATIONS = {
    "aggregator_v2": [CLAIMS, QUERY, BUS],
    "coordinator_v2": [QUERY, QUERY, QUERY, QUERY, QUALITY, ACTIONS, BUS, SWITCH, SECRET],
    "data_quality_monitor": [CLAIMS, BARS, ACTIONS, QUALITY, BUS, SECRET, SECRET],
    "data_v2": [CLAIMS, BARS, ACTIONS, TABLE, BUS, SECRET],
    "execution_v2": [CLAIMS, CLAIMS, QUERY, BUS, SWITCH, SECRET],
    "metrics_v2": [CLAIMS, QUERY, TABLE, ACTIONS, SECRET],
    "notifications_v2": [CLAIMS, QUERY, QUERY, DECISIONS, QUALITY],
    "portfolio_v2": [CLAIMS, QUERY, QUERY, ACTIONS, BUS, SECRET],
    "strategy_v2": [CLAIMS, BARS, QUALITY, BUS],
    "trade_aggregator": [CLAIMS, QUERY, "sqs:GetQueueUrl", BUS, SECRET],
}
WITH_BROKER = sorted(module for module, operations in OPERATIONS.items() if SECRET in operations)
EVERY_MODULE = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWire]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # Port 9 of loopback: nothing listens there, and the test may not open a socket anyway.
    monkeypatch.setenv("BROKER_TRADING_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BROKER_DATA_URL", "http://127.0.0.1:9")
    wire = AwsWire()
    wire.install(monkeypatch)
    broker_credentials.cache_clear()
    forget_wirings()
    yield wire
    broker_credentials.cache_clear()
    forget_wirings()


def handler(name: str) -> ModuleType:
    return import_module(f"the_alchemiser.{name}.lambda_handler")


def health(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = handler(name).lambda_handler({"health": True}, Context())
    return answer


def forget_wirings() -> None:
    """Forget what the handlers have built, and close the connections to the broker."""
    for module in map(handler, OPERATIONS):
        if module._inbox.cache_info().currsize:
            clock = module._inbox().checks.get("broker clock")
            if clock is not None:
                clock.__self__.close()
        module._inbox.cache_clear()


@EVERY_MODULE
@pytest.mark.enable_socket
def test_health_message_reaches_what_the_module_needs_and_only_reads(
    name: str, wire: AwsWire, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_TRADING_URL", paper.url)

    answer = health(name)

    assert answer["healthy"], answer["checks"]
    assert set(answer["checks"].values()) == {"ok"}
    assert (answer["module"], answer["incomplete"]) == (name, [])
    assert wire.operations == OPERATIONS[name]


@EVERY_MODULE
def test_health_message_twice_reads_twice(name: str, wire: AwsWire) -> None:
    module = handler(name)

    first, second = (module.lambda_handler({"health": True}, Context()) for _ in range(2))

    assert first == second
    uncached = [operation for operation in OPERATIONS[name] if operation != SECRET]
    assert [operation for operation in wire.operations if operation != SECRET] == uncached * 2


@EVERY_MODULE
def test_health_message_names_every_refused_operation(name: str, wire: AwsWire) -> None:
    wire.answers = {}

    answer = health(name)

    refused = {operation for operation in OPERATIONS[name] if not operation.startswith("s3:")}
    named = {operation for operation in refused if any(f"{operation} refused" in text for text in texts(answer))}
    assert answer["healthy"] == (not refused)
    assert named == refused


@pytest.mark.parametrize("name", WITH_BROKER)
def test_health_message_without_the_secret_is_incomplete(name: str, wire: AwsWire) -> None:
    wire.errors[SECRET] = "ResourceNotFoundException"

    answer = health(name)

    others = ["second source secret"] if name == "data_quality_monitor" else []
    assert (answer["healthy"], answer["incomplete"]) == (True, ["broker secret", *others])
    for check in ("broker secret", "broker clock"):
        assert answer["checks"][check].startswith("missing: secret /alchemiser/local/broker: ")


@pytest.mark.parametrize("name", WITH_BROKER)
def test_health_message_without_the_broker_names_its_clock(name: str, wire: AwsWire) -> None:
    answer = health(name)

    faults = [check for check, text in answer["checks"].items() if text != "ok"]
    assert (answer["healthy"], answer["incomplete"], faults) == (False, [], ["broker clock"])


def test_health_message_reads_nothing_that_exists(wire: AwsWire) -> None:
    for name in ("coordinator_v2", "portfolio_v2", "trade_aggregator"):
        health(name)

    queries = [body for body in wire.bodies if body and "KeyConditionExpression" in body]
    keys = [next(iter(body["ExpressionAttributeValues"].values()))["S"] for body in queries]
    coordinator = ["RUN#health-check", "0001-01-01", "SYMBOL#health-check", "health-check"]
    assert keys == [*coordinator, "RUN#health-check", "SYMBOL#health-check", "RUN#health-check"]
    assert [body for body in wire.bodies if body and "QueueName" in body] == [{"QueueName": "trades.fifo"}]
    assert [body["Name"] for body in wire.bodies if body and body.get("Name") == "the-bus"] == ["the-bus"] * 3


def texts(answer: dict[str, Any]) -> list[str]:
    return list(answer["checks"].values())
