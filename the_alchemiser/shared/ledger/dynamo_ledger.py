"""The Ledger table: partition key `SYMBOL#<symbol>`, sort key `<order_id>#<fill>`, and an index by run.

Earlier releases wrote the sort key `<filled_at>#<order_id>#<fill>`. The broker may report two times for one fill, so
that key could enter it twice. Rows with such keys are read like the others and never entered again.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared.dynamo import plain, put_if, typed
from the_alchemiser.shared.ledger.ledger import LedgerEntry, session_date
from the_alchemiser.shared.values import Side

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_RUN = "by-run"


class DynamoLedger:
    """Ledger in a DynamoDB table.

    Grants: PutItem and Query to record; Query on the table and its index to read.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def record(self, entry: LedgerEntry) -> bool:
        """Record the fill; return False when it was already recorded. Idempotent."""
        if self._has_earlier_key(entry):
            return False
        # The condition makes a repeated message harmless: no fill is counted twice, and none is overwritten.
        return put_if(self._client, self._table, _row(entry))

    def entries_of(self, symbol: str) -> tuple[LedgerEntry, ...]:
        """Return every fill of a symbol, ordered by time; strongly consistent."""
        return self._query("pk = :key", {":key": _pk(symbol)}, ConsistentRead=True)

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """Return every fill of a run, ordered by time; eventually consistent, as every index is."""
        return self._query("run_id = :key", {":key": run_id}, IndexName=BY_RUN)

    def check(self) -> None:
        """Read a symbol that does not exist.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        self.entries_of("health-check")

    def _has_earlier_key(self, entry: LedgerEntry) -> bool:
        """Return whether the fill was entered under the sort key of an earlier release.

        All times of a day order lie within one session: rows of that day are enough. No order id starts like a date,
        so new keys are not read.
        """
        day = f"{session_date(entry.filled_at).isoformat()}T"
        values = {":key": _pk(entry.symbol), ":day": day}
        earlier = self._query("pk = :key AND begins_with(sk, :day)", values, ConsistentRead=True)
        return _identity(entry) in map(_identity, earlier)

    def _query(self, condition: str, values: Mapping[str, str], **options: Any) -> tuple[LedgerEntry, ...]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=typed(values),
            **options,
        )
        entries: dict[tuple[str, str], LedgerEntry] = {}
        for page in pages:
            for entry in map(_entry, map(plain, page["Items"])):
                entries.setdefault(_identity(entry), entry)
        return tuple(sorted(entries.values(), key=lambda entry: (entry.filled_at, entry.order_id, entry.fill)))


def _identity(entry: LedgerEntry) -> tuple[str, str]:
    """Return what identifies a fill, under whatever key it was entered: its order, and its number in it."""
    return entry.order_id, entry.fill


def _pk(symbol: str) -> str:
    return f"SYMBOL#{symbol}"


def _row(entry: LedgerEntry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "pk": _pk(entry.symbol),
        "sk": f"{entry.order_id}#{entry.fill}",
        "symbol": entry.symbol,
        "filled_at": entry.filled_at.isoformat(),
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
    if entry.planning_price is not None:
        row["planning_price"] = str(entry.planning_price)
    return row


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
        planning_price=Decimal(row["planning_price"]) if "planning_price" in row else None,
    )
