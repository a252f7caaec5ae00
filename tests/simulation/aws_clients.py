"""AWS in memory below `aws.client`: every client that the product creates, with boto3's call shapes and errors."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from tests.simulation.calls import TIMEOUTS, Port, call
from tests.simulation.dynamo import Dynamo
from tests.simulation.dynamo_tables import Tables, refusal
from tests.simulation.end_state import Gauge, Notice, Published
from tests.simulation.latencies import SECOND
from tests.simulation.scenario import FaultKind
from tests.simulation.world import World

SECRET_KEY = "k"
"""The key in each secret."""
READ_LIMIT_S = 5
CALL_BYTES = 256 * 1024
"""What one call may bring to the bus, all of its entries together."""

_SECRET = json.dumps({"key": SECRET_KEY, "secret": "s"})
_URL = "https://aws.simulated"
_THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "sesv2": "TooManyRequestsException",
    "sns": "ThrottledException",
}


def aws_port(service: str, *, attempts: int, read_s: int = READ_LIMIT_S) -> Port:
    """Return how boto3 fails for this service."""

    def error(operation: str, fault: FaultKind) -> Exception:
        if fault is FaultKind.THROTTLE:
            return _throttled(service, operation)
        if fault in TIMEOUTS:
            return ReadTimeoutError(endpoint_url=_URL)
        if fault is FaultKind.FAIL_AFTER:
            return ConnectionClosedError(endpoint_url=_URL)
        if service == "dynamodb":
            return _server_error("InternalServerError", operation)
        return EndpointConnectionError(endpoint_url=_URL) if service == "s3" else _server_error("500", operation)

    return Port(service, attempts, read_s * SECOND, error, is_partial=service in {"events", "sqs"})


def _throttled(service: str, operation: str) -> ClientError:
    if operation == "transact_write_items":
        reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
        return refusal("TransactionCanceledException", "Transaction cancelled", operation, CancellationReasons=reasons)
    return refusal(_THROTTLED.get(service, "ThrottlingException"), "Rate exceeded", operation)


def _server_error(code: str, operation: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "internal error"}, "ResponseMetadata": {"HTTPStatusCode": 500}}
    return ClientError(answer, operation)


@dataclass(slots=True)
class StoredBody:
    """One object of S3."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]


@dataclass(slots=True)
class Account:
    """What the AWS account contains beside tables and queues, and what it has accepted."""

    world: World
    tables: Tables
    switch_name: str
    deliver: Callable[[Mapping[str, Any]], None]
    send: Callable[[str, str, str, str], None]
    objects: dict[str, StoredBody] = field(default_factory=dict)
    switch: list[tuple[int, str]] = field(default_factory=list)
    mails: list[Notice] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    trades: list[Published] = field(default_factory=list)

    def client(self, service: str, *, connections: int = 10, attempts: int = 3, read_s: int = READ_LIMIT_S) -> Any:
        """Return a client, as `aws.client` does."""
        port = aws_port(service, attempts=attempts, read_s=read_s)
        if service == "dynamodb":
            return Dynamo(self.tables, port)
        return _CLIENTS[service](self, port)

    def set_switch(self, text: str) -> None:
        """Flip the kill switch."""
        self.switch.append((self.world.now, text))
        self.world.note(f"kill switch {text}")

    def published_by(self, detail_type: str, detail: Mapping[str, Any]) -> Published:
        """Return the record of a message that the running function has sent."""
        invocation = self.world.current
        return Published(
            self.world.at,
            "" if invocation is None else invocation.module,
            detail_type,
            detail["message_id"],
            detail["run_id"],
            detail,
        )


class _Client:
    """A client of one service of the account."""

    def __init__(self, account: Account, port: Port) -> None:
        self._account = account
        self._port = port

    def _call[T](
        self, operation: str, effect: Callable[[], T], subject: str, show: Callable[[Any], str] | None = None
    ) -> T:
        return call(self._account.world, self._port, operation, effect, subject=subject, show=show)


