"""Where notices go: one mail through SES, one message through SNS, and the note that each has gone."""

import time
from typing import TYPE_CHECKING, ClassVar, Protocol

from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.inbox import CLAIM_KEPT_S

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

SNS_SUBJECT_AT_MOST = 99


class NotDeliveredError(AlchemiserError):
    """A channel did not take the notice; the queue brings the message back."""

    retryable: ClassVar[bool] = True


class Channel(Protocol):
    """One way to reach people; `name` tells it from the others in the note of what has gone."""

    @property
    def name(self) -> str: ...

    def send(self, mail: Mail) -> None:
        """Send, or raise NotDeliveredError."""
        ...


class Deliveries(Protocol):
    """Which notices have gone out, so that a channel that failed is tried again without the one that did not."""

    def has_gone(self, key: str) -> bool: ...

    def note(self, key: str) -> None: ...


class SesMail:
    """Mail through SES v2, HTML and text in one; grant: ses:SendEmail."""

    name = "mail"

    def __init__(self, client: "SESV2Client", *, sender: str, recipients: tuple[str, ...]) -> None:
        self._client = client
        self._sender = sender
        self._recipients = recipients

    def send(self, mail: Mail) -> None:
        """Hand the mail to SES; it is one mail, whoever many receive it."""
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
    """The short text to a topic; grant: sns:Publish."""

    name = "topic"

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def send(self, mail: Mail) -> None:
        """Publish the short text; SNS takes a subject only in ASCII and below 100 characters."""
        subject = mail.subject.encode("ascii", "replace").decode("ascii")[:SNS_SUBJECT_AT_MOST]
        try:
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=mail.short)
        except (aws.BotoCoreError, aws.ClientError) as error:
            raise NotDeliveredError(f"topic {self._arn}: {error}") from error


class DynamoDeliveries:
    """Deliveries beside the claims, under keys of their own; grants: GetItem, PutItem on the Claims table.

    Two deliveries of one message never run at once: the inbox's claim sees to that. A note is thus read, acted on
    and written without a condition; only a process killed between SES's answer and the note sends twice.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def has_gone(self, key: str) -> bool:
        """Whether the notice was noted as sent; strongly consistent."""
        answer = self._client.get_item(TableName=self._table, Key=typed({"claim": key}), ConsistentRead=True)
        return "Item" in answer

    def note(self, key: str) -> None:
        """Note it as sent, for as long as a message can come back."""
        expires_at = int(time.time()) + CLAIM_KEPT_S
        self._client.put_item(TableName=self._table, Item=typed({"claim": key, "expires_at": expires_at}))
