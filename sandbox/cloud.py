"""The emulated cloud as a trading day uses it: send messages; read queues, logs, tables and mails.

No other module of a day calls the emulator.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from boto3.dynamodb.types import TypeDeserializer

from automation.system.aws import client
from automation.system.targets import Target
from sandbox.deployment import Deployment
from sandbox.emulator import NAME as EMULATOR
from sandbox.evidence import Backlog, Mail, QueuedMessage
from sandbox.function_logs import FunctionLog, read_log
from sandbox.outages import Outages, UnreachableError, never_wait, survives_outages
from sandbox.run_evidence import read_decision
from sandbox.schedules import Schedule
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.market_data.verdict import Verdict, read_verdict
from the_alchemiser.shared.performance.rows import ACCOUNT
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import META, Run, RunState, run_id_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient


class Cloud(Protocol):
    """The operations of the deployed stacks that a trading day needs. Moments are wall-clock time, UTC."""

    @property
    def deployment(self) -> Deployment: ...

    def send(self, schedule: Schedule) -> None:
        """Send the schedule's body to its target queue, as the scheduler would."""
        ...

    def backlogs(self) -> tuple[Backlog, ...]:
        """Return the messages of every inbox and dead-letter queue, without receiving any."""
        ...

    def log_of(self, module: str, since: datetime) -> FunctionLog: ...

    def run_on(self, trading_date: date) -> Run | None:
        """Return the scheduled run of a date; None when there is none."""
        ...

    def run_states(self) -> Mapping[date, RunState]:
        """Return the state of the scheduled run of every date that has one."""
        ...

    def verdict(self) -> Verdict | None: ...

    def decision(self, path_ref: str) -> Mapping[str, Any]:
        """Return the decision path stored under a reference; empty when nothing is stored there."""
        ...

    def ledger_of(self, run_id: str) -> tuple[LedgerEntry, ...]: ...

    def books_of(self, trading_date: date) -> BooksCheck | None:
        """Return the check of the books of the latest day, if that is this date."""
        ...

    def has_metrics(self, run: Run) -> bool:
        """Return whether the account's performance after a run is stored."""
        ...

    def mails(self, since: datetime) -> tuple[Mail, ...]: ...


@dataclass(frozen=True, slots=True)
class _Clients:
    """Clients that are created once: creating a boto3 client takes longer than most of its calls."""

    sqs: Any
    logs: "CloudWatchLogsClient"
    dynamodb: "DynamoDBClient"
    http: httpx.Client