class _Events(_Client):
    def put_events(self, *, Entries: list[Mapping[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Accept events: every one of them, or only the first ones when the seed says so."""
        assert len(Entries) <= 10, len(Entries)
        names = ", ".join(entry["DetailType"] for entry in Entries)

        def put() -> dict[str, Any]:
            if sum(len(entry["Detail"].encode()) for entry in Entries) > CALL_BYTES:
                message = "Total size of the entries in the request is over the limit."
                raise refusal("ValidationException", message, "PutEvents")
            # EventBridge throttles by refusing entries, not by refusing the call.
            accepted = Entries[: len(Entries) // 2] if self._account.world.is_partial else Entries
            for entry in accepted:
                event = {
                    "source": entry["Source"],
                    "detail-type": entry["DetailType"],
                    "detail": json.loads(entry["Detail"]),
                }
                self._account.published.append(self._account.published_by(event["detail-type"], event["detail"]))
                self._account.deliver(event)
            return {"FailedEntryCount": len(Entries) - len(accepted), "Entries": [{} for _ in Entries]}

        return self._call("put_events", put, names)

    def describe_event_bus(self, *, Name: str) -> dict[str, Any]:  # noqa: N803
        return self._call("describe_event_bus", dict, Name)


class _Sqs(_Client):
    def send_message_batch(self, *, QueueUrl: str, Entries: list[Mapping[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Send to the FIFO queue: every entry, or only the first ones when the seed says so."""
        assert 1 <= len(Entries) <= 10, len(Entries)
        queue = QueueUrl.rpartition("/")[2]

        def send() -> dict[str, Any]:
            accepted = Entries[: len(Entries) // 2] if self._account.world.is_partial else Entries
            for entry in accepted:
                body = entry["MessageBody"]
                event = json.loads(body)
                self._account.trades.append(self._account.published_by(event["detail-type"], event["detail"]))
                self._account.send(queue, body, entry["MessageGroupId"], entry["MessageDeduplicationId"])
            refused = [{"Id": entry["Id"]} for entry in Entries[len(accepted) :]]
            answer: dict[str, Any] = {"Successful": [{"Id": entry["Id"], "MessageId": "0"} for entry in accepted]}
            return answer | ({"Failed": refused} if refused else {})

        return self._call("send_message_batch", send, ", ".join(entry["MessageDeduplicationId"] for entry in Entries))

    def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:  # noqa: N803
        return self._call("get_queue_url", lambda: {"QueueUrl": QueueName}, QueueName)


class _Ssm(_Client):
    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803
        """Return the kill switch."""

        def get() -> dict[str, Any]:
            if self._account.switch_name != Name or not self._account.switch:
                raise refusal("ParameterNotFound", Name, "GetParameter")
            return {"Parameter": {"Name": Name, "Value": self._account.switch[-1][1]}}

        return self._call("get_parameter", get, "", lambda answer: str(answer["Parameter"]["Value"]))


class _Secrets(_Client):
    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        """Return the broker's keys."""
        return self._call("get_secret_value", lambda: {"SecretString": _SECRET}, SecretId)


class _S3(_Client):
    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Return an object."""

        def get() -> dict[str, Any]:
            stored = self._account.objects.get(Key)
            if stored is None:
                raise refusal("NoSuchKey", "The specified key does not exist.", "GetObject", status=404)
            return {"Body": BytesIO(stored.body), "ETag": stored.etag, "Metadata": stored.metadata}

        return self._call("get_object", get, Key)

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        ContentType: str,  # noqa: N803
        Metadata: Mapping[str, str],  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """Put an object, if its condition holds."""

        def put() -> dict[str, Any]:
            stored = self._account.objects.get(Key)
            if IfMatch is not None and stored is None:
                raise refusal("NoSuchKey", "The specified key does not exist.", "PutObject", status=404)
            is_changed = IfMatch is not None and stored is not None and stored.etag != IfMatch
            if is_changed or (IfNoneMatch == "*" and stored is not None):
                message = "At least one of the pre-conditions you specified did not hold"
                raise refusal("PreconditionFailed", message, "PutObject", status=412)
            etag = f'"{hashlib.md5(Body, usedforsecurity=False).hexdigest()}"'
            self._account.objects[Key] = StoredBody(Body, etag, dict(Metadata))
            return {"ETag": etag}

        return self._call("put_object", put, Key)


class _Ses(_Client):
    def send_email(self, *, FromEmailAddress: str, Destination: Any, Content: Any) -> dict[str, Any]:  # noqa: N803
        """Accept a mail."""
        simple = Content["Simple"]

        def send() -> dict[str, Any]:
            account = self._account
            text = simple["Body"]["Text"]["Data"]
            account.mails.append(Notice(account.world.at, simple["Subject"]["Data"], account.world.noticed, text))
            return {"MessageId": "0"}

        return self._call("send_email", send, self._account.world.noticed)


class _Sns(_Client):
    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> dict[str, Any]:  # noqa: N803
        """Accept a message."""

        def send() -> dict[str, Any]:
            account = self._account
            account.notices.append(Notice(account.world.at, Subject, account.world.noticed, Message))
            return {"MessageId": "0"}

        return self._call("publish", send, self._account.world.noticed)


class _CloudWatch(_Client):
    def put_metric_data(self, *, Namespace: str, MetricData: list[Any]) -> dict[str, Any]:  # noqa: N803
        """Accept figures."""

        def put() -> dict[str, Any]:
            account = self._account
            account.gauges.extend(Gauge(account.world.at, row["MetricName"], row["Value"]) for row in MetricData)
            return {}

        return self._call("put_metric_data", put, f"{len(MetricData)} figures")


_CLIENTS: Mapping[str, Callable[[Account, Port], _Client]] = {
    "events": _Events,
    "sqs": _Sqs,
    "ssm": _Ssm,
    "secretsmanager": _Secrets,
    "s3": _S3,
    "sesv2": _Ses,
    "sns": _Sns,
    "cloudwatch": _CloudWatch,
}
