"""The Ledger table: partition key `SYMBOL#<symbol>`, sort key `<filled_at>#<order_id>#<fill>`, and an index by run."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared.dynamo import plain, put_if, require_table, typed
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.values import Side

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_RUN = "by-run"


class DynamoLedger:
    """Ledger in a DynamoDB table.

    Grants: PutItem to record; Query on the table and its index to read; DescribeTable for `check_exists`.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def record(self, entry: LedgerEntry) -> bool:
        """Record the fill; return False when it was already recorded. Idempotent."""
        # The condition makes a repeated message harmless: no fill is counted twice, and none is overwritten.
        return put_if(self._client, self._table, _row(entry))

    def entries_of(self, symbol: str) -> tuple[LedgerEntry, ...]:
        """Return every fill of a symbol, ordered by time; strongly consistent."""
        return self._query("pk = :key", f"SYMBOL#{symbol}", ConsistentRead=True)

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """Return every fill of a run, ordered by time; eventually consistent, as every index is."""
        return self._query("run_id = :key", run_id, IndexName=BY_RUN)

    def check(self) -> None:
        """Read a symbol that does not exist.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        self.entries_of("health-check")

    def check_exists(self) -> None:
        """Look the table up; for a function that only records.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        require_table(self._client, self._table)

    def _query(self, condition: str, key: str, **options: Any) -> tuple[LedgerEntry, ...]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=typed({":key": key}),
            **options,
        )
        entries: list[LedgerEntry] = []
        for page in pages:
            entries.extend(_entry(plain(item)) for item in page["Items"])
        return tuple(sorted(entries, key=lambda entry: (entry.filled_at, entry.order_id, entry.fill)))


def _row(entry: LedgerEntry) -> dict[str, Any]:
    filled_at = entry.filled_at.isoformat()

    return {
        "pk": f"SYMBOL#{entry.symbol}",
        "sk": f"{filled_at}#{entry.order_id}#{entry.fill}",
        "symbol": entry.symbol,
        "filled_at": filled_at,
        "order_id": entry.order_id,
        "fill": entry.fill,
        "client_order_id": entry.client_order_id,
        "trade_id": entry.trade_id,
        "run_id": entry.run_id,
        "side": entry.side.value,
        "quantity": str(entry.quantity),
        "price": str(entry.price),
        "cash": str(entry.cash),
        "attribution": {strategy: str(quantity) for strategy, quantity in entry.attribution.items()},
    }


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        symbol=row["symbol"],
        filled_at=datetime.fromisoformat(row["filled_at"]),
        order_id=row["order_id"],
        fill=row["fill"],
        client_order_id=row["client_order_id"],
        trade_id=row["trade_id"],
        run_id=row["run_id"],
        side=Side(row["side"]),
        quantity=Decimal(row["quantity"]),
        price=Decimal(row["price"]),
        cash=Decimal(row["cash"]),
        attribution={strategy: Decimal(quantity) for strategy, quantity in row["attribution"].items()},
    )
