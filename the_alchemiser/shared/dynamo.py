"""Plain values to and from DynamoDB's typed attributes, and the one question asked of its errors."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

    from the_alchemiser.shared import aws


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"pk": "x"}` -> `{"pk": {"S": "x"}}`; numbers must be int or Decimal."""
    return {name: _serializer().serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """`{"pk": {"S": "x"}}` -> `{"pk": "x"}`; numbers come back as Decimal."""
    return {name: _deserializer().deserialize(value) for name, value in item.items()}


def is_condition_failure(error: "aws.ClientError") -> bool:
    """Whether a conditional write found its condition false: the other one won, nothing is broken."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


@cache
def _serializer() -> "TypeSerializer":
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 - with the first item, as in aws.py

    return TypeSerializer()


@cache
def _deserializer() -> "TypeDeserializer":
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415

    return TypeDeserializer()
