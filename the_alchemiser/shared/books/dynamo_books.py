"""The checks in the Runs table: partition key BOOKS, sort key `CHECK#<date>`.

A row has no `trading_date` of its own, so that it is not in the table's index of runs.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.books.store import StoredCheck
from the_alchemiser.shared.dynamo import plain, put_if, typed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BOOKS = "BOOKS"


class DynamoBooks:
    """BooksStore on DynamoDB. Grants on the table: Query to read, PutItem and UpdateItem to write."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def latest(self) -> StoredCheck | None:
        """Return the check of the latest day, strongly consistent; None before the first one."""
        answer = self._client.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=typed({":pk": BOOKS}),
            ScanIndexForward=False,
            Limit=1,
        )
        rows = [plain(item) for item in answer["Items"]]
        return StoredCheck(BooksCheck.read_json(rows[0]["body"]), rows[0]["sent"]) if rows else None

    def put(self, check: BooksCheck) -> bool:
        """Put the check of a day, unless the day has one."""
        # The first look at a day decides: of two sweeps, one stores its check, and people read of that one.
        return put_if(self._client, self._table, _row(check)) or self._is_stored(check)

    def replace(self, check: BooksCheck, *, previous: BooksCheck) -> bool:
        """Put a later check of the same day in place of `previous`, if that is still the stored one."""
        # Nobody accepts or settles what another look has changed meanwhile.
        is_replaced = put_if(
            self._client,
            self._table,
            _row(check),
            condition="checked_at = :at AND check_state = :state",
            values={":at": previous.checked_at.isoformat(), ":state": previous.state.value},
        )
        return is_replaced or self._is_stored(check)

    def mark_sent(self, check: BooksCheck) -> None:
        """Record that the message about the check has been published."""
        self._client.update_item(
            TableName=self._table,
            Key=typed({"pk": BOOKS, "sk": _sk(check)}),
            UpdateExpression="SET sent = :true",
            ExpressionAttributeValues=typed({":true": True}),
        )

    def _is_stored(self, check: BooksCheck) -> bool:
        """Return whether the latest check is this one: when only an answer was lost, the SDK's second try loses."""
        stored = self.latest()
        return stored is not None and stored.check == check


def _sk(check: BooksCheck) -> str:
    return f"CHECK#{check.trading_date.isoformat()}"


def _row(check: BooksCheck) -> Mapping[str, Any]:
    return {
        "pk": BOOKS,
        "sk": _sk(check),
        "check_state": check.state.value,
        "checked_at": check.checked_at.isoformat(),
        "body": check.to_json(),
        "sent": not check.differs,
    }
