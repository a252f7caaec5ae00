"""The cooldown between fetches of one symbol, shared by all who request it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import put_if, require_table
from the_alchemiser.shared.errors import StateUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COOLDOWN = timedelta(hours=1)


class FetchRequests(Protocol):
    """The latest fetch of every symbol."""

    def claim(self, symbol: str, *, message_id: str) -> bool:
        """Claim a fetch of the symbol for this message.

        Returns:
            True when no message claimed it within the cooldown, or only this one did; False otherwise.

        Raises:
            StateUnavailableError: the table did not answer.
        """
        ...


class DynamoFetchRequests:
    """The FetchRequests table, partition key `symbol`. Grants: PutItem, and DescribeTable for `check`.

    The condition of the write enforces the cooldown; the TTL only removes old items.
    """

    def __init__(self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime]) -> None:
        """Take the wall clock as `now`: with a simulated date, no claim would ever expire."""
        self._client = client
        self._table = table
        self._now = now

    def claim(self, symbol: str, *, message_id: str) -> bool:
        """Claim a fetch of the symbol, unless another message's claim has not expired.

        Raises:
            StateUnavailableError: the table did not answer, or denied access.
        """
        now = self._now()
        # One conditional write, so that of two messages at the same time only one fetches. A message may claim again:
        # its redelivery after a failure must fetch.
        try:
            return put_if(
                self._client,
                self._table,
                {"symbol": symbol, "message_id": message_id, "expires_at": int((now + COOLDOWN).timestamp())},
                condition="attribute_not_exists(symbol) OR expires_at <= :now OR message_id = :message_id",
                values={":now": int(now.timestamp()), ":message_id": message_id},
            )
        except (aws.ClientError, aws.BotoCoreError) as error:
            raise StateUnavailableError(f"table {self._table}: {error}") from error

    def check(self) -> None:
        """Look the table up; claim nothing.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        require_table(self._client, self._table)
