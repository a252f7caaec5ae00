"""DynamoDB with one table, as far as the product's stores use it; rows are plain values."""

from collections.abc import Mapping
from typing import Any

from the_alchemiser.shared.dynamo import plain, typed


class FakeTable:
    """Keeps what is put, sets the attributes of an update, and answers every query with all rows."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows = [dict(row) for row in rows]

    def put_item(self, *, Item: Mapping[str, Any], **_: Any) -> None:  # noqa: N803 - the vendor's name
        self.rows.append(plain(Item))

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Update the first row: set named attributes, and append to the timeline."""
        row, values = self.rows[0], plain(request["ExpressionAttributeValues"])
        for name in request.get("ExpressionAttributeNames", {}).values():
            row[name] = values[f":{name}"]
        row["timeline"] = [*row.get("timeline", []), *values.get(":line", [])]
        return {"Attributes": typed(row)}

    def get_paginator(self, _: str) -> "FakeTable":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": [typed(row) for row in self.rows]}]
