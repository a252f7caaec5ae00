"""Reads the Performance table. Grants: dynamodb:Query on the table, and GetItem for `traded`."""

from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from the_alchemiser.shared.dynamo import plain, typed
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.performance.rows import ACCOUNT, LATEST, Performance, partition, performance_of
from the_alchemiser.shared.threads import map_in_threads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoPerformances:
    """The rows of the Performance table, strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def history(self, *, since: date | None = None) -> History:
        """Return the rows of every owner: all, or those that the figures from a trading date on need.

        Raises:
            ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
        """
        opening = None if since is None else self._date_before(since)
        account = self.rows_of(ACCOUNT, since=opening)
        owners: set[str] = set()
        for row in account:
            owners.update(row.account.owners if row.account else ())

        others = map_in_threads(lambda owner: self.rows_of(owner, since=opening), sorted(owners))
        return History.of((*account, *chain.from_iterable(others.values())))

    def rows_of(self, owner: str, *, since: date | None = None, through: date | None = None) -> tuple[Performance, ...]:
        """Return an owner's rows by trading date, ascending, from a date on, and through a date."""
        # The bounds leave out LATEST, which sorts after every date.
        bounds = {"first": (since or date.min).isoformat(), "last": (through or date.max).isoformat()}
        return self._query(owner, "sk BETWEEN :first AND :last", **bounds)

    def latest(self, owner: str = ACCOUNT) -> Performance | None:
        """Return an owner's row of the latest run; None before the first one."""
        rows = self._query(owner, "sk = :latest", latest=LATEST)
        return rows[0] if rows else None

    def traded(self) -> frozenset[str]:
        """Return every symbol that a completed run traded, held or wanted."""
        key = typed({"pk": "SYMBOLS", "sk": "TRADED"})
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return frozenset(plain(answer.get("Item", {})).get("symbols", ()))

    def _date_before(self, day: date) -> date | None:
        """Return the trading date of the account's last row before a day; None when there is none."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk < :day",
            ExpressionAttributeValues=typed({":pk": partition(ACCOUNT), ":day": day.isoformat()}),
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=1,
        )
        rows = [performance_of(plain(item)) for item in answer["Items"]]
        return rows[0].trading_date if rows else None

    def _query(self, owner: str, condition: str, **values: str) -> tuple[Performance, ...]:
        placeholders = {":pk": partition(owner), **{f":{name}": value for name, value in values.items()}}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=f"pk = :pk AND {condition}",
            ExpressionAttributeValues=typed(placeholders),
            ConsistentRead=True,
        )
        rows: list[Performance] = []
        for page in pages:
            rows.extend(performance_of(plain(item)) for item in page["Items"])
        return tuple(rows)
