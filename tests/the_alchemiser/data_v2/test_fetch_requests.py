"""The cooldown: one message may fetch a symbol, and may do so again when it is delivered again."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from the_alchemiser.data_v2.fetch_requests import COOLDOWN, DynamoFetchRequests
from the_alchemiser.shared.errors import StateUnavailableError

NOW = datetime(2022, 3, 15, 20, tzinfo=UTC)


@pytest.fixture
def stubbed() -> tuple[DynamoFetchRequests, Stubber]:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return DynamoFetchRequests(client, "requests", now=lambda: NOW), Stubber(client)


def test_claim_writes_conditionally_and_expires(stubbed: tuple[DynamoFetchRequests, Stubber]) -> None:
    requests, stub = stubbed
    expires = str(int((NOW + timedelta(hours=1)).timestamp()))
    expected = {
        "TableName": "requests",
        "Item": {"symbol": {"S": "SPY"}, "message_id": {"S": "m"}, "expires_at": {"N": expires}},
        "ConditionExpression": "attribute_not_exists(symbol) OR expires_at <= :now OR message_id = :message_id",
        "ExpressionAttributeValues": {":now": {"N": str(int(NOW.timestamp()))}, ":message_id": {"S": "m"}},
    }
    stub.add_response("put_item", {}, expected)
    with stub:
        assert requests.claim("SPY", message_id="m")

    assert timedelta(hours=1) == COOLDOWN


def test_claim_within_the_cooldown_returns_false(stubbed: tuple[DynamoFetchRequests, Stubber]) -> None:
    requests, stub = stubbed
    stub.add_client_error("put_item", "ConditionalCheckFailedException")
    with stub:
        assert not requests.claim("SPY", message_id="m")


def test_claim_denied_by_aws_raises_unavailable(stubbed: tuple[DynamoFetchRequests, Stubber]) -> None:
    requests, stub = stubbed
    stub.add_client_error("put_item", "AccessDeniedException")
    with stub, pytest.raises(StateUnavailableError, match=r"table requests: .*PutItem"):
        requests.claim("SPY", message_id="m")
