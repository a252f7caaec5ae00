"""The account as AWS describes it: which queues count, which run is the last, and whether it may trade."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from automation.system.stacks import NoSuchStackError, StackResource
from desk.deployment.account import AwsAccount, LastRun, Queue
from desk.deployment.context import parse
from tests.desk.deployment.accounts import hook_context
from tests.desk.operations.duty import check
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.run.runs import RunState

DAY = date(2026, 11, 27)
RESOURCES = {
    "prod": (
        StackResource("KillSwitch", "/alchemiser/prod/trading", "AWS::SSM::Parameter"),
        StackResource("TradeInbox", "https://sqs/trades.fifo", "AWS::SQS::Queue"),
        StackResource("TradeDlq", "https://sqs/trades-dlq.fifo", "AWS::SQS::Queue"),
        StackResource("MetricsInbox", "https://sqs/metrics", "AWS::SQS::Queue"),
    ),
    "prod-data": (),
}
QUEUES = {
    "https://sqs/trades.fifo": {
        "FifoQueue": "true",
        "RedrivePolicy": "{}",
        "ApproximateNumberOfMessages": "1",
        "ApproximateNumberOfMessagesNotVisible": "20",
        "ApproximateNumberOfMessagesDelayed": "300",
    },
    "https://sqs/trades-dlq.fifo": {"FifoQueue": "true", "ApproximateNumberOfMessages": "7"},
    "https://sqs/metrics": {"RedrivePolicy": "{}", "ApproximateNumberOfMessages": "0"},
}


class Pages:
    """A paginator that splits its rows into pages of one."""

    def __init__(self, key: str, rows: Iterable[Any]) -> None:
        self._pages = [{key: []}, *({key: [row]} for row in rows)]

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return self._pages


class Runs:
    """The Runs table; `states` by run id, `trades` of every run."""

    def __init__(self, states: Mapping[str, str], trades: Iterable[str] = ()) -> None:
        self.states = states
        self.trades = trades
        self.operation = ""

    def get_paginator(self, operation: str) -> Any:
        self.operation = operation
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        assert request.pop("TableName") == "runs"
        rows = self._index()
        if self.operation == "scan":
            assert request == {"IndexName": "by-date"}
        elif "IndexName" in request:
            assert request["ExpressionAttributeValues"] == typed({":date": DAY.isoformat()})
        else:
            assert request == {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :trade)",
                "ExpressionAttributeValues": typed({":pk": "RUN#prod-2026-11-27-r10", ":trade": "TRADE#"}),
            }
            rows = [{"body": f'{{"type": "{trade}"}}'} for trade in self.trades]
        return Pages("Items", map(typed, rows)).paginate()

    def get_item(self, **request: Any) -> dict[str, Any]:
        assert (request["TableName"], request["ConsistentRead"]) == ("runs", True)
        run_id = request["Key"]["pk"]["S"].removeprefix("RUN#")
        assert request["Key"]["sk"] == {"S": "META"}
        return {"Item": typed({"state": self.states[run_id], "deadline_at": Decimal(1)})}

    def _index(self) -> list[dict[str, str]]:
        return [{"pk": f"RUN#{run_id}", "sk": "META", "trading_date": run_id[5:15]} for run_id in self.states]


SERVICES = {
    "get_queue_attributes": "sqs",
    "get_parameter": "ssm",
    "put_parameter": "ssm",
}


class Client:
    """The client of one service: it has only the operations of that service."""

    def __init__(self, service: str, services: "Services") -> None:
        self._service, self._services = service, services

    def __getattr__(self, operation: str) -> Any:
        assert SERVICES[operation] == self._service
        return getattr(self._services, operation)


class Services:
    """The clients of every service, as far as the account calls them."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.put: list[Mapping[str, Any]] = []

    def __call__(self, service: str) -> Any:
        return self.answers.get(service) or Client(service, self)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        assert AttributeNames == ["All"]
        return {"Attributes": QUEUES[QueueUrl]}

    def get_parameter(self, *, Name: str) -> Any:  # noqa: N803
        return {"Parameter": {"Value": self.answers["switch"]}} if Name == "/alchemiser/prod/trading" else {}

    def put_parameter(self, **request: Any) -> None:
        self.put.append(request)


def resources_of(stack: str) -> tuple[StackResource, ...]:
    return RESOURCES[stack]


def account(**answers: Any) -> AwsAccount:
    return AwsAccount(parse(hook_context()), Services(**answers), resources_of)


def test_inboxes_have_messages_in_every_state_and_no_dead_letters() -> None:
    assert account().inboxes() == (
        Queue("TradeInbox", 321, has_trades=True),
        Queue("MetricsInbox", 0, has_trades=False),
    )


def test_inboxes_of_a_stack_that_does_not_exist_are_none() -> None:
    def nothing(stack: str) -> tuple[StackResource, ...]:
        raise NoSuchStackError("there is no such stack", where=stack)

    bare = AwsAccount(parse(hook_context()), Services(), nothing)

    assert (bare.inboxes(), bare.kill_switch()) == ((), "")


def test_open_runs_leave_out_those_that_have_ended() -> None:
    runs = Runs({"prod-2026-11-27": "COMPLETED", "prod-2026-11-27-r1": "BUYING", "prod-2026-11-27-r2": "FAILED"})

    assert account(dynamodb=runs).open_runs(DAY) == {"prod-2026-11-27-r1": RunState.BUYING}


def test_last_run_is_the_latest_of_the_latest_date() -> None:
    states = {"prod-2026-11-25-r12": "FAILED", "prod-2026-11-27-r9": "FAILED", "prod-2026-11-27-r10": "COMPLETED"}
    runs = Runs(states, trades=("TradeExecuted", "TradeFailed", "TradeExecuted"))

    last = account(dynamodb=runs).last_run()

    assert last == LastRun("prod-2026-11-27-r10", RunState.COMPLETED, trades=3, failed_trades=1)


def test_last_run_before_the_first_is_none() -> None:
    assert account(dynamodb=Runs({})).last_run() is None


def test_books_are_the_latest_check_of_the_runs_table() -> None:
    stored = check(CheckState.AGREED)

    class Checks:
        """The Runs table with one check, or with none."""

        def __init__(self, *rows: Mapping[str, Any]) -> None:
            self.rows = rows

        def query(self, **request: Any) -> Any:
            assert (request["TableName"], request["Limit"]) == ("runs", 1)
            return {"Items": [typed(row) for row in self.rows]}

    assert account(dynamodb=Checks({"body": stored.to_json(), "sent": True})).books() == stored
    assert account(dynamodb=Checks()).books() is None


@pytest.mark.parametrize(("value", "is_enabled"), [("enabled", True), ("paused", False), ("on", False)])
def test_kill_switch_lets_trade_only_when_enabled(value: str, is_enabled: bool) -> None:
    deployed = account(switch=value)

    assert deployed.kill_switch() == "/alchemiser/prod/trading"
    assert deployed.is_enabled("/alchemiser/prod/trading") is is_enabled


def test_pause_trading_overwrites_the_kill_switch() -> None:
    services = Services()

    AwsAccount(parse(hook_context()), services, resources_of).pause_trading("/alchemiser/prod/trading")

    assert services.put == [{"Name": "/alchemiser/prod/trading", "Value": "paused", "Overwrite": True}]
