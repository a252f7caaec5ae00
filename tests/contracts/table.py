"""DynamoDB with one table, as far as the product's stores use it; rows are plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

from the_alchemiser.shared.dynamo import plain, typed


class FakeTable:
    """Keeps what is put, sets the attributes of an update, and answers every query with all rows.

    Attributes:
        others: the rows that a transaction puts beside its first one; no query returns them.
    """

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows = [dict(row) for row in rows]
        self.others: list[dict[str, Any]] = []

    def put_item(self, *, Item: Mapping[str, Any], **_: Any) -> None:  # noqa: N803 - the vendor's name
        self.rows.append(plain(Item))

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803
        first, *others = (plain(item["Put"]["Item"]) for item in TransactItems if "Put" in item)
        self.rows.append(first)
        self.others.extend(others)

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Update the first row: set named attributes, and append to the timeline."""
        row, values = self.rows[0], plain(request["ExpressionAttributeValues"])
        for name in request.get("ExpressionAttributeNames", {}).values():
            if f":{name}" in values:
                row[name] = values[f":{name}"]
        if request["UpdateExpression"] == "SET settled = :true":
            row["settled"] = True
        row["timeline"] = [*row.get("timeline", []), *values.get(":line", [])]
        return {"Attributes": typed(row)}

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": typed(self.rows[0])}

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": [typed(row) for row in self.rows]}

    def get_paginator(self, _: str) -> "FakeTable":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [self.query()]
