"""At most one fetch a symbol in a cooldown, whoever asks for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import is_condition_failure, typed
from the_alchemiser.shared.errors import StateUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COOLDOWN = timedelta(hours=1)


class FetchRequests(Protocol):
    """Who fetched a symbol last."""

    def claim(self, symbol: str, *, message_id: str) -> bool:
        """Whether this message may fetch the symbol: nobody did within the cooldown, or this message itself.

        Raises:
            StateUnavailableError: the table did not answer.
        """
        ...


class DynamoFetchRequests:
    """FetchRequests table: PK `symbol`; the TTL only tidies up, the condition decides. Grant: PutItem."""

    def __init__(self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime]) -> None:
        """`now` is the wall clock: a simulated date would let no request lapse."""
        self._client = client
        self._table = table
        self._now = now

    def claim(self, symbol: str, *, message_id: str) -> bool:
        """Put the claim, unless another message's stands."""
        now = self._now()
        try:
            self._client.put_item(
                TableName=self._table,
                Item=typed(
                    {"symbol": symbol, "message_id": message_id, "expires_at": int((now + COOLDOWN).timestamp())}
                ),
                ConditionExpression="attribute_not_exists(symbol) OR expires_at <= :now OR message_id = :message_id",
                ExpressionAttributeValues=typed({":now": int(now.timestamp()), ":message_id": message_id}),
            )
        except aws.ClientError as error:
            if is_condition_failure(error):
                return False
            raise StateUnavailableError(f"table {self._table}: {error}") from error
        except aws.BotoCoreError as error:
            raise StateUnavailableError(f"table {self._table}: {error}") from error
        return True
