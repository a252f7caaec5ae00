"""DynamoDB, call by call: the same request gets the same answer from the simulator's tables and from the emulator."""

from typing import Any

import pytest

from tests.fidelity.backend import Refused, answered, refused
from tests.fidelity.table_contract import INVALID, KEY, ROW, TableContract, stored

FAILED = "ConditionalCheckFailedException"
STATE = {"#state": "state"}
CLAIMED = "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress AND #until < :now_ms)"
"""The condition of a claim, as claims.py writes it."""

# Condition, values, and whether it holds for ROW.
CONDITIONS = [
    ("#state = :x", {":x": {"S": "SELLING"}}, True),
    ("#state <> :x", {":x": {"S": "SELLING"}}, False),
    ("#state IN (:x, :y)", {":x": {"S": "BUYING"}, ":y": {"S": "SELLING"}}, True),
    ("#state IN (:x)", {":x": {"S": "BUYING"}}, False),
    ("NOT attribute_exists(#state)", {}, False),
    ("attribute_not_exists(absent) AND figure >= :x AND #state = #state", {":x": {"N": "2.0"}}, True),
    ("figure > :x AND #state = #state", {":x": {"N": "2"}}, False),
    ("figure < :x OR figure BETWEEN :x AND :y AND #state = #state", {":x": {"N": "1"}, ":y": {"N": "10"}}, True),
    ("figure = :x OR #state = :x", {":x": {"S": "2"}}, False),
    ("begins_with(#state, :x)", {":x": {"S": "SELL"}}, True),
    ("(absent = :x OR figure <= :x) AND NOT #state = :x", {":x": {"N": "9"}}, True),
    ("absent <> :x AND #state = #state", {":x": {"N": "9"}}, True),
    ("absent < :x AND #state = #state", {":x": {"N": "9"}}, False),
]
# What DynamoDB refuses as invalid.
INVALID_UPDATES: list[dict[str, Any]] = [
    {"UpdateExpression": "SET state = :x", "ExpressionAttributeValues": {":x": {"S": "a"}}},
    {"UpdateExpression": "SET sent = :y", "ExpressionAttributeValues": {":x": {"S": "a"}}},
    {
        "UpdateExpression": "SET sent = :x",
        "ExpressionAttributeValues": {":x": {"S": "a"}, ":y": {"S": "a"}},
    },
    {"UpdateExpression": "SET sent := :x", "ExpressionAttributeValues": {":x": {"S": "a"}}},
    {"UpdateExpression": "SET pk = :x", "ExpressionAttributeValues": {":x": {"S": "a"}}},
    {
        "UpdateExpression": "SET gone = list_append(gone, :x)",
        "ExpressionAttributeValues": {":x": {"L": []}},
    },
    {"UpdateExpression": "ADD tags :x", "ExpressionAttributeValues": {":x": {"SS": []}}},
    {
        "UpdateExpression": "SET sent = :x",
        "ExpressionAttributeValues": {":x": {"S": "a"}},
        "ExpressionAttributeNames": {"#unused": "a"},
    },
]


