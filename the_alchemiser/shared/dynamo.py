"""Conversion of plain values to and from DynamoDB's typed attributes, and the test for a false condition."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

    from the_alchemiser.shared import aws


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"pk": {"S": "x"}}` for `{"pk": "x"}`; numbers must be int or Decimal."""
    return {name: _serializer().serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"pk": "x"}` for `{"pk": {"S": "x"}}`; numbers are Decimal."""
    return {name: _deserializer().deserialize(value) for name, value in item.items()}


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
