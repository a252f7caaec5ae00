"""The Performance table: PK `STRATEGY#<name>`, SK the date, plus LATEST; and one item of all symbols ever traded."""

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any

from the_alchemiser.metrics_v2.performance import Performance
from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import is_condition_failure, plain, typed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATEST = "LATEST"


class DynamoPerformances:
    """Performances on DynamoDB; grants: PutItem, UpdateItem on the table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def add_traded(self, symbols: Iterable[str]) -> frozenset[str]:
        """Add to the symbols ever traded and return them all; one write, so that none is ever lost."""
        more = set(symbols)
        answer = self._client.update_item(
            TableName=self._table,
            Key=typed({"pk": "SYMBOLS", "sk": "TRADED"}),
            UpdateExpression="SET kept = :true" + (" ADD symbols :more" if more else ""),
            ExpressionAttributeValues=typed({":true": True, **({":more": more} if more else {})}),
            ReturnValues="ALL_NEW",
        )
        return frozenset(plain(answer["Attributes"]).get("symbols", ()))

    def put(self, performance: Performance) -> bool:
        """Write the row of the date and LATEST, each unless it holds a later run's figures; False when LATEST does."""
        row = row_of(performance)
        self._put({**row, "sk": performance.trading_date.isoformat()})
        return self._put({**row, "sk": LATEST})

    def _put(self, row: Mapping[str, Any]) -> bool:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=typed(row),
                ConditionExpression="attribute_not_exists(pk) OR edition <= :edition",
                ExpressionAttributeValues=typed({":edition": row["edition"]}),
            )
        except aws.ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True


def row_of(performance: Performance) -> dict[str, Any]:
    """The row without its sort key: numbers as text, what is not known left out; `edition` orders runs."""
    completed_at = performance.completed_at.astimezone(UTC).isoformat(timespec="microseconds")
    figures = {
        "equity": performance.equity,
        "cash": performance.cash,
        "exposure": performance.exposure,
        "market_value": performance.market_value,
        "cost": performance.cost,
        "realised": performance.realised,
        "unrealised": performance.unrealised,
    }
    return {
        "pk": f"STRATEGY#{performance.strategy}",
        "strategy": performance.strategy,
        "trading_date": performance.trading_date.isoformat(),
        "run_id": performance.run_id,
        "completed_at": completed_at,
        "edition": f"{performance.trading_date.isoformat()}#{completed_at}",
        **{name: format(value, "f") for name, value in figures.items() if value is not None},
        "holdings": {symbol: format(shares, "f") for symbol, shares in performance.holdings.items()},
        "unmarked": list(performance.unmarked),
    }