class DynamoContract(TableContract):
    """Writes, and reads of one item."""

    def test_put_item_answers_nothing(self, client: Any, runs: str) -> None:
        assert answered(client.put_item(TableName=runs, Item=ROW)) == {}

    def test_put_item_replaces_the_whole_item(self, client: Any, runs: str) -> None:
        client.put_item(TableName=runs, Item=KEY)

        assert stored(client, runs) == KEY

    def test_put_item_with_a_true_condition_writes(self, client: Any, runs: str) -> None:
        client.put_item(
            TableName=runs,
            Item={**KEY, "run_id": {"S": "b"}},
            ConditionExpression="attribute_not_exists(pk) OR #state = :x",
            ExpressionAttributeNames=STATE,
            ExpressionAttributeValues={":x": {"S": "SELLING"}},
        )

        assert stored(client, runs) == {**KEY, "run_id": {"S": "b"}}

    def test_put_item_with_a_false_condition_changes_nothing(self, client: Any, runs: str) -> None:
        refusal = refused(client.put_item, TableName=runs, Item=KEY, ConditionExpression="attribute_not_exists(pk)")

        assert (refusal.code, refusal.status) == (FAILED, 400)
        assert refusal.message == "The conditional request failed"
        assert "Item" not in refusal.answer
        assert stored(client, runs) == ROW

    def test_put_item_with_a_false_condition_shows_the_item_if_asked(self, client: Any, runs: str) -> None:
        refusal = refused(
            client.put_item,
            TableName=runs,
            Item=KEY,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

        assert refusal.answer["Item"] == ROW

    def test_put_item_of_a_claim_follows_its_times(self, client: Any, runs: str) -> None:
        def claim(now: int, until: int) -> None:
            names = {"#id": "pk", "#expiry": "expires_at", "#status": "status", "#until": "until"}
            values = {":now": now, ":now_ms": now * 1000}
            numbers = {name: {"N": str(value)} for name, value in values.items()}
            client.put_item(
                TableName=runs,
                Item={
                    **KEY,
                    "pk": {"S": "claim"},
                    "status": {"S": "INPROGRESS"},
                    "expires_at": {"N": "1000"},
                    "until": {"N": str(until)},
                },
                ConditionExpression=CLAIMED,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**numbers, ":inprogress": {"S": "INPROGRESS"}},
            )

        claim(100, 130_000)
        assert refused(claim, now=130, until=0).code == FAILED
        claim(131, 160_000)
        claim(1001, 0)

    @pytest.mark.parametrize(("condition", "values", "holds"), CONDITIONS)
    def test_update_item_follows_its_condition(
        self, client: Any, runs: str, condition: str, values: Any, holds: bool
    ) -> None:
        request: Any = {
            "TableName": runs,
            "Key": KEY,
            "UpdateExpression": "SET sent = :sent",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": STATE,
            "ExpressionAttributeValues": {":sent": {"BOOL": True}, **values},
        }
        if "#state" not in condition:
            del request["ExpressionAttributeNames"]

        if holds:
            client.update_item(**request)
        else:
            assert refused(client.update_item, **request).code == FAILED

        assert ("sent" in stored(client, runs)) == holds

    def test_update_item_with_a_false_condition_shows_the_item_if_asked(self, client: Any, runs: str) -> None:
        refusal = refused(
            client.update_item,
            TableName=runs,
            Key=KEY,
            UpdateExpression="SET #state = :to",
            ConditionExpression="#state = :from",
            ExpressionAttributeNames=STATE,
            ExpressionAttributeValues={":to": {"S": "COMPLETED"}, ":from": {"S": "BUYING"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

        assert (refusal.code, refusal.answer["Item"]) == (FAILED, ROW)

    def test_update_item_of_a_missing_item_creates_it(self, client: Any, runs: str) -> None:
        key = {"pk": {"S": "RUN#2"}, "sk": {"S": "META"}}

        answer = client.update_item(
            TableName=runs,
            Key=key,
            UpdateExpression="SET sent = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )

        assert answered(answer) == {}
        assert stored(client, runs, key) == {**key, "sent": {"BOOL": True}}

    def test_update_item_of_a_missing_item_fails_a_condition_on_it(self, client: Any, runs: str) -> None:
        key = {"pk": {"S": "RUN#2"}, "sk": {"S": "META"}}

        refusal = refused(
            client.update_item,
            TableName=runs,
            Key=key,
            UpdateExpression="SET sent = :yes",
            ConditionExpression="#state = :yes",
            ExpressionAttributeNames=STATE,
            ExpressionAttributeValues={":yes": {"BOOL": True}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

        assert refusal.code == FAILED
        assert "Item" not in refusal.answer
        assert "Item" not in client.get_item(TableName=runs, Key=key, ConsistentRead=True)

    def test_update_item_appends_adds_and_removes(self, client: Any, runs: str) -> None:
        answer = client.update_item(
            TableName=runs,
            Key=KEY,
            UpdateExpression="SET timeline = list_append(timeline, :more) ADD figure :one, tags :tags REMOVE #state",
            ExpressionAttributeNames=STATE,
            ExpressionAttributeValues={
                ":more": {"L": [{"S": "b"}]},
                ":one": {"N": "1"},
                ":tags": {"SS": ["x"]},
            },
            ReturnValues="ALL_NEW",
        )

        after = {**KEY, "timeline": {"L": [{"S": "a"}, {"S": "b"}]}, "figure": {"N": "3"}, "tags": {"SS": ["x"]}}
        assert answered(answer) == {"Attributes": after}
        assert stored(client, runs) == after

    @pytest.mark.parametrize("request_", INVALID_UPDATES, ids=lambda request: request["UpdateExpression"])
    def test_update_item_that_is_invalid_changes_nothing(self, client: Any, runs: str, request_: Any) -> None:
        refusal = refused(client.update_item, TableName=runs, Key=KEY, **request_)

        assert (refusal.code, refusal.status) == (INVALID, 400)
        assert stored(client, runs) == ROW

    def test_delete_item_removes_it_and_accepts_a_missing_one(self, client: Any, runs: str) -> None:
        answers = [answered(client.delete_item(TableName=runs, Key=KEY)) for _ in range(2)]

        assert answers == [{}, {}]
        assert answered(client.get_item(TableName=runs, Key=KEY, ConsistentRead=True)) == {}

    def test_get_item_projects(self, client: Any, runs: str) -> None:
        answer = client.get_item(
            TableName=runs,
            Key=KEY,
            ConsistentRead=True,
            ProjectionExpression="#state, figure, absent",
            ExpressionAttributeNames=STATE,
        )

        assert answered(answer) == {"Item": {"state": {"S": "SELLING"}, "figure": {"N": "2"}}}

    def test_transact_write_items_writes_all(self, client: Any, runs: str) -> None:
        answer = client.transact_write_items(TransactItems=transaction(runs, state="SELLING"))

        assert answered(answer) == {}
        assert stored(client, runs, day()) == day()

    def test_transact_write_items_with_a_false_condition_writes_nothing(self, client: Any, runs: str) -> None:
        refusal = refused(client.transact_write_items, TransactItems=transaction(runs, state="COMPLETED"))

        assert (refusal.code, refusal.status) == ("TransactionCanceledException", 400)
        assert reasons(refusal) == ["None", "ConditionalCheckFailed"]
        assert "Item" not in client.get_item(TableName=runs, Key=day(), ConsistentRead=True)

    def test_transact_write_items_repeated_with_its_token_succeeds(self, client: Any, runs: str) -> None:
        for _ in range(2):
            client.transact_write_items(
                TransactItems=transaction(runs, state="SELLING"), ClientRequestToken=f"token of {runs}"[:36]
            )

        refusal = refused(client.transact_write_items, TransactItems=transaction(runs, state="SELLING"))
        assert reasons(refusal) == ["ConditionalCheckFailed", "None"]

    def test_transact_write_items_on_one_item_twice_is_invalid(self, client: Any, runs: str) -> None:
        twice = [{"Put": {"TableName": runs, "Item": day()}}] * 2

        assert refused(client.transact_write_items, TransactItems=twice).code == INVALID

    def test_unknown_table_is_refused_by_every_call(self, client: Any) -> None:
        calls: list[tuple[Any, dict[str, Any]]] = [
            (client.get_item, {"Key": KEY}),
            (client.put_item, {"Item": KEY}),
            (client.delete_item, {"Key": KEY}),
            (client.describe_table, {}),
        ]

        codes = [refused(call, TableName="Nowhere", **request).code for call, request in calls]

        assert codes == ["ResourceNotFoundException"] * 4

    @pytest.mark.parametrize("item", [{"pk": {"S": "a"}}, {**KEY, "pk": {"S": ""}}, {**KEY, "pk": {"N": "1"}}])
    def test_put_item_with_an_invalid_key_is_refused(self, client: Any, runs: str, item: Any) -> None:
        assert refused(client.put_item, TableName=runs, Item=item).code == INVALID


def day() -> dict[str, Any]:
    """Return the item of a day."""
    return {**KEY, "pk": {"S": "DAY#1"}}


def transaction(table: str, *, state: str) -> list[Any]:
    """Return a transaction that takes a day, if ROW is in a state."""
    check = {
        "TableName": table,
        "Key": KEY,
        "ConditionExpression": "#state = :state",
        "ExpressionAttributeNames": STATE,
        "ExpressionAttributeValues": {":state": {"S": state}},
    }
    put = {"TableName": table, "Item": day(), "ConditionExpression": "attribute_not_exists(pk)"}
    return [{"Put": put}, {"ConditionCheck": check}]


def reasons(refusal: Refused) -> list[str]:
    """Return why each action of a transaction was cancelled."""
    return [reason["Code"] for reason in refusal.answer["CancellationReasons"]]
