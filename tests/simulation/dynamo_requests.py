"""Requests to write to DynamoDB: their conditions and updates, alone or in one transaction."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tests.simulation.dynamo_expressions import (
    Bound,
    ExpressionError,
    apply_update,
    check_placeholders,
    parse_condition,
    parse_update,
)
from tests.simulation.dynamo_tables import Item, Key, TableData, Tables, check_item, refusal

_ACTION_KEYS = frozenset({"TableName", "Item", "Key"})
_MOST_ACTIONS = 100


class Request(NamedTuple):
    """The expressions of one write."""

    condition: str | None
    update: str | None
    bound: Bound
    shows_item: bool

    @classmethod
    def of(cls, options: dict[str, Any], *, update: str | None) -> "Request":
        rest = dict(options)
        bound = take_bound(rest)
        condition = rest.pop("ConditionExpression", None)
        shows = rest.pop("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
        rest.pop("UpdateExpression", None)
        rest.pop("ReturnValues", None)
        refuse_unknown(rest)
        return cls(condition, update, bound, shows)

    def require(self, item: Item | None, operation: str) -> None:
        """Raise the client's error when the condition does not hold."""
        check(self.bound, self.condition, self.update)
        if self.condition is None or condition_of(self.condition)(self.bound, item or {}):
            return
        shown: dict[str, Any] = {"Item": dict(item)} if self.shows_item and item is not None else {}
        raise refusal("ConditionalCheckFailedException", "The conditional request failed", operation, **shown)

    def updated(self, item: Item, data: TableData) -> dict[str, Any]:
        assert self.update is not None
        after = apply_update(parse_update(self.update), self.bound, item)
        if any(after.get(name) != item.get(name) for name in data.table.key):
            raise refusal("ValidationException", "Cannot update attribute. This attribute is part of the key")
        check_item(after)
        return after


def transact(tables: Tables, actions: list[Any]) -> None:
    if not 0 < len(actions) <= _MOST_ACTIONS:
        raise refusal("ValidationException", "Member must have length between 1 and 100")
    reasons: list[dict[str, Any]] = []
    writes: list[tuple[TableData, Key, Item | None]] = []
    for action in actions:
        ((kind, body),) = action.items()
        data = tables.named(body["TableName"])
        request = Request.of(
            {k: v for k, v in body.items() if k not in _ACTION_KEYS}, update=body.get("UpdateExpression")
        )
        key = data.key_of(body.get("Item") or body["Key"])
        before = data.read(key)
        reasons.append(_reason(request, before, kind))
        if kind == "Put":
            check_item(body["Item"])
            writes.append((data, key, dict(body["Item"])))
        elif kind == "Delete":
            writes.append((data, key, None))
        elif kind == "Update" and reasons[-1]["Code"] == "None":
            writes.append((data, key, request.updated(before or body["Key"], data)))
        elif kind not in {"ConditionCheck", "Update"}:
            raise refusal("ValidationException", f"unknown action {kind}")

    if len({(id(data), key) for data, key, _ in writes}) < len(writes):
        raise refusal("ValidationException", "Transaction request cannot include multiple operations on one item")
    if any(reason["Code"] != "None" for reason in reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        raise refusal("TransactionCanceledException", message, "TransactWriteItems", CancellationReasons=reasons)
    for data, key, item in writes:
        tables.write(data, key, item)


def _reason(request: Request, before: Item | None, kind: str) -> dict[str, Any]:
    try:
        request.require(before, kind)
    except ClientError as error:
        answer: Any = error.response
        shown = {"Item": answer["Item"]} if "Item" in answer else {}
        return {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", **shown}
    return {"Code": "None"}


def check(bound: Bound, *expressions: str | None) -> None:
    """Check the placeholders of a request.

    Raises:
        ClientError: one is undefined or unused.
    """
    try:
        check_placeholders(bound, *expressions)
    except ExpressionError as error:
        raise refusal("ValidationException", str(error)) from error


def condition_of(text: str) -> Any:
    """Return a parsed condition.

    Raises:
        ClientError: it cannot be parsed.
    """
    try:
        return parse_condition(text)
    except ExpressionError as error:
        raise refusal("ValidationException", str(error)) from error


def take_bound(options: dict[str, Any]) -> Bound:
    return Bound(options.pop("ExpressionAttributeNames", {}), options.pop("ExpressionAttributeValues", {}))


def refuse_unknown(options: Mapping[str, Any]) -> None:
    if options:
        raise TypeError(f"the simulated client does not know {', '.join(sorted(options))}")
