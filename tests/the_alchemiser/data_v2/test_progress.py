"""The stored progress of a refresh: a conditional write that expires, and a consistent read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from the_alchemiser.data_v2.progress import DynamoProgress, Invocation, RefreshProgress, SymbolOutcome
from the_alchemiser.shared.errors import StateUnavailableError

NOW = datetime(2022, 3, 15, 20, tzinfo=UTC)
PROGRESS = RefreshProgress(
    request_id="r1", symbols=("SPY", "TLT"), outcomes={"SPY": SymbolOutcome(before="", after="a1")}
)
ITEM = {
    "symbol": {"S": "REQUEST#r1"},
    "expires_at": {"N": str(int((NOW + timedelta(days=1)).timestamp()))},
    "is_finished": {"BOOL": False},
    "body": {"S": PROGRESS.to_json()},
}
READ = {"TableName": "requests", "Key": {"symbol": {"S": "REQUEST#r1"}}, "ConsistentRead": True}
Stubbed = tuple[DynamoProgress, Stubber]


@pytest.fixture
def stubbed() -> Stubbed:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return DynamoProgress(client, "requests", now=lambda: NOW), Stubber(client)


def test_write_is_kept_a_day_and_does_not_undo_the_end(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    expected = {
        "TableName": "requests",
        "Item": ITEM,
        "ConditionExpression": "attribute_not_exists(symbol) OR is_finished = :false",
        "ExpressionAttributeValues": {":false": {"BOOL": False}},
    }
    stub.add_response("put_item", {}, expected)
    with stub:
        progress.write(PROGRESS)
    stub.assert_no_pending_responses()


def test_write_after_the_end_is_dropped(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    stub.add_client_error("put_item", "ConditionalCheckFailedException")
    with stub:
        progress.write(PROGRESS)


def test_read_returns_what_was_written(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    stub.add_response("get_item", {"Item": ITEM}, READ)
    with stub:
        assert progress.read("r1") == PROGRESS


def test_read_before_the_first_batch_is_none(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    stub.add_response("get_item", {}, READ)
    with stub:
        assert progress.read("r1") is None


def test_read_of_an_unreadable_item_raises_unavailable(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    stub.add_response("get_item", {"Item": ITEM | {"body": {"S": "{"}}}, READ)
    with stub, pytest.raises(StateUnavailableError, match="table requests: "):
        progress.read("r1")


def test_denied_read_raises_unavailable(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    stub.add_client_error("get_item", "AccessDeniedException")
    with stub, pytest.raises(StateUnavailableError, match=r"table requests: .*GetItem"):
        progress.read("r1")


def test_denied_write_raises_unavailable(stubbed: Stubbed) -> None:
    progress, stub = stubbed
    stub.add_client_error("put_item", "AccessDeniedException")
    with stub, pytest.raises(StateUnavailableError, match=r"table requests: .*PutItem"):
        progress.write(PROGRESS)


class Context:
    """A context with 12.5 s left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 12_500


def test_time_left_is_that_of_the_current_invocation() -> None:
    invocation = Invocation()
    outside = invocation.time_left_s()
    invocation.start({}, Context())

    assert (outside, invocation.time_left_s()) == (86_400, 12.5)


@pytest.mark.parametrize(
    ("event", "request_id"),
    [
        ({"Records": [{"messageId": "m1"}]}, "m1"),
        ({"Records": [{"messageId": "m1"}, {"messageId": "m2"}]}, ""),
        ({"Records": []}, ""),
        ({"Records": [{}]}, ""),
        ({"health": True}, ""),
    ],
)
def test_request_id_is_that_of_the_only_message(event: dict[str, Any], request_id: str) -> None:
    invocation = Invocation()
    invocation.start({"Records": [{"messageId": "earlier"}]}, Context())
    invocation.start(event, Context())

    assert invocation.request_id == request_id
