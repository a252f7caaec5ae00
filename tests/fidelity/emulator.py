"""The emulator's side of the contract, in an account of its own: nothing that is deployed there is touched."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from automation.project import templates
from tests.fidelity.backend import BROKER_KEYS, EVENT_PATTERN, SENDER, SWITCH, Backend, DynamoSide
from tests.fidelity.queue_contract import Received, drain
from tests.simulation.queues import subject_of

ROOT = Path(__file__).parents[2]
LONG_VISIBILITY_S = 600
_TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
_ANY_TOPIC = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
    ],
}

type Client = Callable[[str], Any]


class Queue(NamedTuple):
    """A queue of the emulator."""

    url: str
    arn: str


def make_queue(client: Client, name: str, **attributes: str) -> Queue:
    """Create a queue under a new name."""
    sqs, suffix = client("sqs"), ".fifo" if "FifoQueue" in attributes else ""
    url = sqs.create_queue(QueueName=f"{name}-{uuid4().hex[:12]}{suffix}", Attributes=attributes)["QueueUrl"]
    return Queue(url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def make_table(client: Client, logical_id: str) -> str:
    """Create a table as template.yaml defines it, and return its name."""
    properties = templates.read(ROOT / "template.yaml", name="template.yaml").resources[logical_id]["Properties"]
    name = f"{logical_id}-{uuid4()}"
    definition = {key: properties[key] for key in _TABLE_PROPERTIES if key in properties}
    client("dynamodb").create_table(TableName=name, **definition)
    return name


def emulated_dynamo(client: Client) -> DynamoSide:
    """Return the emulator's side; each table that it returns is new."""
    return DynamoSide(client("dynamodb"), lambda logical_id: make_table(client, logical_id))


def emulated_backend(client: Client, url: str, account: str) -> Backend:
    """Return the emulator's side, with a bus, a bucket, a topic and a secret of its own.

    Args:
        client: returns a client of this account.
    """
    events_queue, notices_queue = make_queue(client, "events"), make_queue(client, "notices")
    client("sqs").set_queue_attributes(QueueUrl=notices_queue.url, Attributes={"Policy": json.dumps(_ANY_TOPIC)})
    topic = client("sns").create_topic(Name=f"alerts-{uuid4().hex[:12]}")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=notices_queue.arn)
    known, trades = _mails(url, account), EmulatedQueue(client, is_fifo=True)

    return Backend(
        client=client,
        bus=_make_bus(client, events_queue),
        bucket=_make_bucket(client),
        topic=topic,
        secret=_make_secret(client),
        trades=trades.url,
        sent=lambda: [subject_of(body) for body in drain(trades)],
        delivered=lambda: [json.loads(body) for body in _bodies(client, events_queue)],
        set_switch=lambda text: client("ssm").put_parameter(Name=SWITCH, Value=text, Type="String", Overwrite=True),
        mails=lambda: _mails(url, account)[len(known) :],
        notices=lambda: [_notice(body) for body in _bodies(client, notices_queue)],
    )


def _make_bus(client: Client, target: Queue) -> str:
    events, name = client("events"), f"bus-{uuid4().hex[:12]}"
    events.create_event_bus(Name=name)
    events.put_rule(Name="selected", EventBusName=name, EventPattern=json.dumps(EVENT_PATTERN))
    events.put_targets(Rule="selected", EventBusName=name, Targets=[{"Id": "queue", "Arn": target.arn}])
    return name


def _make_bucket(client: Client) -> str:
    name = f"lake-{uuid4()}"
    client("s3").create_bucket(Bucket=name)
    return name


def _make_secret(client: Client) -> str:
    name = f"/broker-{uuid4()}"
    client("secretsmanager").create_secret(Name=name, SecretString=BROKER_KEYS)
    sesv2 = client("sesv2")
    try:
        sesv2.create_email_identity(EmailIdentity=SENDER)
    except sesv2.exceptions.AlreadyExistsException:
        return name
    return name


def _bodies(client: Client, queue: Queue) -> Sequence[str]:
    answer = client("sqs").receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", ())]


def _notice(body: str) -> tuple[str, str]:
    notice = json.loads(body)
    return notice["Subject"], notice["Message"]


def _mails(url: str, account: str) -> Sequence[tuple[str, str]]:
    by_account: Mapping[str, Any] = httpx.get(f"{url}/_ministack/ses/messages", trust_env=False).json()["messages"]
    mails = sorted(by_account.get(account, ()), key=lambda mail: float(mail["Timestamp"]))
    return [(mail["Subject"], mail["BodyText"]) for mail in mails]


class EmulatedQueue:
    """QueueSide of the emulator: what a poller would do is done through the API of SQS."""

    def __init__(self, client: Client, *, is_fifo: bool, visibility_s: int = LONG_VISIBILITY_S) -> None:
        kind = {"FifoQueue": "true"} if is_fifo else {}
        self._sqs = client("sqs")
        self._dead = make_queue(client, "dead", **kind)
        redrive = json.dumps({"deadLetterTargetArn": self._dead.arn, "maxReceiveCount": 3})
        self._queue = make_queue(client, "inbox", VisibilityTimeout=str(visibility_s), RedrivePolicy=redrive, **kind)
        self._receipts: dict[str, str] = {}
        self._failed: list[str] = []

    @property
    def url(self) -> str:
        return self._queue.url

    def send(self, body: str, *, group: str = "", deduplication: str = "") -> None:
        """Send a message."""
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": deduplication} if group else {}
        self._sqs.send_message(QueueUrl=self._queue.url, MessageBody=body, **fifo)

    def receive(self) -> list[Received]:
        """Receive one message after another, as a poller with batches of one does."""
        received: list[Received] = []
        while messages := self._receive_one():
            (message,) = messages
            self._receipts[message["Body"]] = message["ReceiptHandle"]
            received.append(Received(message["Body"], int(message["Attributes"]["ApproximateReceiveCount"])))
        return received

    def finish(self, body: str) -> None:
        """Delete the message."""
        self._sqs.delete_message(QueueUrl=self._queue.url, ReceiptHandle=self._receipts.pop(body))

    def fail(self, body: str) -> None:
        """Leave the message as it is."""
        self._failed.append(self._receipts.pop(body))

    def pass_visibility(self) -> None:
        """Let the visibility of failed messages end now, instead of waiting for its end."""
        for receipt in self._failed:
            self._sqs.change_message_visibility(QueueUrl=self._queue.url, ReceiptHandle=receipt, VisibilityTimeout=0)
        self._failed.clear()

    def dead(self) -> list[str]:
        """Return the bodies of the dead letters."""
        answer = self._sqs.receive_message(QueueUrl=self._dead.url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", ())]

    def _receive_one(self) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue.url, MaxNumberOfMessages=1, AttributeNames=["ApproximateReceiveCount"]
        )
        return list(answer.get("Messages", ()))
