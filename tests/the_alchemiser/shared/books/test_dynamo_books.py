"""What the rows of the checks look like, and what their store makes of a refused write."""

from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.the_alchemiser.contracts import books_check
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.books.store import StoredCheck
from the_alchemiser.shared.dynamo import plain, typed

KEY = {"pk": "BOOKS", "sk": "CHECK#2022-03-16"}
ACCEPTED = books_check(CheckState.ACCEPTED, minutes=5)


@pytest.fixture
def table() -> Stubber:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return Stubber(client)


def store_on(table: Stubber) -> DynamoBooks:
    table.activate()
    return DynamoBooks(cast("Any", table.client), "runs")


def requests_of(table: Stubber) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = []
    table.client.meta.events.register("provide-client-params.dynamodb", lambda params, **_: requests.append(params))
    return requests


def row(check: BooksCheck, **changes: Any) -> dict[str, Any]:
    return typed(KEY | {"body": check.to_json(), "sent": False} | changes)


def test_put_writes_a_row_that_no_index_of_runs_contains(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("put_item", {})

    assert store_on(table).put(books_check())

    [request] = requests
    assert (request["TableName"], request["ConditionExpression"]) == ("runs", "attribute_not_exists(pk)")
    assert plain(request["Item"]) == KEY | {
        "check_state": "DIFFERS",
        "checked_at": "2022-03-16T19:45:00+00:00",
        "body": books_check().to_json(),
        "sent": False,
    }


@pytest.mark.parametrize("state", [CheckState.OPENED, CheckState.AGREED, CheckState.ACCEPTED])
def test_put_of_a_check_without_news_is_sent(table: Stubber, state: CheckState) -> None:
    requests = requests_of(table)
    table.add_response("put_item", {})

    store_on(table).put(books_check(state))

    assert plain(requests[0]["Item"])["sent"] is True


@pytest.mark.parametrize(("stored", "expected"), [(books_check(), True), (books_check(minutes=1), False)])
def test_put_on_a_taken_day_reads_whose_check_it_is(table: Stubber, stored: BooksCheck, *, expected: bool) -> None:
    table.add_client_error("put_item", "ConditionalCheckFailedException")
    table.add_response("query", {"Items": [row(stored)]})

    assert store_on(table).put(books_check()) is expected


def test_replace_names_the_state_and_the_time_of_the_previous_check(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("put_item", {})

    assert store_on(table).replace(ACCEPTED, previous=books_check())

    [request] = requests
    assert request["ConditionExpression"] == "checked_at = :at AND check_state = :state"
    assert plain(request["ExpressionAttributeValues"]) == {":at": "2022-03-16T19:45:00+00:00", ":state": "DIFFERS"}
    assert plain(request["Item"])["check_state"] == "ACCEPTED"


@pytest.mark.parametrize(("stored", "expected"), [(ACCEPTED, True), (books_check(), False)])
def test_replace_that_loses_reads_what_is_stored(table: Stubber, stored: BooksCheck, *, expected: bool) -> None:
    table.add_client_error("put_item", "ConditionalCheckFailedException")
    table.add_response("query", {"Items": [row(stored)]})

    assert store_on(table).replace(ACCEPTED, previous=books_check()) is expected


def test_write_that_the_table_refuses_is_raised(table: Stubber) -> None:
    table.add_client_error("put_item", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDenied"):
        store_on(table).put(books_check())


def test_latest_asks_for_the_last_row_with_a_consistent_read(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("query", {"Items": [row(ACCEPTED, sent=True)]})

    assert store_on(table).latest() == StoredCheck(ACCEPTED, True)

    assert requests == [
        {
            "TableName": "runs",
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "BOOKS"}},
            "ScanIndexForward": False,
            "Limit": 1,
        }
    ]


def test_latest_ignores_what_a_later_release_has_added(table: Stubber) -> None:
    body = ACCEPTED.to_json().replace('{"trading_date"', '{"later": 1, "trading_date"', 1)
    table.add_response("query", {"Items": [row(ACCEPTED, body=body)]})

    latest = store_on(table).latest()
    assert latest is not None
    assert latest.check == ACCEPTED


def test_latest_of_an_empty_table_is_none(table: Stubber) -> None:
    table.add_response("query", {"Items": []})

    assert store_on(table).latest() is None


def test_mark_sent_updates_the_row_of_the_day(table: Stubber) -> None:
    requests = requests_of(table)
    table.add_response("update_item", {})

    store_on(table).mark_sent(books_check())

    [request] = requests
    assert plain(request["Key"]) == KEY
    assert request["UpdateExpression"] == "SET sent = :true"
    assert plain(request["ExpressionAttributeValues"]) == {":true": True}
