"""The stored progress of a refresh: a conditional write that expires, and a consistent read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.simulation.aws_clients import aws_port
from tests.simulation.deployment import Table
from tests.simulation.dynamo import Dynamo
from tests.simulation.dynamo_tables import Tables
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.scenario import FaultPlan
from tests.simulation.world import World
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
        "ConditionExpression": "attribute_not_exists(body) OR is_finished = :false OR body = :unreadable",
        "ExpressionAttributeValues": {":false": {"BOOL": False}, ":unreadable": {"NULL": True}},
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


def simulated_table() -> Dynamo:
    world = World(NOW, FaultDraws(1, FaultPlan()), {})
    table = Table("requests", ("symbol",), {}, frozenset())
    return Dynamo(Tables(world, {"requests": table}, lambda *_: None), aws_port("dynamodb", attempts=1))


def progress_of(client: Dynamo) -> DynamoProgress:
    return DynamoProgress(client, "requests", now=lambda: NOW)  # type: ignore[arg-type] # the simulated client


UNREADABLE: list[dict[str, Any]] = [
    {"body": {"S": "{"}},
    {"body": {"S": '{"request_id": "r1", "symbols": "SPY"}'}},
    {"body": {"S": '{"of": "a later release"}'}, "is_finished": {"BOOL": True}},
    {"body": {"N": "7"}, "is_finished": {"S": "no"}},
    {"body": {"NULL": True}},
    {},
]


@pytest.mark.parametrize("attributes", UNREADABLE)
def test_unreadable_item_is_no_progress_and_is_overwritten(
    attributes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = simulated_table()
    client.put_item(TableName="requests", Item={"symbol": {"S": "REQUEST#r1"}, **attributes})
    progress = progress_of(client)

    for _ in range(2):  # it is logged once
        assert progress.read("r1") is None
        assert [record.getMessage() for record in caplog.records] == ["progress not readable"]
    assert caplog.records[0].__dict__["request_id"] == "r1"

    progress.write(PROGRESS)
    assert progress.read("r1") == PROGRESS


def test_unreadable_item_that_another_delivery_has_replaced_and_finished_stays() -> None:
    client = simulated_table()
    client.put_item(TableName="requests", Item={"symbol": {"S": "REQUEST#r1"}, **UNREADABLE[0]})
    slow, fast = progress_of(client), progress_of(client)
    slow.read("r1")
    fast.read("r1")
    fast.write(PROGRESS.changed(is_finished=True))
    slow.write(PROGRESS)

    assert slow.read("r1") == PROGRESS.changed(is_finished=True)


def test_write_after_the_end_changes_nothing() -> None:
    progress = progress_of(simulated_table())
    progress.write(PROGRESS)
    progress.write(PROGRESS.changed(is_finished=True))
    progress.write(PROGRESS)

    assert progress.read("r1") == PROGRESS.changed(is_finished=True)


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
