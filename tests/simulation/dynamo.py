"""DynamoDB in memory, with the calls, the answers and the errors of boto3's client.

Items stay typed (`{"pk": {"S": "x"}}`), as the client sends them. A write is atomic. An index, and a read that is not
strongly consistent, may lag behind the table.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.simulation.calls import Port, call
from tests.simulation.dynamo_expressions import Bound, ExpressionError
from tests.simulation.dynamo_requests import Request, check, condition_of, refuse_unknown, take_bound, transact
from tests.simulation.dynamo_tables import Item, TableData, Tables, check_item, refusal
from tests.simulation.latencies import MS, SECOND

_NOTIFIED = " notifications_v2#"


class Dynamo:
    """boto3's DynamoDB client, as far as the product uses it."""

    def __init__(self, tables: Tables, port: Port) -> None:
        self._tables = tables
        self._world = tables.world
        self._port = port
        self._calls = 0

    def put_item(self, *, TableName: str, Item: Item, **options: Any) -> dict[str, Any]:  # noqa: N803
        """Put an item, if its condition holds."""
        request = Request.of(options, update=None)

        def put() -> dict[str, Any]:
            data = self._tables.named(TableName)
            check_item(Item)
            key = data.key_of(Item)
            request.require(data.read(key), "PutItem")
            self._tables.write(data, key, dict(Item))
            return {}

        return self._call("put_item", put, TableName, Item)

    def update_item(self, *, TableName: str, Key: Item, **options: Any) -> dict[str, Any]:  # noqa: N803
        """Update an item, if its condition holds; a missing one is created."""
        request = Request.of(options, update=options.get("UpdateExpression"))
        returned = options.get("ReturnValues", "NONE")

        def update() -> dict[str, Any]:
            data = self._tables.named(TableName)
            key = data.key_of(Key)
            before = data.read(key)
            request.require(before, "UpdateItem")
            after = request.updated(before or Key, data)
            self._tables.write(data, key, after)
            return {"Attributes": after} if returned == "ALL_NEW" else {}

        return self._call("update_item", update, TableName, Key)

    def delete_item(self, *, TableName: str, Key: Item, **options: Any) -> dict[str, Any]:  # noqa: N803
        """Delete an item, if its condition holds."""
        request = Request.of(options, update=None)

        def delete() -> dict[str, Any]:
            data = self._tables.named(TableName)
            key = data.key_of(Key)
            request.require(data.read(key), "DeleteItem")
            self._tables.write(data, key, None)
            return {}

        return self._call("delete_item", delete, TableName, Key)

    def get_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Item,  # noqa: N803
        ConsistentRead: bool = False,  # noqa: N803
        ProjectionExpression: str = "",  # noqa: N803
        ExpressionAttributeNames: Mapping[str, str] | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """Return `{"Item": …}`, or `{}` for a missing one."""
        bound = Bound(ExpressionAttributeNames or {}, {})

        def get() -> dict[str, Any]:
            data = self._tables.named(TableName)
            check(bound, ProjectionExpression)
            version = data.versions.get(data.key_of(Key))
            lag = 0 if ConsistentRead else self._lag("read")
            item = None if version is None else self._tables.visible(version, lag=lag)
            return {} if item is None else {"Item": _projected(item, ProjectionExpression, bound)}

        return self._call("get_item", get, TableName, Key)

    def transact_write_items(self, *, TransactItems: list[Any], ClientRequestToken: str = "") -> dict[str, Any]:  # noqa: N803
        """Write all items, or none when a condition fails."""
        # The client adds a token of its own to every call, so its own repetitions are absorbed.
        self._calls += 1
        token = ClientRequestToken or f"{id(self)}/{self._calls}"

        def write() -> dict[str, Any]:
            if token not in self._tables.tokens:
                transact(self._tables, TransactItems)
                self._tables.tokens[token] = None
            return {}

        first: Any = next(iter(TransactItems[0].values()))
        return self._call("transact_write_items", write, first["TableName"], first.get("Item") or first["Key"])

    def describe_table(self, *, TableName: str) -> dict[str, Any]:  # noqa: N803
        """Return nothing of interest, if there is such a table."""

        def describe() -> dict[str, Any]:
            return {"Table": {"TableName": self._tables.named(TableName).table.name}}

        return self._call("describe_table", describe, TableName, {})

    def query(self, *, TableName: str, KeyConditionExpression: str, **options: Any) -> dict[str, Any]:  # noqa: N803
        """Return the items of one partition, ascending by sort key unless the request says otherwise."""
        bound = take_bound(options)
        is_ascending, limit = options.pop("ScanIndexForward", True), options.pop("Limit", None)
        index = options.pop("IndexName", None)
        consistent = options.pop("ConsistentRead", False)
        filters = options.pop("FilterExpression", None)
        refuse_unknown(options)

        def query() -> dict[str, Any]:
            data = self._tables.named(TableName)
            check(bound, KeyConditionExpression, filters)
            if index is not None and consistent:
                raise refusal("ValidationException", "Consistent reads are not supported on global secondary indexes")
            lag = 0 if consistent else self._lag("index" if index else "read")
            holds = condition_of(KeyConditionExpression)
            found = self._rows(data, index, bound, lag)
            items = [item for item in found if holds(bound, item)]
            if filters:
                items = [item for item in items if condition_of(filters)(bound, item)]
            items = (items if is_ascending else items[::-1])[:limit]
            return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

        return self._call("query", query, TableName, {"key": next(iter(bound.values.values()))})

    def get_paginator(self, operation: str) -> "_Paginator":
        """Return the paginator of `query`."""
        assert operation == "query", operation
        return _Paginator(self)

    def _rows(self, data: TableData, index: str | None, bound: Bound, lag: int) -> list[Item]:
        if index is None:
            partition = next((value["S"] for value in bound.values.values() if value.get("S") in data.partitions), "")
            keys = sorted(data.partitions.get(str(partition), ()))
            return _present(self._tables.visible(data.versions[key], lag=lag) for key in keys)
        if index not in data.table.indexes:
            raise refusal("ValidationException", f"The table does not have the specified index: {index}")
        names = data.table.indexes[index]
        rows = _present(self._tables.visible(version, lag=lag) for version in data.versions.values())
        rows = [row for row in rows if all(name in row for name in names)]
        rows.sort(key=lambda row: tuple(row[name]["S"] for name in names))
        if index not in data.table.keys_only:
            return rows
        kept = {*names, *data.table.key}
        return [{name: value for name, value in row.items() if name in kept} for row in rows]

    def _lag(self, kind: str) -> int:
        """Return how far this read lags behind: an index by up to 5 s, an inconsistent read now and then by 1 s."""
        invocation = self._world.current
        if invocation is None:
            return 0
        share = self._world.latencies.fraction(f"{invocation.module}/{invocation.name}/{invocation.calls}/lag")
        if kind == "read":
            return SECOND if share < 0.1 else 0
        return 5 * SECOND if share < 0.05 else int(share * 300 * MS)

    def _call[T](self, operation: str, effect: Callable[[], T], table: str, key: Item) -> T:
        names = self._tables.data[table].table.key if table in self._tables.data else ()
        parts = [str(value.get("S")) for name, value in key.items() if name in (*names, "key")]
        subject = f"{table} {'/'.join(parts)}"

        def checked() -> T:
            try:
                return effect()
            except ExpressionError as error:
                raise refusal("ValidationException", str(error), operation) from error

        invocation = self._world.current
        if invocation is not None and subject.count("#") > 1 and _NOTIFIED in subject:
            invocation.noticed = subject.split("#", 2)[2]
        return call(self._world, self._port, operation, checked, subject=subject)


class _Paginator:
    def __init__(self, client: Dynamo) -> None:
        self._client = client

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages; no partition of a history fills a second one."""
        yield self._client.query(**request)


def _projected(item: Item, expression: str, bound: Bound) -> Item:
    if not expression:
        return item
    names = [bound.names.get(name.strip(), name.strip()) for name in expression.split(",")]
    return {name: item[name] for name in names if name in item}


def _present(rows: Iterator[Item | None]) -> list[Item]:
    return [row for row in rows if row is not None]
