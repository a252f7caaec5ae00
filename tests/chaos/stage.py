"""The deployed sandbox of a chaos session: prepared once, emptied before each seed; its artifacts stay as deployed."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import batched, chain
from pathlib import Path
from typing import Any

import httpx

from automation.system.aws import client
from automation.system.targets import Target
from sandbox import kills
from sandbox.brokerage import PaperBrokerage
from sandbox.cloud import LocalCloud
from sandbox.deployment import Deployment, find_deployment
from sandbox.exchange.control import ExchangeControl
from sandbox.exchange.sessions import session_before
from sandbox.local_environment import read_local_environment
from sandbox.settings import SandboxSettings, read_settings
from tests.chaos.drawing import Host, KillDraw, Trial
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.values import Side

ROOT = Path(__file__).parents[2]
CASH = Decimal(60_000)
STRATEGY = "trend-shield"
"""The strategy that bought the opening positions; the book has it."""
BUS_WITNESS, TOPIC_WITNESS = "chaos-bus-witness", "chaos-topic-witness"
# A killed worker's message comes back after its visibility time-out, which is most of what a seed takes: shorter ones,
# with the same order (work < time-out < visibility). A worker's own work takes about a second.
DURATIONS: Mapping[str, int] = {
    "HandlerTimeoutS": 12,
    "InboxVisibilityS": 14,
    "StrategyTimeoutS": 12,
    "StrategyVisibilityS": 14,
    "ExecutionTimeoutS": 26,
    "ExecutionVisibilityS": 28,
    "TradeWorkS": 14,
    "FiguresWaitS": 2,
}
_ANY_TOPIC = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
    ],
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Both servers, and what is deployed on one of them."""

    settings: SandboxSettings
    target: Target
    deployment: Deployment
    cloud: LocalCloud
    control: ExchangeControl
    brokerage: PaperBrokerage

    @property
    def name(self) -> str:
        """Return the stage of the deployed stacks, which starts every run id."""
        return self.deployment.parameters["Stage"]

    def client(self, service: str) -> Any:
        """Return a client of the emulator."""
        return client(service, self.target)

    # --- before a seed ----------------------------------------------------------------------------------------------

    def prepare(self, trial: Trial) -> None:
        """Empty tables, queues and the account, then open the account with the positions of the trial."""
        self.forget_kills()
        for table in self._tables():
            self._empty_table(table)
        sqs = self.client("sqs")
        for url in [*(queue.url for queue in self.deployment.queues.values()), *self._witnesses()]:
            sqs.purge_queue(QueueUrl=url)

        self.control.reset(CASH)
        ledger = DynamoLedger(self.client("dynamodb"), self.deployment.output("LedgerTable"))
        for symbol, quantity in trial.opening.items():
            self.control.put_position(symbol, quantity, avg_entry_price="50")
            ledger.record(_opening_entry(self.name, trial, symbol, quantity))

    def plant(self, kill: KillDraw) -> None:
        """Plant a kill at the server that it is about."""
        function = self.deployment.functions[kill.module]
        body = {"function": function, "number": kill.number, "moment": kill.moment.value}
        httpx.post(self._kills_url(kill.host), json=body, trust_env=False).raise_for_status()

    def forget_kills(self) -> None:
        """Remove every planted kill."""
        for host in Host:
            httpx.delete(self._kills_url(host), trust_env=False).raise_for_status()

    def kills_done(self) -> tuple[Mapping[str, Any], ...]:
        """Return the kills that happened: module, request and moment. A restart of a server forgets its own."""
        modules = {function: module for module, function in self.deployment.functions.items()}
        done = [httpx.get(self._kills_url(host), trust_env=False).raise_for_status().json()["done"] for host in Host]
        return tuple({**kill, "module": modules[kill["function"]]} for kill in chain.from_iterable(done))

    def _kills_url(self, host: Host) -> str:
        urls = {Host.EMULATOR: self.settings.emulator_url, Host.EXCHANGE: self.settings.exchange_url}
        return urls[host] + kills.PATH

    def _tables(self) -> tuple[str, ...]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        summaries: list[Mapping[str, Any]] = []
        for stack in read_local_environment(ROOT).stacks:
            for page in pages.paginate(StackName=stack):
                summaries += page["StackResourceSummaries"]
        return tuple(row["PhysicalResourceId"] for row in summaries if row["ResourceType"] == "AWS::DynamoDB::Table")

    def _empty_table(self, table: str) -> None:
        dynamodb = self.client("dynamodb")
        names = [part["AttributeName"] for part in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
        for rows in batched(self.rows(table), 25):
            deletions = [{"DeleteRequest": {"Key": {name: row[name] for name in names}}} for row in rows]
            dynamodb.batch_write_item(RequestItems={table: deletions})

    # --- reading ----------------------------------------------------------------------------------------------------

    def rows(self, table: str) -> Iterator[Mapping[str, Any]]:
        """Yield every item of a table."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return chain.from_iterable(page["Items"] for page in pages)

    def messages(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Return the messages of each queue by its name, without receiving any."""
        url = f"{self.settings.emulator_url}/_ministack/sqs/messages"
        accounts = httpx.get(url, trust_env=False, timeout=10).raise_for_status().json()["messages"]
        regions = chain.from_iterable(regions.values() for regions in accounts.values())
        queues = chain.from_iterable(queues.items() for queues in regions)
        return {url.rpartition("/")[2]: tuple(messages) for url, messages in queues}

    # --- once -------------------------------------------------------------------------------------------------------

    def shorten(self) -> None:
        """Give both stacks the durations of this session; template and artifacts stay as they are."""
        cloudformation, stacks = self.client("cloudformation"), read_local_environment(ROOT).stacks
        for stack in stacks:
            described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            parameters = [_parameter(row["ParameterKey"]) for row in described["Parameters"]]
            cloudformation.update_stack(
                StackName=stack,
                UsePreviousTemplate=True,
                Parameters=parameters,
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
        for stack in stacks:
            cloudformation.get_waiter("stack_update_complete").wait(
                StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 1200}
            )

    def watch(self) -> None:
        """Let queues of this session receive what the bus and the topic get: nothing else records it."""
        bus, topic = self._witnesses()
        events, bus_name = self.client("events"), self.deployment.output("BusName")
        pattern = json.dumps({"source": [{"prefix": ""}]})
        events.put_rule(Name=BUS_WITNESS, EventBusName=bus_name, EventPattern=pattern)
        target = {"Id": "witness", "Arn": self._arn(bus)}
        events.put_targets(Rule=BUS_WITNESS, EventBusName=bus_name, Targets=[target])
        topic_arn = self.deployment.output("AlertsTopicArn")
        self.client("sqs").set_queue_attributes(QueueUrl=topic, Attributes={"Policy": json.dumps(_ANY_TOPIC)})
        self.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=self._arn(topic))

    def _witnesses(self) -> tuple[str, ...]:
        sqs = self.client("sqs")
        return tuple(sqs.create_queue(QueueName=name)["QueueUrl"] for name in (BUS_WITNESS, TOPIC_WITNESS))

    def _arn(self, url: str) -> str:
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Yield the deployed sandbox of this session's environment; it must be running."""
    settings = read_settings(ROOT, os.environ)
    local = read_local_environment(ROOT)
    deployment = find_deployment(local.target, local.stacks)
    cloud, control = LocalCloud(local.target, deployment), ExchangeControl(settings.exchange_url, timeout_s=60)
    brokerage = PaperBrokerage(settings.exchange_url)
    try:
        yield Stage(settings, local.target, deployment, cloud, control, brokerage)
    finally:
        for connection in (cloud, control, brokerage):
            connection.close()


def _parameter(name: str) -> Mapping[str, Any]:
    if name in DURATIONS:
        return {"ParameterKey": name, "ParameterValue": str(DURATIONS[name])}
    return {"ParameterKey": name, "UsePreviousValue": True}


def _opening_entry(stage: str, trial: Trial, symbol: str, quantity: Decimal) -> LedgerEntry:
    session = session_before(session_before(trial.day).date)
    trade = f"{stage}-{session.date}-BUY-{symbol}"
    return LedgerEntry(
        symbol=symbol,
        filled_at=session.closes - timedelta(minutes=10),
        order_id=f"opening-{symbol}",
        fill="1",
        client_order_id=f"{trade}-1",
        trade_id=trade,
        run_id=f"{stage}-{session.date}",
        side=Side.BUY,
        quantity=quantity,
        price=Decimal(50),
        cash=-50 * quantity,
        attribution={STRATEGY: quantity},
    )
