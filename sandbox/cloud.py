"""The local cloud as a trading day sees it: send, look, read. The only place of the day that calls the emulator."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from boto3.dynamodb.types import TypeDeserializer

from automation.system.aws import Target, client
from automation.system.errors import ToolError
from sandbox.deployment import Deployment
from sandbox.evidence import Backlog, Mail
from sandbox.function_logs import FunctionLog, read_log
from sandbox.schedules import Schedule
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.market_data.verdict import Verdict, read_verdict
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import META, Run, RunState, run_id_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient


class Cloud(Protocol):
    """What a day needs of the deployed stacks. Moments are wall-clock, UTC."""

    @property
    def deployment(self) -> Deployment: ...

    def send(self, schedule: Schedule) -> None:
        """Put the schedule's body into its queue, as the scheduler would."""
        ...

    def backlogs(self) -> tuple[Backlog, ...]:
        """Every inbox and dead-letter queue; looking changes nothing."""
        ...

    def log_of(self, module: str, since: datetime) -> FunctionLog: ...

    def run_on(self, trading_date: date) -> Run | None:
        """The scheduled run of a date."""
        ...

    def traded(self) -> Mapping[date, RunState]:
        """Every date that has a run, with the state of the scheduled one."""
        ...

    def verdict(self) -> Verdict | None: ...

    def decision(self, path_ref: str) -> Mapping[str, Any]:
        """The decision path of that place; empty when there is none."""
        ...

    def ledger_of(self, run_id: str) -> tuple[LedgerEntry, ...]: ...

    def mails(self, since: datetime) -> tuple[Mail, ...]: ...


@dataclass(frozen=True, slots=True)
class _Clients:
    """Made once: making a boto3 client takes longer than most of its calls."""

    sqs: Any
    logs: "CloudWatchLogsClient"
    dynamodb: "DynamoDBClient"
    http: httpx.Client


class LocalCloud:
    """Cloud on the emulator."""

    def __init__(self, target: Target, deployment: Deployment) -> None:
        self.deployment = deployment
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
        self._objects = S3Objects(client("s3", target), deployment.output("BucketName"))

    def close(self) -> None:
        """Return the sockets."""
        self._clients.http.close()

    def send(self, schedule: Schedule) -> None:
        """Put the schedule's body into its queue, as the scheduler would."""
        self._clients.sqs.send_message(
            QueueUrl=self.deployment.queue_url(schedule.target_arn), MessageBody=schedule.body
        )

    def backlogs(self) -> tuple[Backlog, ...]:
        """Every inbox and dead-letter queue; looking changes nothing."""
        told = self._get("/_ministack/sqs/messages")
        found = {
            url.rpartition("/")[2]: tuple(int(message["ReceiveCount"]) for message in messages)
            for regions in told.values()
            for queues in regions.values()
            for url, messages in queues.items()
        }
        return tuple(
            Backlog(queue.name, queue.module, queue.is_dead_letter, found.get(queue.name, ()))
            for queue in self.deployment.queues.values()
        )

    def log_of(self, module: str, since: datetime) -> FunctionLog:
        """The function's log lines from that moment on."""
        function = self.deployment.functions[module]
        pages = self._clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}", startTime=int(since.timestamp() * 1000)
        )
        try:
            lines = [event["message"] for page in pages for event in page["events"]]
        except self._clients.logs.exceptions.ResourceNotFoundException:
            lines = []
        return read_log(module, function, lines)

    def run_on(self, trading_date: date) -> Run | None:
        """The scheduled run of a date."""
        return self._runs.load(run_id_of(self._stage, trading_date))

    def traded(self) -> Mapping[date, RunState]:
        """Every date that has a run, with the state of the scheduled one."""
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._runs_table,
            FilterExpression="sk = :meta",
            ExpressionAttributeValues={":meta": {"S": META}},
        )
        read = TypeDeserializer().deserialize
        rows = [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        states = {row["pk"].removeprefix("RUN#"): row for row in rows}
        scheduled = {run_id_of(self._stage, date.fromisoformat(row["trading_date"])) for row in rows}
        return {
            date.fromisoformat(states[run_id]["trading_date"]): RunState(states[run_id]["state"])
            for run_id in sorted(scheduled & states.keys())
        }

    def verdict(self) -> Verdict | None:
        """The monitor's latest."""
        return read_verdict(self._objects)

    def decision(self, path_ref: str) -> Mapping[str, Any]:
        """The decision path of that place; empty when there is none."""
        stored = self._objects.get(path_ref.removeprefix(self._objects.url("")))
        return {} if stored is None else dict(json.loads(stored.body)["path"])

    def ledger_of(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """The fills of a run, by time."""
        return self._ledger.entries_of_run(run_id)

    def mails(self, since: datetime) -> tuple[Mail, ...]:
        """The mails sent from that moment on, by time."""
        told = [mail for account in self._get("/_ministack/ses/messages").values() for mail in account]
        mails = sorted((_mail(one) for one in told), key=lambda mail: mail.sent_at)
        return tuple(mail for mail in mails if mail.sent_at >= since)

    def _get(self, path: str) -> Mapping[str, Any]:
        try:
            messages: Mapping[str, Any] = self._clients.http.get(path).raise_for_status().json()["messages"]
        except (httpx.HTTPError, ValueError, KeyError) as cause:
            raise ToolError(f"does not answer {path}: {cause}; run inv sandbox.up", where="AWS emulator") from cause
        return messages


def _mail(told: Mapping[str, Any]) -> Mail:
    return Mail(
        message_id=told["MessageId"],
        sender=told["Source"],
        recipients=tuple(told["To"]),
        subject=told["Subject"],
        text=told["BodyText"] or "",
        html=told["BodyHtml"] or "",
        sent_at=datetime.fromtimestamp(float(told["Timestamp"]), UTC),
    )
