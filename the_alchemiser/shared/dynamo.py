"""Plain values to and from DynamoDB's typed attributes, and the one question asked of its errors."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"pk": "x"}` -> `{"pk": {"S": "x"}}`; numbers must be int or Decimal."""
    return {name: _SERIALIZER.serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """`{"pk": {"S": "x"}}` -> `{"pk": "x"}`; numbers come back as Decimal."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


def is_condition_failure(error: ClientError) -> bool:
    """Whether a conditional write found its condition false: the other one won, nothing is broken."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"
