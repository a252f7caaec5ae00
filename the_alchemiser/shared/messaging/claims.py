"""Claims: who handles a message, and which messages are handled. A second delivery of a handled message does nothing.

An attempt takes the message's claim before it starts, and completes it when it is done. An attempt that fails releases
it. One that is killed cannot: its claim lapses when Lambda would have ended it, before SQS delivers the message again.
"""

import json
from collections.abc import Callable
from datetime import datetime
from hashlib import md5
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.dynamo import is_condition_failure, plain, typed
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.wiring import CLAIM_KEPT_S

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COMPLETED = "COMPLETED"
IN_PROGRESS = "INPROGRESS"
# Nobody has claimed the message, or its claim was kept long enough, or the attempt that has it cannot run any more.
_IS_FREE = (
    "attribute_not_exists(claim) OR expires_at < :now OR (#status = :in_progress AND in_progress_expiration < :now_ms)"
)
_STATUS = {"#status": "status"}


class ClaimedElsewhereError(AlchemiserError):
    """Another attempt is handling the message right now; if it fails, the next receive may take the claim."""

    retryable = True


def claim_key(module: str, message_id: str) -> str:
    """Return the key of a message's claim. Stored claims have it: with another key, old messages are handled again."""
    digest = md5(json.dumps(message_id).encode(), usedforsecurity=False).hexdigest()
    return f"{module}#{digest}"


class DynamoClaims:
    """The Claims table; grants: GetItem, PutItem, UpdateItem, DeleteItem."""

    def __init__(self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime] = wall_clock.now) -> None:
        self._client = client
        self._table = table
        self._now = now

    def take(self, key: str, *, remaining_ms: int) -> bool:
        """Claim a message, unless it was handled already; then return False.

        Args:
            remaining_ms: after this time Lambda ends the attempt, so its claim lapses.

        Raises:
            ClaimedElsewhereError: another attempt has the claim, and may still be running.
            ClientError, BotoCoreError: DynamoDB refused the write for another reason, or did not answer.
        """
        now = self._now()
        row = {
            "claim": key,
            "status": IN_PROGRESS,
            "expires_at": _seconds(now) + CLAIM_KEPT_S,
            "in_progress_expiration": _milliseconds(now) + remaining_ms,
        }
        values = {":now": _seconds(now), ":now_ms": _milliseconds(now), ":in_progress": IN_PROGRESS}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=typed(row),
                ConditionExpression=_IS_FREE,
                ExpressionAttributeNames=_STATUS,
                ExpressionAttributeValues=typed(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except aws.ClientError as error:
            if not is_condition_failure(error):
                raise
            if _status(error) == COMPLETED:
                return False
            raise ClaimedElsewhereError(f"another attempt is handling the message: {key}") from error
        return True

    def complete(self, key: str) -> None:
        """Note that the message was handled: nobody can claim it again.

        Raises:
            ClientError, BotoCoreError: DynamoDB did not write it; the claim lapses, and the message is handled again.
        """
        # A release before this one reads `data`: what the attempt has returned, as JSON.
        values = {":status": COMPLETED, ":expires_at": _seconds(self._now()) + CLAIM_KEPT_S, ":data": "null"}
        self._client.update_item(
            TableName=self._table,
            Key=typed({"claim": key}),
            UpdateExpression="SET #status = :status, expires_at = :expires_at, #data = :data",
            ExpressionAttributeNames={**_STATUS, "#data": "data"},
            ExpressionAttributeValues=typed(values),
        )

    def release(self, key: str) -> None:
        """Give the claim of a failed attempt back.

        Raises:
            ClientError, BotoCoreError: DynamoDB did not delete it; it lapses by itself.
        """
        self._client.delete_item(TableName=self._table, Key=typed({"claim": key}))

    def check(self) -> None:
        """Read a claim that does not exist.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        self._client.get_item(TableName=self._table, Key=typed({"claim": "health-check"}), ConsistentRead=True)


def _status(error: "aws.ClientError") -> str:
    item: Any = error.response.get("Item", {})
    return str(plain(item).get("status", ""))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
