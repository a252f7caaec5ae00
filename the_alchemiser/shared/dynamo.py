"""Conversion of plain values to and from DynamoDB's typed attributes, and the conditional put of every table."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from the_alchemiser.shared import aws

if TYPE_CHECKING:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
    from mypy_boto3_dynamodb import DynamoDBClient


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"pk": {"S": "x"}}` for `{"pk": "x"}`; numbers must be int or Decimal."""
    serialize = _serializer().serialize
    return {name: serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"pk": "x"}` for `{"pk": {"S": "x"}}`; numbers are Decimal."""
    deserialize = _deserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}


def put_if(
    client: "DynamoDBClient",
    table: str,
    row: Mapping[str, Any],
    *,
    condition: str = "attribute_not_exists(pk)",
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Put a row if the condition holds; return False when it does not: somebody else was first.

    False may also mean that this very call was first: the SDK repeats a write whose answer was lost, and the repetition
    finds the row of the first attempt. A caller whose messages depend on the answer must compare the stored row.

    Args:
        condition: by default that no row with this key exists.
        values: of the placeholders in the condition.

    Raises:
        ClientError, BotoCoreError: DynamoDB refused the write for another reason, or did not answer.
    """
    placeholders: dict[str, Any] = {"ExpressionAttributeValues": typed(values)} if values else {}
    try:
        client.put_item(TableName=table, Item=typed(row), ConditionExpression=condition, **placeholders)
    except aws.ClientError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def require_table(client: "DynamoDBClient", table: str) -> None:
    """Check a table that a function may only write to. Grant: dynamodb:DescribeTable, which shows no items.

    Raises:
        ClientError, BotoCoreError: DynamoDB denied access, has no such table, or did not answer.
    """
    client.describe_table(TableName=table)


def is_condition_failure(error: "aws.ClientError") -> bool:
    """Return whether a conditional write failed only because its condition is false: somebody else was first."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


@cache
def _serializer() -> "TypeSerializer":
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 - loaded with the first item; see aws.py

    return TypeSerializer()


@cache
def _deserializer() -> "TypeDeserializer":
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415

    return TypeDeserializer()
