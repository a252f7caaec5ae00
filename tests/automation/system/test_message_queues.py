"""Single messages of queues. Answers are composed; Stubber validates them and the requests."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.message_queues import MessageQueues
from automation.system.queue_messages import QueueMessage
from automation.system.targets import Target

LOCAL = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-queues")
REMOTE = Target("eu-west-1", "http://example.test:1", "123456789012", "stubbed-queues")
QUEUES = MessageQueues(LOCAL)
URL = "https://sqs/123456789012/dead"
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "T": {"DataType": "String", "StringValue": "t"},
    "B": {"DataType": "Binary", "BinaryValue": b"b"},
}
MESSAGE = QueueMessage(
    "m-1", "body", "receipt", datetime(2026, 1, 1, tzinfo=UTC), group="g", deduplication="d", attributes=ATTRIBUTES
)
PLAIN = QueueMessage("m-2", "body", "receipt", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def sqs() -> Iterator[Stubber]:
    yield from stubbed(LOCAL)


@pytest.fixture
def remote_sqs() -> Iterator[Stubber]:
    yield from stubbed(REMOTE)


def stubbed(target: Target) -> Iterator[Stubber]:
    stubber = Stubber(aws.client("sqs", target))
    with stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def receive_request(wait_s: int) -> dict[str, Any]:
    return {
        "QueueUrl": URL,
        "MaxNumberOfMessages": 10,
        "VisibilityTimeout": 60,
        "WaitTimeSeconds": wait_s,
        "AttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }


def test_url_asks_for_name_and_account(sqs: Stubber) -> None:
    sqs.add_response("get_queue_url", {"QueueUrl": URL}, {"QueueName": "dead", "QueueOwnerAWSAccountId": "1"})

    assert QUEUES.url("arn:aws:sqs:eu-west-1:1:dead") == URL


def test_url_of_a_missing_queue_is_empty(sqs: Stubber) -> None:
    sqs.add_client_error("get_queue_url", "QueueDoesNotExist")

    assert QUEUES.url("arn:aws:sqs:eu-west-1:1:dead") == ""


def test_url_refused_request_names_the_queue(sqs: Stubber) -> None:
    sqs.add_client_error("get_queue_url", "AccessDenied")

    with pytest.raises(DeploymentError, match="dead: AWS refused the request"):
        QUEUES.url("arn:aws:sqs:eu-west-1:1:dead")


def test_attributes_are_all(sqs: Stubber) -> None:
    request = {"QueueUrl": URL, "AttributeNames": ["All"]}
    sqs.add_response("get_queue_attributes", {"Attributes": {"QueueArn": "arn"}}, request)

    assert QUEUES.attributes(URL) == {"QueueArn": "arn"}


def test_attributes_of_a_missing_queue_are_empty(sqs: Stubber) -> None:
    sqs.add_client_error("get_queue_attributes", "QueueDoesNotExist")

    assert QUEUES.attributes(URL) == {}


def test_receive_returns_everything_of_a_message(sqs: Stubber) -> None:
    system = {
        "SentTimestamp": "1767225600123",
        "ApproximateReceiveCount": "4",
        "DeadLetterQueueSourceArn": "arn:in",
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
    }
    answer = {
        "MessageId": "m-1",
        "ReceiptHandle": "r",
        "Body": "b",
        "Attributes": system,
        "MessageAttributes": ATTRIBUTES,
    }
    sqs.add_response("receive_message", {"Messages": [answer]}, receive_request(0))

    sent_at = datetime(2026, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)
    assert QUEUES.receive(URL, hidden_s=60) == (
        QueueMessage("m-1", "b", "r", sent_at, 4, "arn:in", "g", "d", ATTRIBUTES),
    )


def test_receive_message_without_attributes_has_defaults(sqs: Stubber) -> None:
    sqs.add_response("receive_message", {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "b"}]})

    assert QUEUES.receive(URL, hidden_s=60) == (QueueMessage("m", "b", "r", datetime(1970, 1, 1, tzinfo=UTC)),)


def test_receive_at_aws_waits_for_all_servers(remote_sqs: Stubber) -> None:
    remote_sqs.add_response("receive_message", {}, receive_request(2))

    assert MessageQueues(REMOTE).receive(URL, hidden_s=60) == ()


def test_give_back_makes_visible(sqs: Stubber) -> None:
    request = {"QueueUrl": URL, "ReceiptHandle": "receipt", "VisibilityTimeout": 0}
    sqs.add_response("change_message_visibility", {}, request)

    QUEUES.give_back(URL, MESSAGE)


@pytest.mark.parametrize("error", ["MessageNotInflight", "ReceiptHandleIsInvalid"])
def test_give_back_of_a_visible_message_does_nothing(sqs: Stubber, error: str) -> None:
    sqs.add_client_error("change_message_visibility", error)

    QUEUES.give_back(URL, MESSAGE)


def test_give_back_refused_request_is_an_error(sqs: Stubber) -> None:
    sqs.add_client_error("change_message_visibility", "AccessDenied")

    with pytest.raises(DeploymentError, match="dead: AWS refused the request"):
        QUEUES.give_back(URL, MESSAGE)


@pytest.mark.parametrize(
    ("message", "is_fifo", "order"),
    [
        (MESSAGE, True, {"MessageGroupId": "g", "MessageDeduplicationId": "d#1"}),
        (PLAIN, True, {"MessageGroupId": "m-2", "MessageDeduplicationId": "m-2#1"}),
        (MESSAGE, False, {"MessageGroupId": "g"}),
        (PLAIN, False, {}),
    ],
)
def test_send_keeps_body_attributes_and_group(
    sqs: Stubber, message: QueueMessage, is_fifo: bool, order: dict[str, str]
) -> None:
    request = {"QueueUrl": URL, "MessageBody": "body", "MessageAttributes": dict(message.attributes), **order}
    sqs.add_response("send_message", {"MessageId": "new"}, request)

    QUEUES.send(URL, message, is_fifo=is_fifo)


def test_delete_uses_the_receipt(sqs: Stubber) -> None:
    sqs.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": "receipt"})

    QUEUES.delete(URL, MESSAGE)


@pytest.mark.parametrize("call", ["send", "delete", "receive", "attributes"])
def test_refused_request_names_the_queue(sqs: Stubber, call: str) -> None:
    names = {"send": "send_message", "delete": "delete_message", "receive": "receive_message"}
    sqs.add_client_error(names.get(call, "get_queue_attributes"), "AccessDenied")
    calls: dict[str, Callable[[], object]] = {
        "send": lambda: QUEUES.send(URL, MESSAGE, is_fifo=False),
        "delete": lambda: QUEUES.delete(URL, MESSAGE),
        "receive": lambda: QUEUES.receive(URL, hidden_s=60),
        "attributes": lambda: QUEUES.attributes(URL),
    }

    with pytest.raises(DeploymentError, match="dead: AWS refused the request"):
        calls[call]()
