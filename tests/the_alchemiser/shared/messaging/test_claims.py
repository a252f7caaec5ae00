"""A message is handled once: its claim is taken, then completed or released, and lapses when its attempt was killed."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.simulation.test_dynamo import new_client
from tests.the_alchemiser.fakes import InMemoryClaims
from the_alchemiser.shared.dynamo import plain, typed
from the_alchemiser.shared.messaging.claims import ClaimedElsewhereError, DynamoClaims, claim_key
from the_alchemiser.shared.messaging.wiring import Claims

KEY = "a_module#dc65ad7dca16ff00a5f8af55f3fdbeb4"
TAKEN = {
    "claim": KEY,
    "expires_at": 1_656_618_300,
    "status": "INPROGRESS",
    "in_progress_expiration": 1_655_322_330_123,
}
"""What Powertools, which earlier releases used, wrote for the same message at the same time, with 30 s left."""
COMPLETED = TAKEN | {"status": "COMPLETED", "data": "null"}


class Table:
    """The Claims table, in memory, and the claims on it at a moment that the test chooses."""

    def __init__(self) -> None:
        self.client = new_client()
        self.now = datetime(2022, 6, 15, 19, 45, 0, 123_456, tzinfo=UTC)
        self.claims = DynamoClaims(cast("Any", self.client), "Claims", now=lambda: self.now)

    def row(self) -> dict[str, Any]:
        answer = self.client.get_item(TableName="Claims", Key=typed({"claim": KEY}), ConsistentRead=True)
        return plain(answer.get("Item", {}))


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture(params=["memory", "table"])
def claims(request: pytest.FixtureRequest) -> Claims:
    return InMemoryClaims() if request.param == "memory" else Table().claims


def test_claims_new_message_is_taken(claims: Claims) -> None:
    assert claims.take(KEY, remaining_ms=1) is True


def test_claims_completed_message_is_not_taken_again(claims: Claims) -> None:
    claims.take(KEY, remaining_ms=1)
    claims.complete(KEY)

    assert claims.take(KEY, remaining_ms=1) is False


def test_claims_message_in_progress_raises_and_may_be_retried(claims: Claims) -> None:
    claims.take(KEY, remaining_ms=1)

    with pytest.raises(ClaimedElsewhereError, match=KEY) as caught:
        claims.take(KEY, remaining_ms=1)

    assert caught.value.retryable


def test_claims_released_message_is_taken_again(claims: Claims) -> None:
    claims.take(KEY, remaining_ms=1)
    claims.release(KEY)

    assert claims.take(KEY, remaining_ms=1) is True


def test_claims_are_separate_for_each_key(claims: Claims) -> None:
    claims.take(KEY, remaining_ms=1)

    assert claims.take("another_module#1", remaining_ms=1) is True


def test_claims_can_be_read(claims: Claims) -> None:
    claims.check()


def test_claim_key_is_that_of_earlier_releases() -> None:
    assert claim_key("a_module", "prod-2022-06-15/StrategyFailed/trend") == KEY
    assert claim_key("m", "r/Ünï/x") == "m#9008a3173dd1dbca261707a842c93fd6"


def test_dynamo_claims_write_the_rows_of_earlier_releases(table: Table) -> None:
    table.claims.take(KEY, remaining_ms=30_000)
    taken = table.row()
    table.claims.complete(KEY)

    assert taken == TAKEN
    assert table.row() == COMPLETED


@pytest.mark.parametrize("row", [COMPLETED, {name: COMPLETED[name] for name in COMPLETED if name != "data"}])
def test_dynamo_claims_read_the_rows_of_earlier_releases(table: Table, row: dict[str, Any]) -> None:
    table.client.put_item(TableName="Claims", Item=typed(row))

    assert table.claims.take(KEY, remaining_ms=1) is False


@pytest.mark.parametrize(("later_ms", "is_free"), [(0, False), (30_000, False), (30_001, True)])
def test_dynamo_claims_of_a_killed_attempt_lapse_when_lambda_ends_it(
    table: Table, later_ms: int, is_free: bool
) -> None:
    table.claims.take(KEY, remaining_ms=30_000)
    table.now += timedelta(milliseconds=later_ms)

    if is_free:
        assert table.claims.take(KEY, remaining_ms=1) is True
    else:
        with pytest.raises(ClaimedElsewhereError):
            table.claims.take(KEY, remaining_ms=1)


@pytest.mark.parametrize(("later", "is_free"), [(timedelta(days=15), False), (timedelta(days=15, seconds=1), True)])
def test_dynamo_claims_of_handled_messages_are_kept_fifteen_days(table: Table, later: timedelta, is_free: bool) -> None:
    table.claims.take(KEY, remaining_ms=0)
    table.now += timedelta(days=1)
    table.claims.complete(KEY)
    table.now += later

    assert table.claims.take(KEY, remaining_ms=1) is is_free


def test_dynamo_claims_without_time_limit_attribute_stay_taken(table: Table) -> None:
    row = {name: TAKEN[name] for name in TAKEN if name != "in_progress_expiration"}
    table.client.put_item(TableName="Claims", Item=typed(row))

    with pytest.raises(ClaimedElsewhereError):
        table.claims.take(KEY, remaining_ms=1)


def test_dynamo_claims_refused_without_the_row_count_as_taken_elsewhere() -> None:
    """An answer without the row does not say that the message was handled, so it must not be dropped."""
    stubber = stubbed("ConditionalCheckFailedException")

    with stubber, pytest.raises(ClaimedElsewhereError):
        DynamoClaims(stubber.client, "Claims").take(KEY, remaining_ms=1)


def test_dynamo_claims_other_refusal_is_raised() -> None:
    stubber = stubbed("AccessDeniedException")

    with stubber, pytest.raises(ClientError, match="AccessDenied"):
        DynamoClaims(stubber.client, "Claims").take(KEY, remaining_ms=1)


def stubbed(error: str) -> Any:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    stubber.add_client_error("put_item", error)
    return stubber
