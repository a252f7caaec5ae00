"""The conditional put that makes the writes to every table idempotent."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from the_alchemiser.shared.dynamo import put_if


@pytest.fixture
def table() -> Stubber:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return Stubber(client)


def put(table: Stubber, **options: object) -> bool:
    with table:
        return put_if(table.client, "runs", {"pk": "x"}, **options)  # type: ignore[arg-type] # passes options on


def test_put_if_first_write_requires_a_missing_row(table: Stubber) -> None:
    request = {"TableName": "runs", "Item": {"pk": {"S": "x"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    table.add_response("put_item", {}, request)

    assert put(table) is True


def test_put_if_condition_with_values_is_passed_on(table: Stubber) -> None:
    request = {
        "TableName": "runs",
        "Item": {"pk": {"S": "x"}},
        "ConditionExpression": "edition <= :edition",
        "ExpressionAttributeValues": {":edition": {"N": "3"}},
    }
    table.add_response("put_item", {}, request)

    assert put(table, condition="edition <= :edition", values={":edition": 3}) is True


def test_put_if_false_condition_returns_false(table: Stubber) -> None:
    table.add_client_error("put_item", "ConditionalCheckFailedException")

    assert put(table) is False


def test_put_if_other_error_is_raised(table: Stubber) -> None:
    table.add_client_error("put_item", "AccessDeniedException")

    with pytest.raises(ClientError):
        put(table)
