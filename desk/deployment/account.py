"""Read what is deployed: queues, runs, books and the kill switch.

The names come from the stacks' resources, outputs and functions. Nothing is changed, but for `pause_trading`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import chain
from typing import Any, NamedTuple, Protocol

from automation.system import aws
from automation.system.stacks import NoSuchStackError, StackResource
from automation.system.targets import Target
from desk.deployment.context import Context
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.dynamo import plain, typed
from the_alchemiser.shared.run.dynamo_runs import BY_DATE, DynamoRunStore
from the_alchemiser.shared.run.kill_switch import ENABLED, PAUSED
from the_alchemiser.shared.run.runs import META, TRADE, RunState

_QUEUE = "AWS::SQS::Queue"
_KILL_SWITCH = "KillSwitch"  # its logical id
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


class Queue(NamedTuple):
    """An inbox, by its logical id. `messages` counts those that wait and those that are being handled."""

    name: str
    messages: int
    has_trades: bool


class LastRun(NamedTuple):
    """The latest run; `failed_trades` are among its `trades`."""

    run_id: str
    state: RunState
    trades: int
    failed_trades: int


class Account(Protocol):
    """The deployed stacks of an environment, as the hooks need them."""

    def inboxes(self) -> tuple[Queue, ...]:
        """Return the inboxes, without the dead-letter queues."""
        ...

    def open_runs(self, day: date) -> Mapping[str, RunState]:
        """Return the runs of a date that have not ended, by id."""
        ...

    def last_run(self) -> LastRun | None:
        """Return the latest run; None before the first."""
        ...

    def books(self) -> BooksCheck | None:
        """Return the latest check of the books; None before the first."""
        ...

    def kill_switch(self) -> str:
        """Return the name of the kill switch's parameter; empty when it is not deployed."""
        ...

    def is_enabled(self, kill_switch: str) -> bool:
        """Return whether the kill switch lets the system trade."""
        ...

    def pause_trading(self, kill_switch: str) -> None:
        """Set the kill switch to paused."""
        ...


@dataclass(frozen=True)
class AwsAccount:
    """Account on AWS, or on an endpoint that replaces it."""

    context: Context
    client: Callable[[str], Any]
    resources_of: Callable[[str], Iterable[StackResource]]

    @cached_property
    def resources(self) -> tuple[StackResource, ...]:
        """The resources of all stacks that exist."""
        return tuple(chain.from_iterable(map(self._resources_of, self.context.stacks.values())))

    def inboxes(self) -> tuple[Queue, ...]:
        """Return the inboxes, without the dead-letter queues."""
        queues = self._of_type(_QUEUE)
        sqs = self.client("sqs")

        def read(queue: StackResource) -> Mapping[str, str]:
            answer = sqs.get_queue_attributes(QueueUrl=queue.physical_id, AttributeNames=["All"])
            attributes: Mapping[str, str] = answer["Attributes"]
            return attributes

        with ThreadPoolExecutor(8) as pool:
            attributes = dict(zip(queues, pool.map(read, queues), strict=True))
        # An inbox moves what it cannot deliver to a dead-letter queue, which itself has no such policy.
        return tuple(_queue(queue.logical_id, values) for queue, values in attributes.items() if _is_inbox(values))

    def open_runs(self, day: date) -> Mapping[str, RunState]:
        """Return the runs of a date that have not ended, by id."""
        states = {run_id: self._state(run_id) for run_id in self._runs().runs_on(day)}
        return {run_id: state for run_id, state in states.items() if not state.is_final}

    def last_run(self) -> LastRun | None:
        """Return the latest run; None before the first."""
        run_id = latest_run_id(self._dynamodb, self._runs_table)
        if not run_id:
            return None
        trades = self._trades(run_id)
        return LastRun(run_id, self._state(run_id), trades.total(), trades["TradeFailed"])

    def books(self) -> BooksCheck | None:
        """Return the latest check of the books; None before the first."""
        stored = DynamoBooks(self._dynamodb, self._runs_table).latest()
        return None if stored is None else stored.check

    def kill_switch(self) -> str:
        """Return the name of the kill switch's parameter; empty when it is not deployed."""
        return self._physical_id(_KILL_SWITCH)

    def is_enabled(self, kill_switch: str) -> bool:
        """Return whether the kill switch lets the system trade."""
        return bool(self.client("ssm").get_parameter(Name=kill_switch)["Parameter"]["Value"] == ENABLED)

    def pause_trading(self, kill_switch: str) -> None:
        """Set the kill switch to paused."""
        self.client("ssm").put_parameter(Name=kill_switch, Value=PAUSED, Overwrite=True)

    @property
    def _dynamodb(self) -> Any:
        return self.client("dynamodb")

    @property
    def _runs_table(self) -> str:
        return self.context.outputs["RunsTable"]

    def _runs(self) -> DynamoRunStore:
        return DynamoRunStore(self._dynamodb, self._runs_table)

    def _state(self, run_id: str) -> RunState:
        # Only the state is read: the rest may have a form of a release that this code does not know.
        key = typed({"pk": f"RUN#{run_id}", "sk": META})
        row = self._dynamodb.get_item(TableName=self._runs_table, Key=key, ConsistentRead=True)["Item"]
        return RunState(plain(row)["state"])

    def _trades(self, run_id: str) -> Counter[str]:
        """Count the trades of a run by outcome."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._runs_table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :trade)",
            ExpressionAttributeValues=typed({":pk": f"RUN#{run_id}", ":trade": f"{TRADE}#"}),
        )
        rows = chain.from_iterable(page["Items"] for page in pages)
        return Counter(json.loads(plain(row)["body"])["type"] for row in rows)

    def _of_type(self, resource_type: str) -> tuple[StackResource, ...]:
        return tuple(resource for resource in self.resources if resource.type == resource_type)

    def _physical_id(self, logical_id: str) -> str:
        return next((resource.physical_id for resource in self.resources if resource.logical_id == logical_id), "")

    def _resources_of(self, stack: str) -> Iterable[StackResource]:
        try:
            return self.resources_of(stack)
        except NoSuchStackError:
            return ()


def latest_run_id(dynamodb: Any, table: str) -> str:
    """Return the id of the latest run in the Runs table; empty before the first."""
    # Only META has a date, so the index has one row per run.
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, IndexName=BY_DATE)
    rows = [plain(item) for item in chain.from_iterable(page["Items"] for page in pages)]
    if not rows:
        return ""
    # `…-r10` is later than `…-r9`: of the same date, the longer id is the later one.
    latest = max(rows, key=lambda row: (row["trading_date"], len(row["pk"]), row["pk"]))
    return str(latest["pk"].removeprefix("RUN#"))


def connect(context: Context) -> AwsAccount:
    """Return the account that a hook works on; nothing is asked yet."""
    return AwsAccount(
        context,
        client=lambda service: aws.client(service, context.target),
        resources_of=lambda stack: _resources(context.target, stack),
    )


@cache
def _resources(target: Target, stack: str) -> tuple[StackResource, ...]:
    """Return the resources of a stack; cached, because one process runs several hooks within seconds."""
    return aws.Cloud(target).resources(stack)


def _is_inbox(attributes: Mapping[str, str]) -> bool:
    return "RedrivePolicy" in attributes


def _queue(name: str, attributes: Mapping[str, str]) -> Queue:
    messages = sum(int(attributes.get(count, 0)) for count in _COUNTS)
    return Queue(name, messages, attributes.get("FifoQueue") == "true")
