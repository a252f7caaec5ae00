"""The contracts of the stores hold over the simulated tables, which refuse what DynamoDB refuses."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulation.aws_clients import aws_port
from tests.simulation.deployment import read_deployment
from tests.simulation.dynamo import Dynamo
from tests.simulation.dynamo_tables import Tables
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.scenario import FaultPlan
from tests.simulation.world import World
from tests.the_alchemiser.contracts import BooksStoreContract, LedgerContract, RunStoreContract
from tests.the_alchemiser.metrics_v2.performance_store_contract import PerformanceStoreContract
from the_alchemiser.metrics_v2.performance_table import DynamoPerformanceStore
from the_alchemiser.metrics_v2.service import PerformanceStore
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.books.store import BooksStore
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import Ledger
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import RunStore

NOW = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
KEY = {"pk": {"S": "RUN#1"}, "sk": {"S": "META"}}
ROW = {**KEY, "state": {"S": "SELLING"}, "timeline": {"L": [{"S": "a"}]}, "figure": {"N": "2"}}


def new_client() -> Dynamo:
    world = World(NOW, FaultDraws(1, FaultPlan()), {})
    tables = Tables(world, read_deployment().tables, lambda *_: None)
    return Dynamo(tables, aws_port("dynamodb", attempts=3))


class TestRunStore(RunStoreContract):
    @pytest.fixture
    def store(self) -> RunStore:
        return DynamoRunStore(new_client(), "Runs")  # type: ignore[arg-type] # the simulated client


class TestBooks(BooksStoreContract):
    @pytest.fixture
    def books(self) -> BooksStore:
        return DynamoBooks(new_client(), "Runs")  # type: ignore[arg-type] # the simulated client


class TestLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return DynamoLedger(new_client(), "Ledger")  # type: ignore[arg-type] # the simulated client


class TestPerformanceStore(PerformanceStoreContract):
    @pytest.fixture
    def store(self) -> PerformanceStore:
        return DynamoPerformanceStore(new_client(), "Performance")  # type: ignore[arg-type] # the simulated client


@pytest.fixture
def client() -> Dynamo:
    client = new_client()
    client.put_item(TableName="Runs", Item=ROW)
    return client


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error: Any = caught.value.response["Error"]
    return error["Code"], error["Message"]


def stored(client: Dynamo) -> Mapping[str, Any]:
    item: Mapping[str, Any] = client.get_item(TableName="Runs", Key=KEY, ConsistentRead=True)["Item"]
    return item


def test_put_item_with_a_false_condition_shows_the_old_item_if_asked(client: Dynamo) -> None:
    request: Any = {"TableName": "Runs", "Item": KEY, "ConditionExpression": "attribute_not_exists(pk)"}

    with pytest.raises(ClientError) as caught:
        client.put_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    code, _ = refused(client.put_item, **request)

    assert caught.value.response["Item"] == ROW  # type: ignore[typeddict-item] # only failed conditions have it
    assert code == "ConditionalCheckFailedException"
    assert stored(client) == ROW


def test_update_item_of_a_missing_item_creates_it(client: Dynamo) -> None:
    other = {"pk": {"S": "RUN#2"}, "sk": {"S": "META"}}

    yes = {":yes": {"BOOL": True}}
    client.update_item(TableName="Runs", Key=other, UpdateExpression="SET sent = :yes", ExpressionAttributeValues=yes)

    found = client.get_item(TableName="Runs", Key=other, ConsistentRead=True)
    assert found["Item"] == {**other, "sent": {"BOOL": True}}


def test_update_item_appends_and_adds(client: Dynamo) -> None:
    answer = client.update_item(
        TableName="Runs",
        Key=KEY,
        UpdateExpression="SET timeline = list_append(timeline, :more) ADD figure :one, tags :tags REMOVE #state",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":more": {"L": [{"S": "b"}]}, ":one": {"N": "1"}, ":tags": {"SS": ["x"]}},
        ReturnValues="ALL_NEW",
    )

    after = {**KEY, "timeline": {"L": [{"S": "a"}, {"S": "b"}]}, "figure": {"N": "3"}, "tags": {"SS": ["x"]}}
    assert answer["Attributes"] == stored(client) == after


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ("#state = :x", {":x": {"S": "SELLING"}}, True),
        ("#state <> :x", {":x": {"S": "SELLING"}}, False),
        ("#state IN (:x, :y)", {":x": {"S": "BUYING"}, ":y": {"S": "SELLING"}}, True),
        ("#state IN (:x)", {":x": {"S": "BUYING"}}, False),
        ("NOT attribute_exists(#state)", {}, False),
        ("attribute_not_exists(other) AND figure >= :x AND #state = #state", {":x": {"N": "2.0"}}, True),
        ("figure < :x OR figure BETWEEN :x AND :y AND #state = #state", {":x": {"N": "1"}, ":y": {"N": "10"}}, True),
        ("figure = :x OR #state = :x", {":x": {"S": "2"}}, False),
        ("begins_with(#state, :x)", {":x": {"S": "SELL"}}, True),
        ("(missing = :x OR figure <= :x) AND NOT #state = :x", {":x": {"N": "9"}}, True),
    ],
)
def test_condition_holds_as_in_dynamodb(client: Dynamo, condition: str, values: Any, holds: bool) -> None:
    request: Any = {
        "TableName": "Runs",
        "Key": KEY,
        "UpdateExpression": "SET sent = :sent",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":sent": {"BOOL": True}, **values},
    }

    if holds:
        client.update_item(**request)
    else:
        assert refused(client.update_item, **request)[0] == "ConditionalCheckFailedException"

    assert ("sent" in stored(client)) == holds


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"UpdateExpression": "SET state = :x", "ExpressionAttributeValues": {":x": {"S": "a"}}}, "reserved keyword"),
        ({"UpdateExpression": "SET sent = :y", "ExpressionAttributeValues": {":x": {"S": "a"}}}, "not defined"),
        (
            {"UpdateExpression": "SET sent = :x", "ExpressionAttributeValues": {":x": {"S": "a"}, ":y": {"S": "a"}}},
            "unused",
        ),
        ({"UpdateExpression": "SET sent := :x", "ExpressionAttributeValues": {":x": {"S": "a"}}}, "Syntax error"),
        ({"UpdateExpression": "SET pk = :x", "ExpressionAttributeValues": {":x": {"S": "a"}}}, "part of the key"),
        (
            {"UpdateExpression": "SET gone = list_append(gone, :x)", "ExpressionAttributeValues": {":x": {"L": []}}},
            "does not exist in the item",
        ),
        ({"UpdateExpression": "ADD tags :x", "ExpressionAttributeValues": {":x": {"SS": []}}}, "empty set"),
    ],
)
def test_update_item_that_dynamodb_refuses_changes_nothing(client: Dynamo, request_: Any, message: str) -> None:
    code, text = refused(client.update_item, TableName="Runs", Key=KEY, **request_)

    assert code == "ValidationException"
    assert message in text
    assert stored(client) == ROW


def transaction(*, owner: str) -> list[Any]:
    check = {
        "TableName": "Runs",
        "Key": KEY,
        "ConditionExpression": "#state = :done",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":done": {"S": owner}},
    }
    put = {"TableName": "Runs", "Item": {**KEY, "pk": {"S": "DAY"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    return [{"Put": put}, {"ConditionCheck": check}]


def test_transact_write_items_with_a_false_condition_writes_nothing(client: Dynamo) -> None:
    with pytest.raises(ClientError) as caught:
        client.transact_write_items(TransactItems=transaction(owner="COMPLETED"))

    answer: Any = caught.value.response
    assert answer["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in client.get_item(TableName="Runs", Key={**KEY, "pk": {"S": "DAY"}}, ConsistentRead=True)


def test_transact_write_items_repeated_with_its_token_succeeds(client: Dynamo) -> None:
    for _ in range(2):
        client.transact_write_items(TransactItems=transaction(owner="SELLING"), ClientRequestToken="t")

    assert refused(client.transact_write_items, TransactItems=transaction(owner="SELLING"))[0] == (
        "TransactionCanceledException"
    )


def test_query_of_an_index_cannot_be_consistent(client: Dynamo) -> None:
    values = {":date": {"S": "2022-06-15"}}
    request = {"TableName": "Runs", "IndexName": "by-date", "KeyConditionExpression": "trading_date = :date"}

    code, text = refused(client.query, **request, ExpressionAttributeValues=values, ConsistentRead=True)

    assert (code, "Consistent reads are not supported" in text) == ("ValidationException", True)


def test_query_of_an_index_returns_the_projected_keys(client: Dynamo) -> None:
    client.put_item(TableName="Runs", Item={**ROW, "trading_date": {"S": "2022-06-15"}})

    answer = client.query(
        TableName="Runs",
        IndexName="by-date",
        KeyConditionExpression="trading_date = :date",
        ExpressionAttributeValues={":date": {"S": "2022-06-15"}},
    )

    assert answer["Items"] == [{**KEY, "trading_date": {"S": "2022-06-15"}}]


def test_unknown_option_or_table_is_refused(client: Dynamo) -> None:
    with pytest.raises(TypeError, match="Expected"):
        client.put_item(TableName="Runs", Item=KEY, Expected={})

    assert refused(client.get_item, TableName="Nowhere", Key=KEY)[0] == "ResourceNotFoundException"
    assert refused(client.put_item, TableName="Runs", Item={"pk": {"S": "a"}})[0] == "ValidationException"
