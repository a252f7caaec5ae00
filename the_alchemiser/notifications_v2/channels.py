"""The channels that reach people: a mail through SES and a message through SNS, and the record of what was sent."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.wiring import CLAIM_KEPT_S
from the_alchemiser.shared.records import Frozen

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

MAX_SNS_SUBJECT_CHARS = 99  # SNS accepts fewer than 100
SERVER_ERROR = 500  # from this HTTP status on, an answer does not say whether the service has acted


class NotDeliveredError(AlchemiserError):
    """A channel did not confirm the notice: it may have sent it. The queue delivers the message again."""

    retryable: ClassVar[bool] = True


class RefusedError(NotDeliveredError):
    """A channel refused the notice, so it has sent nothing."""


class Channel(Protocol):
    """One way to reach people. `name` identifies it in the record of what was sent."""

    @property
    def name(self) -> str: ...

    def send(self, mail: Mail) -> None:
        """Send the mail, or the part of it that this channel carries.

        Raises:
            RefusedError: the channel sent nothing.
            NotDeliveredError: the channel did not say whether it sent anything.
        """
        ...


class Delivery(Frozen):
    """What is recorded of a notice on one channel: was it sent, and how many attempts at it have had no answer?"""

    is_sent: bool = False
    unanswered: int = 0


SENT = Delivery(is_sent=True)


class Deliveries(Protocol):
    """A record of the notices that were sent. A retry then repeats only the channel that failed."""

    def read(self, key: str) -> Delivery:
        """Return what is recorded of the notice with this key."""
        ...

    def record(self, key: str, delivery: Delivery) -> None:
        """Replace the record of the notice."""
        ...


class SesMail:
    """Mail through SES v2, with an HTML and a plain text part. Grant: ses:SendEmail."""

    name = "mail"

    def __init__(self, client: "SESV2Client", *, sender: str, recipients: tuple[str, ...]) -> None:
        self._client = client
        self._sender = sender
        self._recipients = recipients

    def send(self, mail: Mail) -> None:
        """Send one mail to all recipients together.

        Raises:
            RefusedError: SES refused the mail.
            NotDeliveredError: SES did not answer.
        """
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": list(self._recipients)},
                Content={
                    "Simple": {
                        "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Html": {"Data": mail.html, "Charset": "UTF-8"},
                            "Text": {"Data": mail.text, "Charset": "UTF-8"},
                        },
                    }
                },
            )
        except (aws.BotoCoreError, aws.ClientError) as error:
            raise _failure(f"mail from {self._sender} to {', '.join(self._recipients)}", error) from error


class SnsTopic:
    """A message with the short text to an SNS topic. Grant: sns:Publish."""

    name = "topic"

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def send(self, mail: Mail) -> None:
        """Publish the short text.

        Raises:
            RefusedError: SNS refused the message.
            NotDeliveredError: SNS did not answer.
        """
        # SNS accepts a subject only in ASCII.
        subject = mail.subject.encode("ascii", "replace").decode("ascii")[:MAX_SNS_SUBJECT_CHARS]
        try:
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=mail.short)
        except (aws.BotoCoreError, aws.ClientError) as error:
            raise _failure(f"topic {self._arn}", error) from error


def _failure(where: str, error: Exception) -> NotDeliveredError:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, aws.ClientError) else None
    kind = RefusedError if status is not None and status < SERVER_ERROR else NotDeliveredError
    return kind(f"{where}: {error}")


class DynamoDeliveries:
    """Deliveries in the Claims table, under keys of their own. Grants: GetItem and PutItem.

    The inbox's claim ensures that two deliveries of one message never run at the same time. So the record can be read
    and written without a condition. An item without `attempts` says that the notice was sent.
    """

    def __init__(self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime] = wall_clock.now) -> None:
        self._client = client
        self._table = table
        self._now = now

    def read(self, key: str) -> Delivery:
        """Return what is recorded of the notice with this key; strongly consistent."""
        answer = self._client.get_item(TableName=self._table, Key=typed({"claim": key}), ConsistentRead=True)
        if "Item" not in answer:
            return Delivery()
        attempts = answer["Item"].get("attempts")
        return SENT if attempts is None else Delivery(unanswered=int(attempts["N"]))

    def record(self, key: str, delivery: Delivery) -> None:
        """Replace the record of the notice; it is kept for as long as its message can be delivered again."""
        attempts = {} if delivery.is_sent else {"attempts": delivery.unanswered}
        item = typed({"claim": key, "expires_at": int(self._now().timestamp()) + CLAIM_KEPT_S, **attempts})
        self._client.put_item(TableName=self._table, Item=item)
