"""Look at the messages of queues, and send, delete and give back single ones.

Permissions: sqs:GetQueueAttributes, GetQueueUrl, ReceiveMessage, ChangeMessageVisibility, SendMessage, DeleteMessage.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from automation.system import aws
from automation.system.queue_messages import QueueMessage
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# A receive that waits asks every server of a queue; one that does not may miss messages.
WAIT_S = 2
_PER_RECEIVE = 10  # the most that ReceiveMessage accepts
_VALUES = ("DataType", "StringValue", "BinaryValue")


@dataclass(frozen=True, slots=True)
class MessageQueues:
    """The calls to SQS. Each of them raises DeploymentError when SQS refuses it, or does not answer."""

    target: Target

    @property
    def _client(self) -> "SQSClient":
        client: SQSClient = aws.client("sqs", self.target)
        return client

    def url(self, arn: str) -> str:
        """Return the URL of a queue; empty when there is no such queue."""
        account, name = arn.split(":")[-2:]
        with aws.translate_errors(name, self.target):
            try:
                return self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            except self._client.exceptions.QueueDoesNotExist:
                return ""

    def attributes(self, url: str) -> Mapping[str, str]:
        """Return the attributes of a queue; none when there is no such queue."""
        with aws.translate_errors(url, self.target):
            try:
                answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            except self._client.exceptions.QueueDoesNotExist:
                return {}
        return {str(name): value for name, value in answer["Attributes"].items()}

    def receive(self, url: str, *, hidden_s: int) -> tuple[QueueMessage, ...]:
        """Return up to ten messages, and hide them from others for `hidden_s` seconds."""
        with aws.translate_errors(url, self.target):
            answer = self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=_PER_RECEIVE,
                VisibilityTimeout=hidden_s,
                WaitTimeSeconds=0 if self.target.is_loopback else WAIT_S,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return tuple(_message(message) for message in answer.get("Messages", ()))

    def give_back(self, url: str, message: QueueMessage) -> None:
        """Make a received message visible again; do nothing when it already is."""
        gone = (self._client.exceptions.MessageNotInflight, self._client.exceptions.ReceiptHandleIsInvalid)
        with aws.translate_errors(url, self.target), suppress(*gone):
            self._client.change_message_visibility(QueueUrl=url, ReceiptHandle=message.receipt, VisibilityTimeout=0)

    def send(self, url: str, message: QueueMessage, *, is_fifo: bool) -> None:
        """Send a copy of a message. A FIFO queue gets its next deduplication id, and the group that it had."""
        group = message.group or (message.id if is_fifo else "")
        order: dict[str, Any] = {"MessageGroupId": group} if group else {}
        if is_fifo:
            order |= {"MessageDeduplicationId": message.next_deduplication}
        with aws.translate_errors(url, self.target):
            self._client.send_message(
                QueueUrl=url,
                MessageBody=message.body,
                MessageAttributes={name: dict(value) for name, value in message.attributes.items()},  # type: ignore[misc] # as received
                **order,
            )

    def delete(self, url: str, message: QueueMessage) -> None:
        """Delete a received message."""
        with aws.translate_errors(url, self.target):
            self._client.delete_message(QueueUrl=url, ReceiptHandle=message.receipt)


def _message(answer: "MessageTypeDef") -> QueueMessage:
    system = {str(name): value for name, value in answer.get("Attributes", {}).items()}
    attributes: Mapping[str, Mapping[str, Any]] = {
        name: {key: content for key, content in value.items() if key in _VALUES}
        for name, value in answer.get("MessageAttributes", {}).items()
    }
    return QueueMessage(
        id=answer["MessageId"],
        body=answer["Body"],
        receipt=answer["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", "0")) / 1000, UTC),
        receives=int(system.get("ApproximateReceiveCount", "1")),
        source_arn=system.get("DeadLetterQueueSourceArn", ""),
        group=system.get("MessageGroupId", ""),
        deduplication=system.get("MessageDeduplicationId", ""),
        attributes=attributes,
    )
