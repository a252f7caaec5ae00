"""The Performance table: a row per strategy and date, a LATEST row per strategy, and one item with all traded symbols.

The partition key is `STRATEGY#<name>`, the sort key the date or LATEST.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared.dynamo import plain, put_if, require_table, typed
from the_alchemiser.shared.performance.rows import LATEST, Performance, row_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoPerformanceStore:
    """PerformanceStore in a DynamoDB table. Grants: PutItem and UpdateItem, and DescribeTable for `check`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def add_traded(self, symbols: Iterable[str]) -> frozenset[str]:
        """Add symbols to those ever traded, and return all of them. Idempotent."""
        more = set(symbols)
        # One atomic update adds and returns: two runs at the same time cannot lose each other's symbols.
        answer = self._client.update_item(
            TableName=self._table,
            Key=typed({"pk": "SYMBOLS", "sk": "TRADED"}),
            UpdateExpression="SET kept = :true" + (" ADD symbols :more" if more else ""),
            ExpressionAttributeValues=typed({":true": True, **({":more": more} if more else {})}),
            ReturnValues="ALL_NEW",
        )
        return frozenset(plain(answer["Attributes"]).get("symbols", ()))

    def put(self, performance: Performance) -> bool:
        """Write the row of the date and the LATEST row, each unless it contains a later run.

        Returns:
            True when LATEST was written.
        """
        row = row_of(performance)
        self._put({**row, "sk": performance.trading_date.isoformat()})
        return self._put({**row, "sk": LATEST})

    def check(self) -> None:
        """Look the table up; write nothing.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        require_table(self._client, self._table)

    def _put(self, row: Mapping[str, Any]) -> bool:
        # `edition` orders runs, so messages that arrive late or twice never replace the figures of a later run.
        condition = "attribute_not_exists(pk) OR edition <= :edition"
        return put_if(self._client, self._table, row, condition=condition, values={":edition": row["edition"]})