class LocalCloud:
    """Cloud on the AWS emulator.

    Every call is repeated while the emulator does not answer, for as long as `outages` says; then it raises ToolError.
    A body that is sent twice does no harm: a second start is ignored, and a second refresh of a day only checks again.
    """

    def __init__(self, target: Target, deployment: Deployment, outages: Outages | None = None) -> None:
        self.deployment = deployment
        self.outages = outages or never_wait(EMULATOR)
        self._stage = deployment.parameters["Stage"]
        self._runs_table = deployment.output("RunsTable")
        self._clients = _Clients(
            sqs=client("sqs", target),
            logs=client("logs", target),
            dynamodb=client("dynamodb", target),
            http=httpx.Client(base_url=target.endpoint, timeout=10, trust_env=False),
        )
        self._runs = DynamoRunStore(self._clients.dynamodb, self._runs_table)
        self._ledger = DynamoLedger(self._clients.dynamodb, deployment.output("LedgerTable"))
        self._books = DynamoBooks(self._clients.dynamodb, self._runs_table)
        self._objects = S3Objects(client("s3", target), deployment.output("BucketName"))

    def close(self) -> None:
        """Close the HTTP connections."""
        self._clients.http.close()

    @survives_outages
    def send(self, schedule: Schedule) -> None:
        """Send the schedule's body to its target queue, as the scheduler would."""
        self._clients.sqs.send_message(
            QueueUrl=self.deployment.queue_url(schedule.target_arn), MessageBody=schedule.body
        )

    @survives_outages
    def backlogs(self) -> tuple[Backlog, ...]:
        """Return the messages of every inbox and dead-letter queue, without receiving any."""
        messages = _messages_by_queue(self._get("/_ministack/sqs/messages"))
        return tuple(
            Backlog(queue.name, queue.module, queue.is_dead_letter, messages.get(queue.name, ()))
            for queue in self.deployment.queues.values()
        )

    @survives_outages
    def log_of(self, module: str, since: datetime) -> FunctionLog:
        """Return what a function has logged since a moment; an empty log when it has no log group yet."""
        function, group = self.deployment.functions[module], self.deployment.log_groups[module]
        pages = self._clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(since.timestamp() * 1000)
        )
        try:
            events = chain.from_iterable(page["events"] for page in pages)
            lines = [event["message"] for event in events]
        except self._clients.logs.exceptions.ResourceNotFoundException:
            lines = []
        return read_log(module, function, lines)

    @survives_outages
    def run_on(self, trading_date: date) -> Run | None:
        """Return the scheduled run of a date; None when there is none."""
        return self._runs.load(run_id_of(self._stage, trading_date))

    @survives_outages
    def run_states(self) -> Mapping[date, RunState]:
        """Return the state of the scheduled run of every date that has one."""
        rows = {row["pk"].removeprefix("RUN#"): row for row in self._run_rows()}
        scheduled = {run_id_of(self._stage, date.fromisoformat(row["trading_date"])) for row in rows.values()}
        return {
            date.fromisoformat(rows[run_id]["trading_date"]): RunState(rows[run_id]["state"])
            for run_id in sorted(scheduled & rows.keys())
        }

    def _run_rows(self) -> Iterator[Mapping[str, Any]]:
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._runs_table,
            FilterExpression="sk = :meta AND begins_with(pk, :run)",  # the item of a day has the same sort key
            ExpressionAttributeValues={":meta": {"S": META}, ":run": {"S": "RUN#"}},
        )
        deserialize = TypeDeserializer().deserialize
        for item in chain.from_iterable(page["Items"] for page in pages):
            yield {name: deserialize(value) for name, value in item.items()}

    @survives_outages
    def verdict(self) -> Verdict | None:
        """Return the latest verdict of the data quality monitor; None before the first."""
        return read_verdict(self._objects)

    @survives_outages
    def decision(self, path_ref: str) -> Mapping[str, Any]:
        """Return the decision path stored under a reference; empty when nothing is stored there."""
        return read_decision(self._objects, path_ref)

    @survives_outages
    def ledger_of(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """Return the fills of a run, by time."""
        return self._ledger.entries_of_run(run_id)

    @survives_outages
    def books_of(self, trading_date: date) -> BooksCheck | None:
        """Return the check of the books of the latest day, if that is this date."""
        stored = self._books.latest()
        return stored.check if stored is not None and stored.check.trading_date == trading_date else None

    @survives_outages
    def has_metrics(self, run: Run) -> bool:
        """Return whether the account's performance after a run is stored."""
        key = {"pk": {"S": f"STRATEGY#{ACCOUNT}"}, "sk": {"S": run.trading_date.isoformat()}}
        answer = self._clients.dynamodb.get_item(TableName=self.deployment.output("PerformanceTable"), Key=key)
        return answer.get("Item", {}).get("run_id", {}).get("S") == run.run_id

    @survives_outages
    def mails(self, since: datetime) -> tuple[Mail, ...]:
        """Return the mails sent since a moment, by time."""
        by_account = self._get("/_ministack/ses/messages")
        mails = [_mail(message) for message in chain.from_iterable(by_account.values())]
        mails.sort(key=lambda mail: mail.sent_at)
        return tuple(mail for mail in mails if mail.sent_at >= since)

    def _get(self, path: str) -> Mapping[str, Any]:
        try:
            messages: Mapping[str, Any] = self._clients.http.get(path).raise_for_status().json()["messages"]
        except (httpx.HTTPError, ValueError, KeyError) as cause:
            raise UnreachableError(f"GET {path} failed: {cause}", where=EMULATOR) from cause
        return messages


def _messages_by_queue(by_account: Mapping[str, Any]) -> Mapping[str, tuple[QueuedMessage, ...]]:
    """Map each queue's name to its messages.

    Args:
        by_account: messages by account, region and queue URL.
    """
    queued = {}
    regions = chain.from_iterable(regions.values() for regions in by_account.values())
    for url, messages in chain.from_iterable(queues.items() for queues in regions):
        queued[url.rpartition("/")[2]] = tuple(_queued_message(message) for message in messages)
    return queued


def _queued_message(message: Mapping[str, Any]) -> QueuedMessage:
    visible_at = datetime.fromtimestamp(float(message["VisibleAt"]), UTC)
    return QueuedMessage(message["MessageId"], int(message["ReceiveCount"]), visible_at)


def _mail(message: Mapping[str, Any]) -> Mail:
    return Mail(
        message_id=message["MessageId"],
        sender=message["Source"],
        recipients=tuple(message["To"]),
        subject=message["Subject"],
        text=message["BodyText"] or "",
        html=message["BodyHtml"] or "",
        sent_at=datetime.fromtimestamp(float(message["Timestamp"]), UTC),
    )
