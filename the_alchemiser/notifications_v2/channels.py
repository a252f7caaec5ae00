"""The channels that reach people: a mail through SES and a message through SNS, and the record of what was sent."""

import time
from typing import TYPE_CHECKING, ClassVar, Protocol

from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.wiring import CLAIM_KEPT_S

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

MAX_SNS_SUBJECT_CHARS = 99  # SNS accepts fewer than 100


class NotDeliveredError(AlchemiserError):
    """A channel did not accept the notice. The queue delivers the message again."""

    retryable: ClassVar[bool] = True


class Channel(Protocol):
    """One way to reach people. `name` identifies it in the record of what was sent."""

    @property
    def name(self) -> str: ...

    def send(self, mail: Mail) -> None:
        """Send the mail, or the part of it that this channel carries.

        Raises:
            NotDeliveredError: the channel did not accept it.
        """
        ...


class Deliveries(Protocol):
    """A record of the notices that were sent. A retry then repeats only the channel that failed."""

    def is_sent(self, key: str) -> bool:
        """Return whether the notice with this key was recorded as sent."""
        ...

    def record_sent(self, key: str) -> None:
        """Record the notice as sent."""
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
            NotDeliveredError: SES did not answer, or refused the mail.
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
            raise NotDeliveredError(f"mail from {self._sender} to {', '.join(self._recipients)}: {error}") from error


class SnsTopic:
    """A message with the short text to an SNS topic. Grant: sns:Publish."""

    name = "topic"

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def send(self, mail: Mail) -> None:
        """Publish the short text.

        Raises:
            NotDeliveredError: SNS did not answer, or refused the message.
        """
        # SNS accepts a subject only in ASCII.
        subject = mail.subject.encode("ascii", "replace").decode("ascii")[:MAX_SNS_SUBJECT_CHARS]
        try:
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=mail.short)
        except (aws.BotoCoreError, aws.ClientError) as error:
            raise NotDeliveredError(f"topic {self._arn}: {error}") from error


class DynamoDeliveries:
    """Deliveries in the Claims table, under keys of their own. Grants: GetItem and PutItem.

    The inbox's claim ensures that two deliveries of one message never run at the same time. So the record can be read
    and written without a condition. A notice is sent twice only if the process is killed between the answer of SES or
    SNS and the record.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def is_sent(self, key: str) -> bool:
        """Return whether the notice with this key was recorded as sent; strongly consistent."""
        answer = self._client.get_item(TableName=self._table, Key=typed({"claim": key}), ConsistentRead=True)
        return "Item" in answer

    def record_sent(self, key: str) -> None:
        """Record the notice as sent, for as long as its message can be delivered again."""
        expires_at = int(time.time()) + CLAIM_KEPT_S
        self._client.put_item(TableName=self._table, Item=typed({"claim": key, "expires_at": expires_at}))
